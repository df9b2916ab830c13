/** The pools of one route, one for each broker and identity, and what their fortunes mean for the route. */
import type { DialFailure, ReleaseReason } from '../contract/reasons.ts';
import { BOOTSTRAP, type Topology } from '../contract/topology.ts';
import type { Timer } from './clock.ts';
import { addressOf } from './options.ts';
import { Pool } from './pool.ts';
import type { PoolContext } from './pool-context.ts';
import type { Route } from './route.ts';
import type { Waiter } from './tenant.ts';
import type { Upstream } from './upstream.ts';
import type { Network } from './wire.ts';

/** Who the broker takes us for. Without authentication everybody is the same. */
const ANONYMOUS = '';
/** The topology is asked for again at most so often after losses. */
const LEARN_AT_MOST_EVERY_MILLISECONDS = 1000;

export class BrokerPools implements PoolContext {
  readonly clock;
  readonly options;
  readonly protocol;
  readonly network: Network;
  readonly random: () => number;
  readonly #route: Route;
  readonly #pools = new Map<string, Pool>();
  /** Pools of addresses that are no longer a broker's, until their last upstream is gone. */
  readonly #retired = new Set<Pool>();
  readonly #preference: number;
  #nextUpstream = 1;
  #whenEmpty: (() => void) | null = null;
  #learnTime = Number.NEGATIVE_INFINITY;
  #learnLater: Timer | null = null;

  constructor(route: Route, network: Network, random: () => number) {
    this.#route = route;
    this.clock = route.clock;
    this.options = route.options;
    this.protocol = route.protocol;
    this.network = network;
    this.random = random;
    this.#preference = random();
  }

  *[Symbol.iterator](): Generator<Pool> {
    yield* [...this.#pools.values()];
    yield* [...this.#retired];
  }

  find(broker: string): Pool | undefined {
    return this.#pools.get(keyOf(broker, ANONYMOUS));
  }

  get(broker: string): Pool {
    const key = keyOf(broker, ANONYMOUS);
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = new Pool(broker, ANONYMOUS, () => this.#route.targets(broker), this);
      this.#pools.set(key, pool);
    }
    return pool;
  }

  /** Whether a broker (null: a bootstrap address) can be reached as far as we know. */
  isReachable(node: string | null): boolean {
    return this.find(node ?? BOOTSTRAP)?.supply.reachable ?? true;
  }

  /** Whether it is honest to answer without that broker: it was reached last time, and not lost since. */
  isTrusted(node: string | null): boolean {
    const supply = this.find(node ?? BOOTSTRAP)?.supply;
    return supply === undefined || (supply.reachable && !supply.doubtful);
  }

  /**
   * The broker for a client of the bootstrap listener: the one it has while that can be reached, else one that is awake,
   * else the one that this process prefers, so that a fleet spreads and a pod does not.
   */
  choose(current: string | null): string | null {
    const known = this.#route.cluster.nodes.map((node) => node.node);
    if (current !== null && known.includes(current) && this.isReachable(current)) return current;
    const reachable = known.filter((node) => this.isReachable(node));
    const awake = reachable.find((node) => this.find(node)?.asleep === false);
    return awake ?? reachable[Math.floor(this.#preference * reachable.length)] ?? null;
  }

  /** Asks a bootstrap address for the topology, now or as soon as it may. */
  learn(): void {
    if (this.#route.stopped || this.#learnLater !== null) return;
    const { supply } = this.get(BOOTSTRAP);
    const dials = [...supply.upstreams()];
    if (dials.some((upstream) => upstream.session.owed === 0)) return; // it has not asked yet: its answer will be new
    const wait = dials.length > 0 ? 0 : this.clock.now() - this.#learnTime;
    if (wait >= LEARN_AT_MOST_EVERY_MILLISECONDS) {
      this.#learnTime = this.clock.now();
      supply.asked();
      supply.want();
      return;
    }
    this.#learnLater = this.clock.after(LEARN_AT_MOST_EVERY_MILLISECONDS - wait, () => {
      this.#learnLater = null;
      if (this.clientsOpen()) this.learn();
    });
  }

  /** The broker moved or is gone: its connections go when free, its waiters ask again. */
  replace(broker: string): void {
    const key = keyOf(broker, ANONYMOUS);
    const pool = this.#pools.get(key);
    if (pool === undefined) return;
    this.#pools.delete(key);
    this.#retired.add(pool);
    const waiters = pool.retire();
    this.#dropIfGone(pool);
    for (const waiter of waiters) waiter.retry();
  }

  shutDown(): void {
    this.#learnLater?.cancel();
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

  dialled(upstream: Upstream, pool: Pool, wasAsleep: boolean, wasUnreachable: boolean): void {
    const dialSeconds = (this.clock.now() - upstream.createTime) / 1000;
    const { name: route } = this.#route;
    const { broker } = pool;
    this.#route.emit({
      type: 'upstream.connected',
      route,
      broker,
      upstream: upstream.id,
      address: addressOf(upstream.target),
      dialSeconds,
    });
    if (wasAsleep) this.#route.emit({ type: 'pool.awake', route, broker, dialSeconds, clients: pool.queue.size });
    this.#route.listeners.reopen(broker, this.clock.now());
    if (broker !== BOOTSTRAP) this.#route.listeners.reopen(BOOTSTRAP, this.clock.now());
    if (wasUnreachable) this.#tellChange(pool, 'up');
  }

  dialFailed(upstream: Upstream, pool: Pool, reason: DialFailure, detail: string, retrySeconds: number): void {
    const { name: route } = this.#route;
    const address = addressOf(upstream.target);
    this.#route.emit({
      type: 'upstream.dial_failed',
      route,
      broker: pool.broker,
      address,
      reason,
      detail,
      retrySeconds,
    });
  }

