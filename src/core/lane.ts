/**
 * What one client does over one connection of a kind that is shared: a tenant of it, or a waiter for it. A client has a
 * lane for each broker and purpose; its requests take turns on them, one after the other.
 */
import type { CloseReason } from '../contract/reasons.ts';
import { invariant } from './invariant.ts';
import type { LaneClient } from './lane-client.ts';
import { join, leave, mayUse } from './lane-lending.ts';
import type { Waiter } from './tenant.ts';
import type { Upstream } from './upstream.ts';
import { Wait } from './wait.ts';

export class Lane implements Waiter {
  readonly client: LaneClient;
  readonly node: string;
  readonly purpose: string;
  readonly pinned = false;
  readonly pinnedHard = false;
  upstream: Upstream | null = null;
  /** In the middle of a request of its client's. */
  sending = false;
  /** Written, less half of it whenever it is looked at. */
  sentBytes = 0;
  readonly wait = new Wait();
  #isWaiting = false;
  /** The client goes on by itself. */
  #isAcquiring = false;

  constructor(client: LaneClient, node: string, purpose: string) {
    this.client = client;
    this.node = node;
    this.purpose = purpose;
  }

  get id(): string {
    return this.client.id;
  }
  get waiting(): boolean {
    return this.#isWaiting;
  }
  get #exclusive(): boolean {
    return this.upstream?.tenants?.tenancy.exclusive === true;
  }

  /** True: it has a connection that takes one more request; false: it waits for one, or its client was closed. */
  acquire(withWork: boolean, now: number): boolean {
    if (this.upstream === null) {
      if (this.#isWaiting) return false;
      const pool = this.wait.begin(this.client.poolOf(this.node), withWork, now);
      this.#isWaiting = true;
      this.#isAcquiring = true;
      join(pool, this);
      this.#isAcquiring = false;
      if (this.upstream === null) return false;
    }
    const upstream: Upstream = this.upstream;
    // It is being taken off that one: `detached` or `upstreamLost` follows.
    if (upstream.state === 'released') return false;
    const { pool } = this.wait;
    invariant(pool !== null, 'whoever has a connection has waited for it');
    if (mayUse(pool, upstream)) return true;
    upstream.tenants?.wait(this);
    return false;
  }

  /** Before a request is written: the connection is in use from now on. */
  rouse(): Upstream {
    const { upstream } = this;
    invariant(upstream !== null, 'a lane in use has a connection');
    this.wait.pool?.rouse(upstream);
    return upstream;
  }

  granted(upstream: Upstream): void {
    this.#isWaiting = false;
    this.upstream = upstream;
    const { client } = this;
    if (this.wait.foundAsleep) client.resumed(this.wait.since);
    if (!this.#isAcquiring) client.goOn();
  }

  retry(): void {
    this.#isWaiting = false;
    this.client.goOn();
  }

  refuse(reason: CloseReason, detail: string, turnedAway = false): void {
    this.#isWaiting = false;
    if (turnedAway && this.client.session.routing?.turnedAway() === true) this.client.goOn();
    else this.client.close(reason, detail, 'reset');
  }

  receive(bytes: Buffer): boolean {
    return this.client.deliver(this, bytes, this.#exclusive);
  }

  toldPart(isInFrame: boolean): void {
    this.client.toldPart(this, isInFrame);
  }

  answered(): void {
    this.client.goOn();
  }

  fadeSent(): void {
    this.sentBytes = Math.floor(this.sentBytes / 2);
  }

  isolate(): void {
    this.client.session.routing?.isolate();
  }

  again(request: Buffer): void {
    this.client.sendFirst(request);
  }

  expel(reason: CloseReason, detail: string): void {
    this.client.close(reason, detail, 'end');
  }

  upstreamFlushed(): void {
    this.client.upstreamFlushed();
  }

  onUpstreamEnd(): boolean {
    return false;
  }

  upstreamLost(reset: boolean, detail: string): void {
    this.upstream = null;
    this.client.close('upstream_lost', detail, reset ? 'reset' : 'end');
  }

  detached(): void {
    this.upstream = null;
    this.client.goOn();
  }

  /** An answer is owed to it; what it has open there is another matter. */
  get isOwed(): boolean {
    const { session, tenants } = this.upstream ?? {};
    if (session === undefined || tenants == null) return false;
    return tenants.tenancy.exclusive ? session.owed > 0 || session.inAnswer : tenants.tenancy.owes(this);
  }

  /** True: something of its own is under way; it is told by `answered` when that may be over. */
  wouldLose(): boolean {
    const { upstream } = this;
    const tenants = upstream?.tenants ?? null;
    if (upstream === null || tenants === null) return false;
    const isBusy = upstream.pending || upstream.session.inAnswer || upstream.errand !== 'none';
    if (!isBusy && !tenants.tenancy.owes(this)) return false;
    tenants.wait(this);
    return true;
  }

  /** It is not used any more: what is open there is closed. */
  leave(): void {
    this.wait.end(this);
    this.#isWaiting = false;
    const { upstream } = this;
    this.upstream = null;
    if (upstream !== null && this.wait.pool !== null) leave(this.wait.pool, upstream, this);
  }
}
