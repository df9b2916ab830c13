/**
 * The two ends of a connection in memory. This is what the product holds; fake-peer.ts is what the test plays.
 * Nothing arrives before the network delivers it. As with sockets, a read goes to a buffer that the next read uses again:
 * it is scribbled over as soon as the stream may read on, and what was written but not taken is compared with what it was.
 */
import type { Wire, WireEnd, WireHandler } from '../../src/core/wire.ts';
import { FakePeer, type Outbound } from './fake-peer.ts';

type Inbound =
  | { readonly kind: 'dial' }
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'fin' }
  | { readonly kind: 'rst' };
interface Unsent {
  readonly view: Buffer;
  readonly copy: Buffer;
}

/** What becomes of a dial when its turn has come. */
export type DialOutcome =
  | { readonly kind: 'accept'; readonly peer: (peer: FakePeer) => void }
  | { readonly kind: 'refuse'; readonly code: string }
  | { readonly kind: 'silent' };

export interface FakeWireParts {
  readonly remote: string;
  readonly bufferBytes: number;
  /** A promise of the wire was broken by the product. */
  readonly fault: (detail: string) => void;
  readonly wrote: (bytes: Buffer) => void;
  readonly read: (bytes: Buffer) => void;
  /** Only for dialled ones: asked whenever the dial might be answered. */
  readonly outcome?: () => DialOutcome;
  readonly connected?: () => void;
}

const SCRIBBLE = 0xee;

export class FakeWire implements Wire {
  handler: WireHandler | null = null;
  /** The product said that it carries nothing for now. */
  relaxed = false;
  readonly peer: FakePeer;
  readonly remote: string;
  peerName: string | null = null;
  readonly #parts: FakeWireParts;
  readonly #inbound: Inbound[] = [];
  readonly #outbound: Outbound[] = [];
  #unsent: Unsent[] = [];
  #owesFlushed = false;
  #flushed = false;
  #closing: { how: WireEnd; detail: string } | null = null;
  #buffer: Buffer | null = null;
  #toScribble = 0;
  #paused = false;
  #ended = false;
  #finSent = false;
  #finIn = false;
  #dead = false;
  #closed = false;

  constructor(parts: FakeWireParts) {
    this.#parts = parts;
    this.remote = parts.remote;
    this.peer = new FakePeer(this);
    if (parts.outcome !== undefined) this.#inbound.push({ kind: 'dial' });
  }

  // --- what the product does ------------------------------------------------------------------------------------

  get pending(): boolean {
    return this.#unsent.length > 0;
  }
  /** Written by the product, and not taken by the kernel. */
  get unsentBytes(): number {
    return this.#unsent.reduce((sum, { view }) => sum + view.length, 0);
  }
  get paused(): boolean {
    return this.#paused;
  }
  get closed(): boolean {
    return this.#closed;
  }

  write(bytes: Buffer): boolean {
    if (this.#dead || this.#ended) return true;
    if (bytes.length === 0) throw new Error('nothing is written, which costs as much as something');
    this.#parts.wrote(bytes);
    if (this.#unsent.length === 0 && bytes.length <= this.peer.room) {
      this.#depart(Buffer.from(bytes));
      return true;
    }
    this.#unsent.push({ view: bytes, copy: Buffer.from(bytes) });
    this.#owesFlushed = true;
    this.#flushed = false;
    this.takeUnsent();
    return false;
  }

  #depart(bytes: Buffer): void {
    this.peer.room -= bytes.length;
    this.#outbound.push({ kind: 'bytes', bytes });
  }

