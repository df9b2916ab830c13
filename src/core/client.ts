/**
 * One socket of the application: what it sent and is not forwarded yet, and the upstream it holds.
 *
 *   idle --request--> waiting --granted--> attached --nothing owed--> idle        any --> closed
 *          '----------- an upstream was free -----------^
 *
 * Order is kept because a client never holds two upstreams and leaves one only with nothing owed. Bytes of a request are
 * written upstream only after `admit`; from then on the request is never sent anywhere else.
 */
import { type ClientSession, Demand, Verdict } from '../contract/protocol.ts';
import type { CloseReason } from '../contract/reasons.ts';
import type { ClientHost } from './client-host.ts';
import type { Timer } from './clock.ts';
import { Inbox } from './inbox.ts';
import { invariant } from './invariant.ts';
import type { Pool } from './pool.ts';
import type { Waiter } from './tenant.ts';
import type { Upstream } from './upstream.ts';
import type { Wire, WireEnd, WireHandler } from './wire.ts';

export type ClientState = 'idle' | 'waiting' | 'attached' | 'closed';

export class Client implements WireHandler, Waiter {
  readonly number: number;
  /** The listener it came in by: a node, or BOOTSTRAP. */
  readonly listener: string;
  readonly session: ClientSession;
  readonly wire: Wire;
  readonly createTime: number;
  /** The broker that a client of the bootstrap listener stays with. */
  node: string | null;
  upstream: Upstream | null = null;
  lastWorkTime: number | null = null;
  lastInputTime: number;
  waitSince = 0;
  waitsWithWork = false;
  waitReported = false;
  readonly #host: ClientHost;
  #state: ClientState = 'idle';
  #pool: Pool | null = null;
  readonly #inbox: Inbox;
  /** Bytes of the admitted request that are still to come. */
  #bodyLeft = 0;
  #ended = false;
  #upstreamEnded = false;
  #lastOutputTime = 0;
  #foundAsleep = false;
  #processing = false;
  #farewell: Timer | null = null;

  constructor(
    number: number,
    listener: string,
    node: string | null,
    session: ClientSession,
    wire: Wire,
    host: ClientHost,
  ) {
    this.number = number;
    this.listener = listener;
    this.node = node;
    this.session = session;
    this.wire = wire;
    this.#inbox = new Inbox(wire);
    this.#host = host;
    this.createTime = host.clock.now();
    this.lastInputTime = this.createTime;
  }

