/**
 * One socket of the application: what it sent and is not forwarded yet, and the upstream it holds.
 *
 *   idle --request--> waiting --granted--> attached --nothing owed--> idle        any --> closed
 *          '----------- an upstream was free -----------^
 *
 * Order is kept because a client never holds two upstreams and leaves one only with nothing owed. Bytes of a request are
 * written upstream only after `admit`; from then on the request is never sent anywhere else.
 */
import { type ClientSession, Demand } from '../contract/protocol.ts';
import type { CloseReason } from '../contract/reasons.ts';
import type { ClientHost } from './client-host.ts';
import { isQuiet, stalledSince } from './client-progress.ts';
import type { Timer } from './clock.ts';
import { dismissLater } from './dismissal.ts';
import { sayFarewell } from './farewell.ts';
import type { Pool } from './pool.ts';
import { type RelayClient, RequestRelay } from './request-relay.ts';
import type { ClientState, RouteClient } from './route-client.ts';
import type { Waiter } from './tenant.ts';
import type { Upstream } from './upstream.ts';
import { Wait } from './wait.ts';
import type { Wire, WireEnd, WireHandler } from './wire.ts';

export class Client implements WireHandler, Waiter, RelayClient, RouteClient {
  readonly purpose = '';
  readonly blockedSince = Number.POSITIVE_INFINITY;
  readonly number: number;
  /** The listener it came in by: a node, or BOOTSTRAP. */
  readonly listener: string;
  readonly session: ClientSession;
  readonly wire: Wire;
  readonly createTime: number;
  readonly relay: RequestRelay;
  /** The broker that a client of the bootstrap listener stays with. */
  node: string | null;
  upstream: Upstream | null = null;
  /** Whose upstream it has: it may wait elsewhere meanwhile. */
  lender: Pool | null = null;
  lastWorkTime: number | null = null;
  lastInputTime: number;
  /** When it took something of what it is sent, or nothing of that was under way. */
  lastOutputTime = 0;
  unsentBytes = 0;
  readonly wait = new Wait();
  readonly #host: ClientHost;
  #state: ClientState = 'idle';
  #acquiring = false;
  #ended = false;
  #upstreamEnded = false;
  /** Once so, always so, whatever it sends next. */
  #pinnedHard = false;
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
    this.relay = new RequestRelay(this, wire);
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
    return this.relay.sending;
  }
  get upstreams(): readonly Upstream[] {
    return this.upstream === null ? [] : [this.upstream];
  }
  get quiet(): boolean {
    return isQuiet(this);
  }
  get stalledSince(): number {
    return stalledSince(this);
  }
  get pinned(): boolean {
    return this.session.pinned && (!this.#ended || this.opaque);
  }
  get pinnedHard(): boolean {
    return this.#pinnedHard;
  }
  get opaque(): boolean {
    return this.#host.opaque;
  }

  // --- from the application -----------------------------------------------------------------------------------

  onBytes(bytes: Buffer, length: number): void {
    if (this.#state === 'closed') return;
    this.lastInputTime = this.#host.clock.now();
    this.#host.bytesFromClients += length;
    try {
      this.relay.feed(length === bytes.length ? bytes : bytes.subarray(0, length));
      this.#conclude();
    } catch (error) {
      this.#contain(error);
    }
  }

  /** The connection whose state nobody knows any more goes, and nobody else's. */
  #contain(error: unknown): void {
    this.#host.violated(String(error));
    this.close('protocol_error', 'a fault of the sidecar', 'reset');
  }

  #conclude(): void {
    const { upstream } = this;
    if (upstream === null) {
      if (this.#ended && this.#state === 'idle' && !this.relay.awaitsReader) this.close('client_closed', '', 'end');
    } else if (this.#ended && this.sending) {
      this.close('client_closed', 'it ended in the middle of a request', 'end');
    } else if (!this.sending && upstream.session.owed === 0) {
      upstream.settle(); // the answer came before the request was complete, or no answer comes at all
      // A throttled connection is kept from others, and needs no client for that.
      if (this.#ended && this.quiet) this.close('client_closed', '', 'end');
    }
  }

  // --- what the relay needs -------------------------------------------------------------------------------------

  get closed(): boolean {
    return this.#state === 'closed';
  }
  get waiting(): boolean {
    return this.#state === 'waiting';
  }
  get unread(): boolean {
    return this.wire.pending;
  }
  get wholeFrameBytes(): number {
    return this.#host.options.limits.wholeFrameBytes;
  }

  mayAnswer(): boolean {
    return this.#host.mayAnswer(this);
  }

  acquire(): boolean {
    const pool = this.#wait(this.session.work, false);
    this.#acquiring = true;
    const upstream = pool.acquire(this, this.session.demand);
    this.#acquiring = false;
    if (upstream !== null) this.#attach(upstream);
    return this.#state === 'attached';
  }

  learn(): void {
    this.#wait(false, true).learn(this);
  }

  admit(upstream: Upstream): boolean {
    const refusal = upstream.admit(this.session, this);
    if (refusal !== undefined) {
      this.giveUp(refusal, 'what it was told about API versions is no longer right for the broker');
      return false;
    }
    if (this.session.work) this.lastWorkTime = upstream.lastWorkTime;
    if (this.session.demand === Demand.pinHard) this.#pinnedHard = true;
    return true;
  }

  giveUp(reason: CloseReason, detail: string, lastWords?: Buffer): void {
    if (lastWords === undefined) this.close(reason, detail, 'end');
    else this.#farewell = dismissLater(this, this.#host.clock, lastWords, reason, detail);
  }

  #wait(withWork: boolean, toLearn: boolean): Pool {
    this.wait.end(this);
    this.#state = 'waiting';
    return this.wait.begin(this.#host.poolFor(this, toLearn), withWork, this.#host.clock.now());
  }

  #attach(upstream: Upstream): void {
    this.#state = 'attached';
    this.upstream = upstream;
    this.lender = this.wait.pool;
  }

  onEnd(): void {
    if (this.#state === 'closed') {
      if (!this.wire.pending) this.wire.destroy(); // else it goes behind our last words
      return;
    }
    this.#ended = true;
    if (!this.opaque) this.#conclude();
    else if (this.#upstreamEnded) this.close('client_closed', '', 'end');
    else this.upstream?.transport.wire?.end(); // else it ends once it is there
  }

  onFlushed(): void {
    this.lastOutputTime = this.#host.clock.now();
    this.upstream?.tenantFlushed();
    if (this.relay.awaitsReader && !this.wire.pending) this.#goOn();
  }

  onClosed(how: WireEnd, detail: string): void {
    this.#farewell?.cancel();
    this.close(how === 'closed' ? 'client_closed' : 'client_reset', detail, 'gone');
  }

  // --- what the pool and the upstream tell ----------------------------------------------------------------------

  granted(upstream: Upstream): void {
    this.#attach(upstream);
    if (this.wait.foundAsleep) this.#host.resumed(this.#host.clock.now() - this.wait.since);
    if (this.#acquiring) return; // it was its turn as soon as it was in the queue
    this.#goOn();
    if (this.#ended && this.opaque) this.upstream?.transport.wire?.end();
  }

  retry(): void {
    if (this.#state === 'closed') return;
    this.#state = this.upstream === null ? 'idle' : 'attached';
    this.#goOn();
  }

  detached(): void {
    this.upstream = null;
    if (this.#state === 'closed') return;
    this.#state = 'idle';
    this.#goOn();
  }

  answered(): void {
    this.#goOn();
  }

  #goOn(): void {
    try {
      this.relay.goOn();
      this.#conclude();
    } catch (error) {
      this.#contain(error);
    }
  }

  refuse(reason: CloseReason, detail: string): void {
    this.close(reason, detail, 'reset');
  }

  receive(bytes: Buffer): boolean {
    this.#host.bytesToClients += bytes.length;
    const taken = this.wire.write(bytes);
    if (!taken) this.lastOutputTime = this.#host.clock.now();
    return taken;
  }

  upstreamFlushed(): void {
    this.relay.resume();
  }

  onUpstreamEnd(): boolean {
    if (!this.opaque) return false;
    this.#upstreamEnded = true;
    if (this.#ended) this.close('client_closed', '', 'end');
    else this.wire.end();
    return true;
  }

  upstreamLost(reset: boolean, detail: string): void {
    this.upstream = null;
    this.close('upstream_lost', detail, reset ? 'reset' : 'end');
  }

  /** For an opaque stream: the server may speak first. */
  attachAtOnce(): void {
    this.#pinnedHard = true;
    const upstream = this.#wait(true, false).acquire(this, Demand.pinHard);
    if (upstream !== null) this.granted(upstream);
  }

  /**
   * @param manner `end`: FIN behind what was written; `reset`: RST, as from a dead broker; `gone`: the socket is closed
   */
  close(reason: CloseReason, detail: string, manner: 'end' | 'reset' | 'gone'): void {
    if (this.#state === 'closed') return;
    this.wait.end(this);
    this.#state = 'closed';
    this.relay.drop();
    if (manner === 'reset') {
      this.wire.reset();
    } else if (manner === 'end') {
      this.#farewell = sayFarewell(this.wire, this.#host.clock, this.#host.stallMilliseconds);
      // What the broker has not taken yet lies in the buffer that the next read would fill.
      if (this.upstream?.pending !== true) this.wire.resume();
    }
    const { upstream } = this;
    if (upstream !== null) this.lender?.tenantGone(upstream);
    this.upstream = null;
    this.session.close();
    this.#host.clientClosed(this, reason, detail);
  }
}