  /** The kernel takes what it has room for. */
  takeUnsent(): void {
    while (this.#unsent.length > 0 && this.peer.room > 0) {
      const [first] = this.#unsent;
      if (first === undefined) break;
      if (!first.view.equals(first.copy)) this.#parts.fault('bytes changed between write and flush');
      const part = Math.min(this.peer.room, first.view.length);
      this.#depart(Buffer.from(first.view.subarray(0, part)));
      if (part === first.view.length) this.#unsent.shift();
      else this.#unsent[0] = { view: first.view.subarray(part), copy: first.copy.subarray(part) };
    }
    if (this.#unsent.length > 0) return;
    if (this.#owesFlushed) this.#flushed = true;
    this.#owesFlushed = false;
    if (this.#ended && !this.#dead) this.#sendFin();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (!this.#dead) this.#scribble();
  }

  #scribble(): void {
    this.#buffer?.fill(SCRIBBLE, 0, this.#toScribble);
    this.#toScribble = 0;
  }

  end(): void {
    if (this.#dead || this.#ended) return;
    this.#ended = true;
    if (this.#unsent.length === 0) this.#sendFin();
  }

  #sendFin(): void {
    if (this.#finSent) return;
    this.#finSent = true;
    this.#outbound.push({ kind: 'fin' });
    if (this.#finIn) this.#shut('closed', '');
  }

  destroy(): void {
    if (this.#dead) return;
    this.#outbound.push({ kind: 'gone' });
    this.#shut('closed', '');
  }

  reset(): void {
    if (this.#dead) return;
    this.#outbound.push({ kind: 'rst' });
    this.#shut('closed', '');
  }

  relax(): void {
    this.relaxed = true;
  }

  #shut(how: WireEnd, detail: string): { how: WireEnd; detail: string } {
    this.#dead = true;
    this.#unsent = [];
    this.#inbound.length = 0;
    this.#closing ??= { how, detail };
    return this.#closing;
  }

  #tellClosed({ how, detail }: { how: WireEnd; detail: string }): void {
    this.#closed = true;
    this.handler?.onClosed(how, detail);
  }

  // --- what arrives at the product ------------------------------------------------------------------------------

  arrive(item: Inbound): void {
    if (!this.#dead) this.#inbound.push(item);
  }

  /** Something could be told to the product now. */
  get canDeliverIn(): boolean {
    if (this.#closed) return false;
    if (this.#closing !== null || this.#flushed) return true;
    const [first] = this.#inbound;
    if (first === undefined) return false;
    if (first.kind === 'dial') return this.#parts.outcome?.().kind !== 'silent';
    return !this.#paused;
  }

  /** Tells the product the next thing; bytes at most so many, and no more than a buffer holds. */
  deliverIn(mostBytes = Number.POSITIVE_INFINITY): void {
    if (this.#closing !== null) {
      this.#tellClosed(this.#closing);
      return;
    }
    if (this.#flushed) {
      this.#flushed = false;
      this.handler?.onFlushed();
      return;
    }
    const first = this.#inbound.shift();
    if (first?.kind === 'bytes') this.#read(first.bytes, mostBytes);
    else if (first?.kind === 'dial') this.#answerDial();
    else if (first?.kind === 'rst') this.#tellClosed(this.#shut('reset', 'ECONNRESET'));
    else if (first?.kind === 'fin') {
      this.#finIn = true;
      this.handler?.onEnd();
      if (this.#finSent && !this.#dead) this.#shut('closed', '');
    }
  }

  #answerDial(): void {
    const outcome = this.#parts.outcome?.();
    if (outcome?.kind === 'refuse') this.#shut('error', outcome.code);
    else if (outcome?.kind === 'accept') {
      outcome.peer(this.peer);
      this.#parts.connected?.();
    } else this.#inbound.unshift({ kind: 'dial' });
  }

  #read(first: Buffer, mostBytes: number): void {
    let bytes = first;
    const most = Math.min(mostBytes, this.#parts.bufferBytes);
    while (bytes.length < most) {
      const [next] = this.#inbound;
      if (next?.kind !== 'bytes') break;
      bytes = Buffer.concat([bytes, next.bytes]);
      this.#inbound.shift();
    }
    if (bytes.length > most) this.#inbound.unshift({ kind: 'bytes', bytes: bytes.subarray(most) });
    const length = Math.min(most, bytes.length);
    this.#buffer ??= Buffer.alloc(this.#parts.bufferBytes);
    bytes.copy(this.#buffer, 0, 0, length);
    this.#toScribble = length;
    this.#parts.read(this.#buffer.subarray(0, length));
    this.handler?.onBytes(this.#buffer, length);
    if (!this.#paused && !this.#dead) this.#scribble();
  }

  // --- what arrives at the peer -----------------------------------------------------------------------------------

  get canDeliverOut(): boolean {
    return this.#outbound.length > 0;
  }

  deliverOut(): void {
    const item = this.#outbound.shift();
    if (item !== undefined) this.peer.take(item);
  }
}