  get id(): string {
    return `c${this.number}`;
  }
  get state(): ClientState {
    return this.#state;
  }
  get sending(): boolean {
    return this.#bodyLeft > 0;
  }
  get pinned(): boolean {
    return this.session.pinned && (!this.#ended || this.#host.opaque);
  }
  get pinnedHard(): boolean {
    return this.session.pinned && this.session.demand === Demand.pinHard;
  }
  /** Since when it keeps us waiting in the middle of a frame, either way; infinity if it does not. */
  get stalledSince(): number {
    if (this.wire.pending) return Math.max(this.lastInputTime, this.#lastOutputTime);
    return this.inRequest && !this.#inbox.paused ? this.lastInputTime : Number.POSITIVE_INFINITY;
  }
  /** A request has begun to arrive and is not complete. */
  get inRequest(): boolean {
    return this.#bodyLeft > 0 || (this.#state !== 'waiting' && this.#inbox.length > 0);
  }

  // --- from the application -----------------------------------------------------------------------------------

  onBytes(bytes: Buffer, length: number): void {
    if (this.#state === 'closed') return;
    this.lastInputTime = this.#host.clock.now();
    this.#host.bytesFromClients += length;
    const all = this.#inbox.join(length === bytes.length ? bytes : bytes.subarray(0, length));
    if (this.#state === 'waiting') this.#keep(all, 0);
    else this.#process(all);
  }

  #keep(bytes: Buffer, from: number): void {
    this.#inbox.keep(bytes, from);
    // Until it is its turn a client may send so much ahead and no more; below that its FIN is still seen.
    const mustWait = this.#state === 'waiting' || this.upstream !== null;
    if (mustWait && this.#inbox.length > this.#host.options.limits.wholeFrameBytes) this.#inbox.pause();
  }

  /** Forwards, answers or keeps back what is in `bytes`, in order. */
  #process(bytes: Buffer): void {
    invariant(!this.#processing, 'a client processes one chunk at a time');
    if (bytes.length === 0) {
      this.#conclude();
      return;
    }
    this.#processing = true;
    let from = 0;
    let at = 0;
    try {
      while (this.#state !== 'closed') {
        if (this.#bodyLeft > 0) {
          const part = Math.min(this.#bodyLeft, bytes.length - at);
          this.#bodyLeft -= part;
          at += part;
        }
        if (at === bytes.length) break;
        const owing = this.upstream !== null && this.upstream.session.owed > 0;
        const verdict = this.session.inspect(bytes, at, bytes.length, this.#host.mayAnswer(this), owing);
        if (verdict === Verdict.forward) {
          if (this.session.size > bytes.length - at && this.session.size <= this.#host.options.limits.wholeFrameBytes)
            break;
          if (this.upstream === null ? !this.#acquire() : this.upstream.yielding) break;
          if (!this.#admit()) return;
        } else if (verdict === Verdict.answer) {
          if (owing) break; // an answer of ours waits until all that is owed before it is written
          this.#forward(bytes, from, at);
          const { size } = this.session;
          this.#write(this.session.answer());
          at += size;
          from = at;
        } else if (verdict === Verdict.learn) {
          if (owing) break;
          this.#wait(false).learn(this);
          break;
        } else if (verdict === Verdict.close) {
          this.#forward(bytes, from, at);
          this.close(this.session.closeReason, this.session.closeDetail, 'end');
          return;
        } else {
          break;
        }
      }
      if (this.#state === 'closed') return;
      this.#forward(bytes, from, at);
      if (at < bytes.length) this.#keep(bytes, at);
    } finally {
      this.#processing = false;
    }
    this.#conclude();
  }

  #conclude(): void {
    const { upstream } = this;
    if (upstream === null) {
      if (this.#ended && this.#state === 'idle') this.close('client_closed', '', 'end');
    } else if (this.#bodyLeft === 0 && upstream.session.owed === 0) {
      upstream.settle(); // the answer came before the request was complete, or no answer comes at all
    }
  }

  #acquire(): boolean {
    const pool = this.#wait(this.session.work);
    const upstream = pool.acquire(this, this.session.demand);
    if (upstream === null) return false;
    this.#attach(upstream);
    return true;
  }

  #wait(withWork: boolean): Pool {
    const pool = this.#host.poolFor(this);
    this.#pool = pool;
    this.#state = 'waiting';
    this.#foundAsleep = pool.asleep;
    this.waitSince = this.#host.clock.now();
    this.waitsWithWork = withWork;
    this.waitReported = false;
    return pool;
  }

  #attach(upstream: Upstream): void {
    this.#state = 'attached';
    this.upstream = upstream;
  }

  #admit(): boolean {
    const { upstream } = this;
    invariant(upstream !== null, 'a request is admitted to an upstream');
    const refusal = upstream.admit(this.session, this);
    if (refusal !== undefined) {
      this.close(refusal, 'the broker no longer supports the API versions that this client was told', 'end');
      return false;
    }
    if (this.session.work) this.lastWorkTime = upstream.lastWorkTime;
    this.#bodyLeft = this.session.size;
    return true;
  }

  #forward(bytes: Buffer, from: number, to: number): void {
    if (from === to || this.upstream === null) return;
    const part = from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to);
    if (!this.upstream.send(part)) this.#inbox.pause();
  }

  onEnd(): void {
    if (this.#state === 'closed') {
      this.wire.destroy();
      return;
    }
    this.#ended = true;
    if (!this.#host.opaque) this.#conclude();
    else if (this.#upstreamEnded || this.upstream === null) this.close('client_closed', '', 'end');
    else this.upstream.endSending();
  }

  onFlushed(): void {
    this.#lastOutputTime = this.#host.clock.now();
    this.upstream?.tenantFlushed();
  }

  onClosed(how: WireEnd, detail: string): void {
    this.#farewell?.cancel();
    this.close(how === 'closed' ? 'client_closed' : 'client_reset', detail, 'gone');
  }

  // --- what the pool and the upstream tell ----------------------------------------------------------------------

  granted(upstream: Upstream): void {
    this.#attach(upstream);
    if (this.#foundAsleep) this.#host.resumed(this.#host.clock.now() - this.waitSince);
    this.#goOn();
    this.#conclude();
  }

  retry(): void {
    this.#state = 'idle';
    this.#goOn();
  }

  detached(): void {
    this.upstream = null;
    if (this.#state === 'closed') return;
    this.#state = 'idle';
    this.#goOn();
  }

  #goOn(): void {
    this.#inbox.resume();
    this.#process(this.#inbox.take());
  }

  refuse(reason: CloseReason, detail: string): void {
    this.close(reason, detail, 'reset');
  }

  receive(bytes: Buffer): boolean {
    return this.#write(bytes);
  }

  #write(bytes: Buffer): boolean {
    this.#host.bytesToClients += bytes.length;
    const taken = this.wire.write(bytes);
    if (!taken) this.#lastOutputTime = this.#host.clock.now();
    return taken;
  }

  upstreamFlushed(): void {
    this.#inbox.resume();
  }

  onUpstreamEnd(): boolean {
    if (!this.#host.opaque) return false;
    this.#upstreamEnded = true;
    if (this.#ended) this.close('client_closed', '', 'end');
    else this.wire.end();
    return true;
  }

  upstreamLost(reset: boolean, detail: string): void {
    this.upstream = null;
    this.close('upstream_lost', detail, reset ? 'reset' : 'end');
  }

  /** For an opaque stream: an upstream from the start, for the server may speak first. */
  attachAtOnce(): void {
    this.waitsWithWork = true;
    const upstream = this.#wait(true).acquire(this, Demand.pinHard);
    if (upstream !== null) this.granted(upstream);
  }

  /**
   * @param manner `end`: FIN behind what was written; `reset`: RST, as from a dead broker; `gone`: the socket is closed
   */
  close(reason: CloseReason, detail: string, manner: 'end' | 'reset' | 'gone'): void {
    if (this.#state === 'closed') return;
    this.#pool?.forget(this);
    this.#state = 'closed';
    this.#inbox.take();
    this.session.close();
    if (manner === 'reset') {
      this.wire.reset();
    } else if (manner === 'end') {
      this.wire.end();
      this.wire.resume();
      const patience = this.#host.options.limits.clientStallSeconds * 1000;
      this.#farewell = this.#host.clock.after(patience, () => this.wire.destroy());
    }
    const { upstream } = this;
    if (upstream !== null) this.#pool?.tenantGone(upstream);
    this.upstream = null;
    this.#host.clientClosed(this, reason, detail);
  }
}
