/** The pools of one route, one for each broker and identity, and what their fortunes mean for the route. */
import { concernsIdentityAlone, type DialFailure, isLoginFailure, type ReleaseReason } from '../contract/reasons.ts';
import { BOOTSTRAP, type Topology } from '../contract/topology.ts';
import { Identity, type IdentityChange, type IdentityHooks } from './identity.ts';
import { invariant } from './invariant.ts';
import { Learner } from './learner.ts';
import { Pool } from './pool.ts';
import type { PoolContext } from './pool-context.ts';
import { PoolReports } from './pool-reports.ts';
import { RefusedLogins } from './refused-logins.ts';
import type { Route } from './route.ts';
import type { RouteClient } from './route-client.ts';
import type { Standing } from './standing.ts';
import type { Waiter } from './tenant.ts';
import type { Upstream } from './upstream.ts';
import type { Network } from './wire.ts';

export class BrokerPools implements PoolContext, IdentityHooks {
  readonly clock;
  readonly options;
  readonly protocol;
  readonly network: Network;
  readonly random: () => number;
  readonly refusedLogins: RefusedLogins;
  readonly #route: Route;
  readonly #reports: PoolReports;
  readonly #learner: Learner;
  readonly #identities = new Map<string, Identity>();
  /** Pools that lend nothing any more, until their last upstream is gone. */
  readonly #retired = new Set<Pool>();
  readonly #preference: number;
  /** Brokers that were told to be down. */
  readonly #down = new Set<string>();
  /** A broker was reached at least once. */
  #reached = false;
  #nextUpstream = 1;
  #whenEmpty: (() => void) | null = null;

  constructor(route: Route, network: Network, random: () => number) {
    this.#route = route;
    this.clock = route.clock;
    this.options = route.options;
    this.protocol = route.protocol;
    this.network = network;
    this.random = random;
    this.refusedLogins = new RefusedLogins(random);
    this.#reports = new PoolReports(route.name, route.clock, (event) => route.emit(event));
    this.#learner = new Learner(route, this);
    this.#preference = random();
  }

