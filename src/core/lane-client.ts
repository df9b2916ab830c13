/**
 * One socket of the application whose requests go over several connections, each of which may serve other clients too.
 * What it sees is what it would see directly: if a connection breaks on which something of its own was under way, its
 * socket is closed; if nothing was, it does not learn of it.
 */
import type { ClientSession } from '../contract/protocol.ts';
import type { CloseReason } from '../contract/reasons.ts';
import type { LaneHost } from './client-host.ts';
import type { Timer } from './clock.ts';
import { dismissLater } from './dismissal.ts';
import { sayFarewell } from './farewell.ts';
import { invariant } from './invariant.ts';
import { Lane } from './lane.ts';
import { LaneOutput } from './lane-output.ts';
import { LaneRelay, type LaneRelayClient } from './lane-relay.ts';
import { Lanes } from './lanes.ts';
import type { Pool } from './pool.ts';
import type { ClientState, RouteClient } from './route-client.ts';
import type { Upstream } from './upstream.ts';
import type { Wire, WireEnd, WireHandler } from './wire.ts';

export class LaneClient implements WireHandler, LaneRelayClient, RouteClient {
  readonly number: number;
  readonly listener: string;
  readonly session: ClientSession;
  readonly wire: Wire;
  readonly createTime: number;
  readonly relay: LaneRelay;
  readonly pinnedHard = false;
  /** Where its last request went. */
  node: string | null;
  lastWorkTime: number | null = null;
  /** When its turn began, in the injected clock's milliseconds. */
  now: number;
  lastInputTime: number;
  lastOutputTime = 0;
  unsentBytes = 0;
  readonly #host: LaneHost;
  readonly #output: LaneOutput;
  readonly #lanes = new Lanes();
  /** Since when its next request has waited for what a broker was asked before. */
  #blockedSince: number | null = null;
  #closed = false;
  #ended = false;
  #farewell: Timer | null = null;