  unreachable(pool: Pool, wasReachable: boolean): void {
    if (pool.broker !== BOOTSTRAP || !this.#anyReachable()) this.#route.listeners.shut(pool.broker);
    if (wasReachable) this.#tellChange(pool, 'down');
    if (pool.broker !== BOOTSTRAP && this.clientsOpen()) this.learn();
  }

  #anyReachable(): boolean {
    return this.#route.cluster.nodes.some((known) => this.isReachable(known.node));
  }

  gaveUp(pool: Pool): void {
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
    const now = this.clock.now();
    const { name: route } = this.#route;
    const { broker } = pool;
    this.#route.emit({
      type: 'upstream.released',
      route,
      broker,
      upstream: upstream.id,
      reason,
      detail,
      ageSeconds: (now - upstream.createTime) / 1000,
      idleSeconds: upstream.lastWorkTime === null ? null : (now - upstream.lastWorkTime) / 1000,
      opened: wasOpen,
    });
    if (wasOpen && pool.asleep) this.#route.emit({ type: 'pool.asleep', route, broker });
  }

  named(topology: Topology): void {
    this.#route.named(topology);
  }

  violated(detail: string): void {
    this.#route.violated(detail);
  }

  waited(milliseconds: number): void {
    this.#route.leaseWaitSeconds.observe(milliseconds / 1000);
  }

  waiting(pool: Pool, waiter: Waiter): void {
    const ageSeconds = (this.clock.now() - waiter.waitSince) / 1000;
    const { name: route } = this.#route;
    this.#route.emit({
      type: 'lease.waiting',
      route,
      broker: pool.broker,
      client: waiter.id,
      ageSeconds,
      waiters: pool.queue.size,
    });
  }

  #tellChange(pool: Pool, change: 'up' | 'down'): void {
    const local = this.#route.listeners.addressOf(pool.broker) ?? '';
    this.#route.emit({
      type: 'broker.changed',
      route: this.#route.name,
      broker: pool.broker,
      change,
      address: pool.address,
      local,
    });
  }
}

function keyOf(broker: string, identity: string): string {
  // Asked for with every request: nothing is put together for those who are nobody in particular.
  return identity === ANONYMOUS ? broker : `${broker} ${identity}`;
}