  *[Symbol.iterator](): Generator<Pool> {
    for (const identity of this.#identities.values()) yield* identity;
    yield* [...this.#retired];
  }

  get reached(): boolean {
    return this.#reached;
  }

  // --- identities -----------------------------------------------------------------------------------------------

  /** A broker that turns one identity away may serve another. */
  get #severalIdentities(): boolean {
    const [other] = this.#route.identities.others ?? [];
    return other !== undefined || this.#identities.size > 1;
  }

  /** Whose view of brokers is this client's: before it has authenticated, that of those who learn. */
  lookedAtBy({ session }: Pick<RouteClient, 'session'>): Identity {
    const { identity } = session;
    return identity === '' ? this.#learner.identity : this.identity(identity);
  }

  /** @throws {InvariantError} if there is none of that name: nobody may be taken for somebody else */
  identity(name: string): Identity {
    let identity = this.#identities.get(name);
    if (identity === undefined) {
      const source = this.#route.identities.find(name);
      invariant(source !== undefined, `there is no identity ${name}`);
      identity = new Identity(source, this);
      this.#identities.set(name, identity);
    }
    return identity;
  }

  /** A newer login of that identity was read, or it is gone. */
  identityChanged(name: string): void {
    const identity = this.#identities.get(name);
    if (identity === undefined || this.#route.stopped) return;
    const source = this.#route.identities.find(name);
    if (source !== undefined) {
      identity.read(source.login);
      return;
    }
    this.#identities.delete(name);
    identity.end();
    if (!this.#route.learnt) this.learn();
  }

  makePool(broker: string, identity: Identity, standing: Standing): Pool {
    return new Pool(broker, identity, standing, () => this.#route.topology.targets(broker), this);
  }

  changed(identity: Identity, change: IdentityChange, detail: string): void {
    // What brokers told one login another may not be told.
    this.protocol.invalidate();
    this.#route.emit({ type: 'identity.changed', route: this.#route.name, identity: identity.name, change, detail });
  }

  retire(pool: Pool): void {
    this.#retired.add(pool);
    const waiters = pool.retire();
    // What made the broker look dead is over.
    if (!pool.supply.reachable) this.#route.listeners.reopen(pool.broker, this.clock.now());
    this.#dropIfGone(pool);
    for (const waiter of waiters) waiter.retry();
  }

  // --- brokers --------------------------------------------------------------------------------------------------

  /** The pools of a broker under the logins in force. */
  of(broker: string): Pool[] {
    return [...this.#identities.values()].flatMap((identity) => identity.find(broker) ?? []);
  }

  /** Whether a broker (null: a bootstrap address) can be reached as far as we know. */
  isReachable(node: string | null, identity: Identity): boolean {
    return identity.find(node ?? BOOTSTRAP)?.supply.serviceable ?? true;
  }

  /** Whether it is honest to answer without that broker: it was reached last time, and not lost since. */
  isTrusted(node: string | null, identity: Identity): boolean {
    const supply = identity.find(node ?? BOOTSTRAP)?.supply;
    return supply === undefined || (supply.serviceable && !supply.doubtful);
  }

  /**
   * The broker for a client of the bootstrap listener: the one it has while that can be reached, else one that is awake,
   * else the one that this process prefers, so that a fleet spreads and a pod does not.
   */
  choose(current: string | null, identity: Identity): string | null {
    const known = this.#route.cluster.nodes.map((node) => node.node);
    if (current !== null && known.includes(current) && this.isReachable(current, identity)) return current;
    const reachable = known.filter((node) => this.isReachable(node, identity));
    const awake = reachable.find((node) => identity.find(node)?.asleep === false);
    return awake ?? reachable[Math.floor(this.#preference * reachable.length)] ?? null;
  }

  /** Asks a bootstrap address for the topology, now or as soon as it may. */
  learn(): void {
    this.#learner.learn();
  }

  /** The broker moved or is gone: its connections go when free, its waiters ask again. */
  replace(broker: string): void {
    for (const identity of this.#identities.values()) identity.forget(broker);
  }

  shutDown(): void {
    this.#learner.stop();
    for (const pool of this) pool.shutDown();
  }

  /** Resolves once every socket to a broker is gone. */
  emptied(): Promise<void> {
    if (this.#isEmpty()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenEmpty = resolve;
    });
  }

  #isEmpty(): boolean {
    for (const pool of this) if (!pool.asleep || pool.closing.size > 0 || pool.supply.dialing > 0) return false;
    return true;
  }

  closed(pool: Pool): void {
    this.#dropIfGone(pool);
    if (this.#whenEmpty !== null && this.#isEmpty()) this.#whenEmpty();
  }

  #dropIfGone(pool: Pool): void {
    if (pool.retired && pool.asleep && pool.closing.size === 0 && pool.supply.dialing === 0) this.#retired.delete(pool);
  }

  // --- what pools tell ------------------------------------------------------------------------------------------

  nextUpstreamId(): string {
    const id = `u${this.#nextUpstream}`;
    this.#nextUpstream += 1;
    return id;
  }

  clientsOpen(): boolean {
    return this.#route.clients.size > 0 && !this.#route.stopped;
  }

  dialled(upstream: Upstream, pool: Pool, wasAsleep: boolean): void {
    this.#reached = true;
    this.#reports.opened(upstream, pool, wasAsleep);
    this.#open(pool.broker);
    if (this.#down.delete(pool.broker)) this.#tellChange(pool, 'up');
    pool.identity.accepted(pool);
  }

  /** Where one broker serves, there is somebody to ask for the others. */
  #open(broker: string): void {
    const { listeners } = this.#route;
    listeners.reopen(broker, this.clock.now());
    if (broker !== BOOTSTRAP) listeners.reopen(BOOTSTRAP, this.clock.now());
  }

  refused(pool: Pool, failure: DialFailure, detail: string): boolean {
    return isLoginFailure(failure) && pool.identity.refused(pool, failure, detail);
  }

  dialFailed(upstream: Upstream, pool: Pool, reason: DialFailure, detail: string, retrySeconds: number): void {
    this.#reports.dialFailed(upstream, pool, reason, detail, retrySeconds);
  }

  unreachable(pool: Pool, wasReachable: boolean, failure: DialFailure): void {
    const { broker, identity } = pool;
    if (identity.isTrial(pool)) return;
    const isWell = concernsIdentityAlone(failure);
    if (isWell && this.#severalIdentities) {
      // Others must find an open door, there and wherever this one looked last and may not look any more.
      for (const its of identity) if (!its.supply.reachable) this.#open(its.broker);
      if (broker === BOOTSTRAP && this.#learner.isWanted) this.learn();
      return;
    }
    if (broker !== BOOTSTRAP || !this.#anyReachable(identity)) this.#route.listeners.shut(broker);
    // Its own line tells who was turned away, and why.
    if (wasReachable && !isWell && !this.#down.has(broker)) {
      this.#down.add(broker);
      this.#tellChange(pool, 'down');
    }
    if (broker !== BOOTSTRAP && !isWell && this.clientsOpen()) this.learn();
  }

  /** It was told to be, and was not reached since. */
  isDown(broker: string): boolean {
    return this.#down.has(broker);
  }

  #anyReachable(identity: Identity): boolean {
    return this.#route.cluster.nodes.some((known) => this.isReachable(known.node, identity));
  }

  gaveUp(pool: Pool): void {
    if (pool.identity.gaveUp(pool)) return;
    if (pool.broker === BOOTSTRAP && !this.#route.learnt) {
      pool.supply.asked();
      pool.supply.want();
    } else {
      this.#route.listeners.reopen(pool.broker, this.clock.now());
    }
  }

  lost(): void {
    this.protocol.invalidate();
  }

  lostSome(pool: Pool): void {
    if (!pool.asleep && this.clientsOpen()) this.learn();
  }

  released(upstream: Upstream, pool: Pool, reason: ReleaseReason, detail: string, wasOpen: boolean): void {
    this.#reports.released(upstream, pool, reason, detail, wasOpen);
  }

  named(topology: Topology): void {
    this.#route.topology.named(topology);
  }

  violated(detail: string): void {
    this.#route.violated(detail);
  }

  waited(milliseconds: number): void {
    this.#route.leaseWaitSeconds.observe(milliseconds / 1000);
  }

  waiting(pool: Pool, waiter: Waiter): void {
    this.#reports.waiting(pool, waiter);
  }

  #tellChange(pool: Pool, change: 'up' | 'down'): void {
    this.#reports.brokerIs(change, pool, this.#route.listeners.addressOf(pool.broker) ?? '');
  }
}