  constructor(
    number: number,
    listener: string,
    node: string | null,
    session: ClientSession,
    wire: Wire,
    host: LaneHost,
  ) {
    this.number = number;
    this.listener = listener;
    this.node = node;
    this.session = session;
    this.wire = wire;
    this.#host = host;
    this.relay = new LaneRelay(this, wire);
    this.#output = new LaneOutput(wire);
    this.createTime = host.clock.now();
    this.lastInputTime = this.createTime;
    this.now = this.createTime;
    session.routing?.attach((frame) => {
      if (!this.#closed) this.#contained(() => this.receive(frame));
    });
  }

  get id(): string {
    return `c${this.number}`;
  }
  get closed(): boolean {
    return this.#closed;
  }
  get state(): ClientState {
    if (this.#closed) return 'closed';
    if (this.#isWaiting) return 'waiting';
    return this.#isOwed ? 'attached' : 'idle';
  }
  get #isWaiting(): boolean {
    if (this.#blockedSince !== null) return true;
    for (const lane of this.#lanes) if (lane.waiting) return true;
    return false;
  }
  get #isOwed(): boolean {
    for (const lane of this.#lanes) if (lane.upstream?.tenants?.tenancy.owes(lane) === true) return true;
    return false;
  }
  get upstreams(): readonly Upstream[] {
    return [...this.#lanes].flatMap(({ upstream }) => upstream ?? []);
  }
  get pinned(): boolean {
    return this.session.pinned && !this.#ended;
  }
  get quiet(): boolean {
    if (this.#closed || this.relay.sending || this.relay.holding || this.#isWaiting) return false;
    for (const lane of this.#lanes) if (lane.isOwed) return false;
    return true;
  }
  get stalledSince(): number {
    if (this.wire.pending) return Math.max(this.lastInputTime, this.lastOutputTime);
    const inRequest = this.relay.sending || (this.relay.holding && this.relay.incomplete);
    return inRequest && !this.relay.paused ? this.lastInputTime : Number.POSITIVE_INFINITY;
  }
  get blockedSince(): number {
    return this.#blockedSince ?? Number.POSITIVE_INFINITY;
  }

  // --- from the application -------------------------------------------------------------------------------------

  onBytes(bytes: Buffer, length: number): void {
    if (this.#closed) return;
    this.lastInputTime = this.#host.clock.now();
    this.#host.bytesFromClients += length;
    this.#contained(() => this.relay.feed(length === bytes.length ? bytes : bytes.subarray(0, length)));
  }

  /** The socket whose state nobody knows any more goes, and nobody else's. */
  #contained(act: () => void): void {
    this.now = this.#host.clock.now();
    try {
      act();
      if (this.#ended && !this.relay.awaitsReader && (!this.relay.holding || this.relay.incomplete))
        this.close('client_closed', '', 'end');
    } catch (error) {
      this.#host.violated(String(error));
      this.close('protocol_error', 'a fault of the sidecar', 'reset');
    }
  }

  onEnd(): void {
    if (this.#closed) {
      if (!this.wire.pending) this.wire.destroy(); // else it goes behind our last words
      return;
    }
    this.#ended = true;
    this.goOn();
  }

  onFlushed(): void {
    this.lastOutputTime = this.#host.clock.now();
    for (const lane of this.#lanes) lane.upstream?.tenantFlushed();
    if (this.relay.awaitsReader && !this.wire.pending) this.goOn();
  }

  onClosed(how: WireEnd, detail: string): void {
    this.#farewell?.cancel();
    this.close(how === 'closed' ? 'client_closed' : 'client_reset', detail, 'gone');
  }

  // --- what the relay needs -------------------------------------------------------------------------------------

  get unread(): boolean {
    return this.wire.pending;
  }
  get wholeFrameBytes(): number {
    return this.#host.options.limits.wholeFrameBytes;
  }
  get unsent(): boolean {
    for (const lane of this.#lanes) if (lane.upstream?.pending === true) return true;
    return false;
  }

  mayAnswer(): boolean {
    return this.#host.mayAnswer(this);
  }

  learn(): boolean {
    return this.#acquire() !== null;
  }

  lane(): Lane | null {
    const { routing } = this.session;
    // As long as a broker takes for what is under way there, which has a bound of its own.
    if (routing !== undefined && routing.previous !== null && !this.#hasLeft(routing.node, routing.previous))
      return null;
    const lane = this.#acquire();
    if (lane === null) return null;
    const { upstream } = lane;
    const tenants = upstream?.tenants ?? null;
    invariant(upstream !== null && tenants !== null, 'a lane is a tenant of a connection that may be shared');
    const { owed } = upstream.session;
    const preparation = tenants.tenancy.prepare(this.session, lane);
    if (preparation === null) {
      this.dealtWith();
      if (this.session.work) this.lastWorkTime = this.now;
      return lane;
    }
    this.#blockedSince ??= this.now;
    if (preparation !== undefined) {
      this.relay.flush();
      lane.rouse().sendOwn(preparation, owed);
    }
    return null;
  }

  dealtWith(): void {
    this.#blockedSince = null;
  }

  /** The lane of the inspected request; null: it waits for a connection, or the client was closed. */
  #acquire(): Lane | null {
    const { routing, work } = this.session;
    invariant(routing !== undefined, 'a client with lanes says where its requests go');
    const { node, purpose } = routing;
    this.node = node;
    let lane = this.#lanes.find(node, purpose);
    if (lane === undefined) {
      lane = new Lane(this, node, purpose);
      this.#lanes.add(lane);
    }
    if (lane.acquire(work, this.now)) return lane;
    // For a connection it waits as long as others do, with the bound of the pool.
    if (!lane.waiting && !this.#closed) this.#blockedSince ??= this.now;
    return null;
  }

  poolOf(node: string): Pool {
    return this.#host.poolOf(node, this.session.identity);
  }

  /** It leaves once it would lose nothing by that. */
  #hasLeft(node: string, purpose: string): boolean {
    const lane = this.#lanes.find(node, purpose);
    if (lane === undefined) return true;
    this.relay.flush();
    if (lane.wouldLose()) return false;
    this.#lanes.delete(lane);
    lane.leave();
    return true;
  }

  giveUp(reason: CloseReason, detail: string, lastWords?: Buffer): void {
    if (lastWords === undefined) this.close(reason, detail, 'end');
    else this.#farewell = dismissLater(this, this.#host.clock, lastWords, reason, detail);
  }

  // --- what its lanes tell --------------------------------------------------------------------------------------

  goOn(): void {
    if (!this.#closed) this.#contained(() => this.relay.goOn());
  }

  sendFirst(request: Buffer): void {
    if (!this.#closed) this.#contained(() => this.relay.sendFirst(request));
  }

  upstreamFlushed(): void {
    this.relay.resume();
  }

  resumed(since: number): void {
    this.#host.resumed(this.#host.clock.now() - since);
  }

  receive(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#host.bytesToClients += bytes.length;
    this.#output.write(null, bytes);
  }

  /**
   * @param isKept the buffer stays as it is until it was taken: the connection is this client's alone, and is not read
   * @returns false: not all was taken, `tenantFlushed` of the connection follows
   */
  deliver(lane: Lane, bytes: Buffer, isKept: boolean): boolean {
    if (this.#closed) return true;
    this.#host.bytesToClients += bytes.length;
    const taken = this.#output.write(lane, isKept ? bytes : Buffer.from(bytes));
    if (!taken) this.lastOutputTime = this.#host.clock.now();
    if (this.#output.unsentBytes > this.#mostUnsentBytes) {
      const { clock } = this.#host;
      clock.afterInput(() => this.close('stalled', 'it does not read what it is sent', 'reset'));
    }
    return isKept ? taken : true;
  }

  /** One answer of the largest size may wait, and some more. */
  get #mostUnsentBytes(): number {
    return this.#host.options.limits.maxFrameBytes + 1024 * 1024;
  }

  toldPart(lane: Lane, isInFrame: boolean): void {
    this.#output.told(lane, isInFrame);
  }

  /** @param manner `end`: FIN behind what was written; `reset`: RST, as from a dead broker; `gone`: the socket is closed */
  close(reason: CloseReason, detail: string, manner: 'end' | 'reset' | 'gone'): void {
    if (this.#closed) return;
    this.relay.flush(); // what was admitted is owed
    this.#closed = true;
    if (manner === 'reset') {
      this.wire.reset();
    } else if (manner === 'end') {
      this.#farewell = sayFarewell(this.wire, this.#host.clock, this.#host.stallMilliseconds);
      if (!this.unsent) this.wire.resume();
    }
    this.session.close(); // those who wait for what it leaves may go on at once
    const lanes = [...this.#lanes];
    this.#lanes.clear();
    for (const lane of lanes) lane.leave();
    this.relay.drop();
    this.#host.clientClosed(this, reason, detail);
  }
}
