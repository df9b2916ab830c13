/**
 * The connections to one broker under one identity, and who waits for them.
 *
 * Invariants: an upstream is in `#open` from the moment it may be lent until it is released, in `idle` if and only if it
 * has no tenant and runs no errand of ours, and in `#closing` until its socket is gone. Nobody waits while an upstream
 * could be lent.
 */
import { Demand, type UpstreamTarget } from '../contract/protocol.ts';
import type { CloseReason, DialFailure, ReleaseReason } from '../contract/reasons.ts';
import type { Topology } from '../contract/topology.ts';
import { countPooled } from './budget.ts';
import { dialDetailOf, dialFailureOf } from './dial-failure.ts';
import type { Identity } from './identity.ts';
import { IdleStack } from './idle-stack.ts';
import { laneDialsWanted, purposesWanted, serveLanes } from './lane-lending.ts';
import { LeaseQueue } from './lease-queue.ts';
import { leaseDialsWanted, serveWaiters, takeQuiet } from './lending.ts';
import { addressOf } from './options.ts';
import { authenticate, condemn, cut, part } from './parting.ts';
import type { PoolContext } from './pool-context.ts';
import { PoolWatch } from './pool-watch.ts';
import { isDirty } from './safe-state.ts';
import type { Standing } from './standing.ts';
import { Supply } from './supply.ts';
import type { Waiter } from './tenant.ts';
import type { Tenants } from './tenants.ts';
import type { Upstream } from './upstream.ts';
import type { UpstreamOwner } from './upstream-owner.ts';

export class Pool implements UpstreamOwner {
  /** Metric label and view: the node, or `bootstrap`. */
  readonly broker: string;
  readonly identity: Identity;
  /** Who all of its connections are for the broker. */
  readonly standing: Standing;
  readonly queue = new LeaseQueue();
  readonly idle = new IdleStack();
  readonly supply: Supply;
  readonly context: PoolContext;
  readonly watch: PoolWatch;
  readonly #targets: () => readonly UpstreamTarget[];
  readonly #open = new Set<Upstream>();
  readonly #closing = new Set<Upstream>();
  #retired = false;

  /** @param targets where it may dial, tried in turn; more than one only for the bootstrap addresses */
  constructor(
    broker: string,
    identity: Identity,
    standing: Standing,
    targets: () => readonly UpstreamTarget[],
    context: PoolContext,
  ) {
    this.broker = broker;
    this.identity = identity;
    this.standing = standing;
    this.#targets = targets;
    this.context = context;
    this.watch = new PoolWatch(this);
    this.supply = new Supply(context, this, {
      identity: identity.name,
      purpose: () => (context.protocol.multiplexes ? (purposesWanted(this)[0] ?? '') : ''),
      standing,
      targets,
      serves: () => !this.asleep,
      refused: (failure, detail) => context.refused(this, failure, detail),
      unreachable: (wasReachable, failure) => this.#unreachable(wasReachable, failure),
      gaveUp: () => context.gaveUp(this),
      homeless: () => this.#refuseAll('broker_removed', `broker ${broker} is no longer part of the cluster`),
    });
  }

  get address(): string {
    return Array.from(this.#targets(), addressOf).join(',');
  }
  get open(): ReadonlySet<Upstream> {
    return this.#open;
  }
  get closing(): ReadonlySet<Upstream> {
    return this.#closing;
  }
  get asleep(): boolean {
    return this.#open.size === 0;
  }
  get retired(): boolean {
    return this.#retired;
  }

  // --- leasing ------------------------------------------------------------------------------------------------

  /** Lends an upstream now, or lets the client wait (null): then `granted`, `retry` or `refuse` follows. */
  acquire(waiter: Waiter, demand: Demand): Upstream | null {
    this.supply.asked();
    if (demand !== Demand.pool || this.queue.ordinary === 0) {
      const upstream = takeQuiet(this);
      if (typeof upstream === 'object') {
        upstream.use(waiter);
        this.watch.arm();
        return upstream;
      }
    }
    this.enqueue(waiter, demand);
    return null;
  }

  enqueue(waiter: Waiter, demand: Demand): void {
    this.queue.add(waiter, demand);
    this.#afterQueued(waiter);
  }

  /** The client waits until this broker was reached; then it is told to `retry`. */
  learn(waiter: Waiter): void {
    this.supply.asked();
    this.queue.addLearner(waiter);
    this.#afterQueued(waiter);
  }

  #afterQueued(waiter: Waiter): void {
    if (this.queue.size > this.context.options.pool.maxWaiters) {
      this.queue.remove(waiter);
      waiter.refuse('too_many_waiters', `more than pool.maxWaiters clients wait for broker ${this.broker}`);
      return;
    }
    this.resupply();
    this.watch.arm();
  }

  /** Serves those who wait, and opens connections for them if their kind of demand allows it. Harmless to call. */
  resupply(): void {
    const { queue, supply, context } = this;
    if (this.#retired || queue.size === 0) return;
    this.#serve();
    const now = context.clock.now();
    if (supply.isBarred(now) && supply.dialing === 0) {
      this.#refuseAll('upstream_unavailable', supply.why);
      return;
    }
    if (!supply.reachable) {
      supply.want();
      return;
    }
    const { multiplexes } = context.protocol;
    for (let wanted = multiplexes ? laneDialsWanted(this) : leaseDialsWanted(this, now); wanted > 0; wanted -= 1)
      supply.want();
  }

  #serve(): void {
    if (this.context.protocol.multiplexes) serveLanes(this);
    else serveWaiters(this);
  }

