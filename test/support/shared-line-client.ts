import type { ClientRouting, Registration } from '../../src/contract/multiplexing.ts';
import { type ClientSession, Demand, Verdict } from '../../src/contract/protocol.ts';
import type { CloseReason, PinReason } from '../../src/contract/reasons.ts';
import { type Frame, formatFrame, parseFrame } from './line-frames.ts';

/** What a client has open under a name. */
export interface OpenName {
  readonly name: string;
  /** It keeps its connection. */
  readonly kept: boolean;
  state: 'opening' | 'open' | 'parked';
  /** The upstream session that knows of it; null while none does. */
  link: unknown;
}

const WORDS = new Set(['ask', 'house', 'open', 'keep', 'data']);

export class SharedLineClient implements ClientSession, ClientRouting {
  readonly demand = Demand.pool;
  readonly pin = undefined;
  closeReason: CloseReason = 'protocol_error';
  closeDetail = '';
  readonly identity: string;
  readonly names = new Map<string, OpenName>();
  /** It was told that it holds others up. */
  isolated = false;
  /** It has words for it if brokers refuse whom it speaks for. */
  complains = false;
  /** What is said of every request from now on. */
  changed: Verdict | null = null;
  readonly #number: number;
  #frame: Frame | null = null;
  #closed = false;

  constructor(number: number, identity: string) {
    this.#number = number;
    this.identity = identity;
  }

  attach(): void {
    // This protocol tells clients only what they have asked for.
  }

  get routing(): ClientRouting {
    return this;
  }
  /** The inspected request. */
  get frame(): Frame {
    if (this.#frame === null) throw new Error('nothing was inspected');
    return this.#frame;
  }
  get size(): number {
    return this.#frame === null ? 0 : this.#frame.headerBytes + this.#frame.bodyBytes;
  }
  get pinned(): boolean {
    for (const { kept } of this.names.values()) if (kept) return true;
    return false;
  }
  get work(): boolean {
    return this.frame.word !== 'house';
  }
  get node(): string {
    return this.frame.keys.get('node') ?? 'broker-1:9092';
  }
  get purpose(): string {
    const purpose = this.frame.keys.get('purpose') ?? (this.isolated ? 'own' : 'shared');
    return purpose.startsWith('own') ? `${purpose}:${this.#number}` : purpose;
  }
  get previous(): string | null {
    return this.frame.keys.get('previous') ?? (this.isolated ? 'shared' : null);
  }

  inspect(bytes: Buffer, start: number, end: number, mayAnswer: boolean): Verdict {
    if (this.#closed) throw new Error('a closed client session was used');
    const frame = parseFrame(bytes, start, end);
    this.#frame = frame === 'incomplete' || frame === 'malformed' ? null : frame;
    if (frame === 'incomplete') return Verdict.incomplete;
    if (frame === 'malformed') return this.#close('protocol_error');
    if (frame.word === 'boom') throw new Error('a fault of the protocol');
    if (this.changed !== null) return this.changed;
    if (frame.word === 'bad') return this.#close('refused_api');
    if (frame.word === 'pass') return Verdict.discard;
    if (WORDS.has(frame.word)) return Verdict.forward;
    if (end - start < this.size) return Verdict.incomplete;
    if (frame.word === 'tick') return Verdict.answer;
    if (frame.word === 'hi') return mayAnswer ? Verdict.answer : Verdict.learn;
    return this.#close('protocol_error');
  }

  #close(reason: CloseReason): Verdict {
    this.closeReason = reason;
    return Verdict.close;
  }

  answer(): Buffer {
    return formatFrame('ok', this.frame.id, [['local', 'yes']]);
  }

  isolate(): void {
    this.isolated = true;
  }

  turnedAway(): boolean {
    if (!this.complains) return false;
    this.closeReason = 'authentication_failed';
    this.changed = Verdict.dismiss;
    return true;
  }

  registrations(): readonly Registration[] {
    return [];
  }

  pins(): readonly PinReason[] {
    return [];
  }

  close(): void {
    if (this.#closed) throw new Error('a client session was closed twice');
    this.#closed = true;
  }
}
