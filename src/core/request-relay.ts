/**
 * From the application to the broker: finds each request in what a client sent, and forwards it, answers it, keeps it back
 * or gives the client up, in order. Nobody's body is collected: a request larger than `limits.wholeFrameBytes` streams as
 * soon as its kind is known; a smaller one is forwarded only once it is complete, so that a client that dies half-way
 * costs nobody a connection.
 */
import { type ClientSession, Verdict } from '../contract/protocol.ts';
import type { CloseReason } from '../contract/reasons.ts';
import { Inbox } from './inbox.ts';
import { invariant } from './invariant.ts';
import type { Upstream } from './upstream.ts';
import type { Wire } from './wire.ts';

/** What a client may send while it waits; more than that is left in the socket. */
const SENT_AHEAD_BYTES = 16 * 1024;

/** The client that a relay serves. */
export interface RelayClient {
  readonly session: ClientSession;
  readonly upstream: Upstream | null;
  readonly closed: boolean;
  readonly waiting: boolean;
  /** It has not taken what it was sent: answers of ours must not pile up. */
  readonly unread: boolean;
  readonly wholeFrameBytes: number;
  mayAnswer(): boolean;
  /** True: it holds an upstream now; false: it waits, or was closed. */
  acquire(): boolean;
  /** It waits until its broker was reached. */
  learn(): void;
  /** Registers the inspected request with the upstream; false: the client was closed. */
  admit(upstream: Upstream): boolean;
  /** Writes an answer of ours. */
  receive(bytes: Buffer): void;
  /** @param lastWords then it goes a while later, and hears them before */
  giveUp(reason: CloseReason, detail: string, lastWords?: Buffer): void;
}

export class RequestRelay {
  readonly #client: RelayClient;
  readonly #inbox: Inbox;
  /** Bytes of the admitted request that are still to come. */
  #bodyLeft = 0;
  #running = false;
  #awaitsReader = false;
  #incomplete = false;
  /** Nothing of what comes is looked at any more. */
  #over = false;

  constructor(client: RelayClient, wire: Wire) {
    this.#client = client;
    this.#inbox = new Inbox(wire);
  }

  /** In the middle of a request that was admitted. */
  get sending(): boolean {
    return this.#bodyLeft > 0;
  }
  /** Something was received and not forwarded. */
  get holding(): boolean {
    return this.#inbox.length > 0;
  }
  /** What is held is the beginning of a request, and the rest has not come. */
  get incomplete(): boolean {
    return this.#incomplete;
  }
  get paused(): boolean {
    return this.#inbox.paused;
  }
  /** An answer of ours waits until the client has taken what it was sent before. */
  get awaitsReader(): boolean {
    return this.#awaitsReader;
  }

  /** More bytes arrived. */
  feed(bytes: Buffer): void {
    if (this.#over) return;
    const all = this.#inbox.join(bytes);
    if (this.#client.waiting) this.#waitWith(all, 0);
    else this.#run(all);
  }

  /** What was kept back may go on. */
  goOn(): void {
    if (this.#inbox.length > 0) this.#run(this.#inbox.take());
    this.resume();
  }

  /** Reads on, unless the next read would fill a buffer that is still needed. */
  resume(): void {
    if (!this.#client.closed && this.#client.upstream?.pending !== true) this.#inbox.resume();
  }

  drop(): void {
    this.#inbox.take();
  }

  /** Until it is its turn a client may send a little ahead and no more; up to that its FIN is still seen. */
  #waitWith(bytes: Buffer, from: number): void {
    if (bytes.length - from > SENT_AHEAD_BYTES) this.#inbox.hold(bytes, from);
    else this.#inbox.keep(bytes, from);
  }

  #run(bytes: Buffer): void {
    invariant(!this.#running, 'a client relays one chunk at a time');
    this.#running = true;
    try {
      this.#relay(bytes);
    } finally {
      this.#running = false;
    }
  }

  /** `[from, at)` was admitted and is not written yet; `at` is at a request's first byte, or in the middle of one. */
  #relay(bytes: Buffer): void {
    const client = this.#client;
    let from = 0;
    let at = 0;
    let incomplete = false;
    this.#awaitsReader = false;
    let cameInPieces = this.#bodyLeft > 0;
    for (;;) {
      if (this.#bodyLeft > 0) {
        const part = Math.min(this.#bodyLeft, bytes.length - at);
        this.#bodyLeft -= part;
        at += part;
        if (cameInPieces) client.upstream?.sentPart(this.#bodyLeft === 0);
        cameInPieces = false;
      }
      if (at === bytes.length) break;
      const owing = client.upstream !== null && client.upstream.session.owed > 0;
      const verdict = client.session.inspect(bytes, at, bytes.length, client.mayAnswer(), owing);
      if (verdict === Verdict.forward) {
        incomplete = !this.#forwardable(bytes.length - at);
        if (incomplete || !this.#admit()) break;
      } else if (owing && verdict >= Verdict.answer && verdict !== Verdict.learn) {
        break; // directly, too, what was asked before would be answered first
      } else if (verdict === Verdict.answer && client.unread) {
        this.#awaitsReader = true;
        break;
      } else if (verdict === Verdict.answer) {
        this.#write(bytes, from, at);
        at += client.session.size;
        from = at;
        client.receive(client.session.answer());
      } else {
        incomplete = verdict === Verdict.incomplete;
        if (verdict === Verdict.learn && !owing) client.learn();
        if (verdict === Verdict.close || verdict === Verdict.dismiss) {
          const { closeReason, closeDetail } = client.session;
          this.#write(bytes, from, at);
          this.#over = true;
          const lastWords = verdict === Verdict.dismiss ? client.session.answer() : undefined;
          client.giveUp(closeReason, closeDetail, lastWords);
          return;
        }
        break;
      }
    }
    this.#incomplete = incomplete;
    if (client.closed) return;
    this.#write(bytes, from, at);
    if (at === bytes.length) return;
    if (incomplete) this.#inbox.keep(bytes, at);
    else this.#waitWith(bytes, at);
  }

  #forwardable(available: number): boolean {
    const { size } = this.#client.session;
    return size <= available || size > this.#client.wholeFrameBytes;
  }

  #admit(): boolean {
    const client = this.#client;
    if (client.upstream === null ? !client.acquire() : !client.upstream.mayTake()) return false;
    const { upstream } = client;
    invariant(upstream !== null, 'a request is admitted to an upstream');
    if (!client.admit(upstream)) return false;
    this.#bodyLeft = client.session.size;
    return true;
  }

  #write(bytes: Buffer, from: number, to: number): void {
    const { upstream } = this.#client;
    if (from === to || upstream === null) return;
    const part = from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to);
    if (!upstream.send(part)) this.#inbox.pause();
  }
}