  /** Upstreams that count against `pool.maxConnectionsPerBroker`. */
  countPooled(now: number): number {
    return countPooled(this.#open, now, this.context.options.pool.slowAnswerMilliseconds);
  }

  /** The tenant of this upstream is gone. */
  tenantGone(upstream: Upstream): void {
    if (upstream.state !== 'released') {
      if (upstream.tenant?.pinnedHard === true)
        this.release(upstream, 'client_closed', 'the client that it was pinned to is gone');
      else if (isDirty(upstream)) this.release(upstream, 'abandoned', 'its client is gone and answers are owed');
    }
    upstream.leave();
    if (upstream.state === 'released') return;
    if (upstream.isFree()) this.quiet(upstream);
    else if (upstream.errand === 'none') this.#rest(upstream);
  }

  // --- what upstreams tell ------------------------------------------------------------------------------------

  opened(upstream: Upstream): void {
    const { context, supply } = this;
    const wasAsleep = this.asleep;
    supply.succeeded(upstream);
    upstream.lifetime.limitSession(upstream.session.lifetimeMilliseconds, context.random());
    upstream.use(null);
    this.#open.add(upstream);
    context.dialled(upstream, this, wasAsleep);
    upstream.forHousekeeping = !this.queue.hasWork;
    const onErrand = upstream.forHousekeeping && !this.#retired && upstream.run('refresh');
    if (onErrand || !upstream.isFree()) this.watch.arm();
    else this.quiet(upstream);
  }

  quiet(upstream: Upstream): void {
    const tenant = upstream.leave();
    const housekeepers = upstream.takeRenewed() ? this.queue.takeHousekeepers() : this.queue.takeLearners();
    if (tenant?.pinnedHard === true)
      this.release(upstream, 'client_closed', 'the client that it was pinned to has ended');
    else this.#rest(upstream);
    this.#serve();
    tenant?.detached();
    for (const housekeeper of housekeepers) housekeeper.retry();
    this.resupply();
  }

  #rest(upstream: Upstream): void {
    if (this.#retired || upstream.condemned !== null) {
      part(this, upstream, upstream.condemned ?? 'condemned', 'free at last');
      return;
    }
    const expiry = upstream.lifetime.expiry(this.context.clock.now());
    if (expiry !== undefined) {
      part(this, upstream, expiry.reason, expiry.detail);
    } else {
      upstream.markIdle();
      this.idle.push(upstream);
    }
  }

  named(topology: Topology): void {
    this.context.named(topology);
  }

  violated(detail: string): void {
    this.context.violated(detail);
  }

  authenticate(upstream: Upstream): void {
    authenticate(this, upstream);
  }

  broken(upstream: Upstream, reason: ReleaseReason, detail: string, failure?: DialFailure): void {
    if (upstream.state === 'released') return;
    if (upstream.state === 'dialing') {
      const told = dialDetailOf(reason, detail, upstream.session.closeHint);
      this.release(upstream, reason === 'cluster_changed' ? reason : 'dial_failed', told, true);
      const why = failure ?? dialFailureOf(reason, detail);
      this.context.dialFailed(upstream, this, why, told, this.supply.failed(upstream, why, told) ?? 0);
      return;
    }
    this.context.lost();
    this.supply.doubtful ||= this.#open.size === 1;
    cut(this, upstream, reason, detail, reason !== 'broker_closed');
    const { dialsAtAccept } = this.context.protocol;
    if (!dialsAtAccept && this.asleep && this.context.clientsOpen() && this.supply.dialing === 0) {
      this.supply.asked();
      this.supply.wantAfterLoss(upstream);
    }
    this.context.lostSome(this);
    this.resupply();
  }

  #unreachable(wasReachable: boolean, failure: DialFailure): void {
    this.context.unreachable(this, wasReachable, failure);
    this.#refuseAll('upstream_unavailable', `no connection to broker ${this.broker} at ${this.address}`);
  }

  #refuseAll(reason: CloseReason, detail: string): void {
    const turnedAway = reason === 'upstream_unavailable' && this.standing.refused;
    for (const waiter of this.queue.takeAll()) waiter.refuse(reason, detail, turnedAway);
  }

  closed(upstream: Upstream): void {
    this.#closing.delete(upstream);
    this.context.closed(this);
    this.resupply();
  }

  // --- letting go ---------------------------------------------------------------------------------------------

  /** A quiet connection is in use from now on. */
  rouse(upstream: Upstream): void {
    if (upstream.state === 'using') return;
    this.idle.remove(upstream);
    upstream.rouse();
    this.watch.arm();
  }

  release(upstream: Upstream, reason: ReleaseReason, detail: string, abruptly = false): void {
    const wasOpen = this.#open.delete(upstream);
    this.idle.remove(upstream);
    if (upstream.transport.hasSocket) this.#closing.add(upstream);
    else this.context.clock.afterInput(() => this.closed(upstream));
    upstream.release(abruptly);
    this.context.released(upstream, this, reason, detail, wasOpen);
    if (upstream.tenants !== null) this.#dissolve(upstream.tenants);
  }

  #dissolve(tenants: Tenants): void {
    const others = tenants.tenancy.gone();
    for (const tenant of tenants.dissolve()) tenant.detached();
    for (const tenant of others) tenant.answered();
  }

  /** This address is no longer the broker's. Answers who waited: they ask again elsewhere. */
  retire(): Waiter[] {
    this.#retired = true;
    this.supply.stop();
    for (const upstream of [...this.#open]) condemn(this, upstream, 'condemned', false);
    return this.queue.takeAll();
  }

  /** The end: everything goes now. */
  shutDown(): void {
    this.#retired = true;
    this.watch.stop();
    for (const upstream of [...this.supply.abandon(), ...this.#open]) {
      this.release(upstream, 'shutdown', 'shutdown');
      upstream.leave();
    }
  }
}
