/** What becomes of a route's pools, as events. */
import type { DialFailure, ReleaseReason } from '../contract/reasons.ts';
import type { Clock } from './clock.ts';
import type { Observer } from './events.ts';
import { addressOf } from './options.ts';
import type { Pool } from './pool.ts';
import type { Waiter } from './tenant.ts';
import type { Upstream } from './upstream.ts';

export class PoolReports {
  readonly #route: string;
  readonly #clock: Clock;
  readonly #emit: Observer;

  constructor(route: string, clock: Clock, emit: Observer) {
    this.#route = route;
    this.#clock = clock;
    this.#emit = emit;
  }

  opened(upstream: Upstream, pool: Pool, wasAsleep: boolean): void {
    const dialSeconds = (this.#clock.now() - upstream.createTime) / 1000;
    const about = { route: this.#route, broker: pool.broker };
    this.#emit({
      type: 'upstream.connected',
      ...about,
      identity: pool.identity.name,
      upstream: upstream.id,
      address: addressOf(upstream.target),
      dialSeconds,
    });
    if (wasAsleep) this.#emit({ type: 'pool.awake', ...about, dialSeconds, clients: pool.queue.size });
  }

  dialFailed(upstream: Upstream, pool: Pool, reason: DialFailure, detail: string, retrySeconds: number): void {
    this.#emit({
      type: 'upstream.dial_failed',
      route: this.#route,
      broker: pool.broker,
      identity: pool.identity.name,
      address: addressOf(upstream.target),
      reason,
      detail,
      retrySeconds,
    });
  }

  released(upstream: Upstream, pool: Pool, reason: ReleaseReason, detail: string, opened: boolean): void {
    const now = this.#clock.now();
    const about = { route: this.#route, broker: pool.broker };
    this.#emit({
      type: 'upstream.released',
      ...about,
      upstream: upstream.id,
      reason,
      detail,
      ageSeconds: (now - upstream.createTime) / 1000,
      idleSeconds: upstream.lastWorkTime === null ? null : (now - upstream.lastWorkTime) / 1000,
      opened,
    });
    if (opened && pool.asleep) this.#emit({ type: 'pool.asleep', ...about });
  }

  waiting(pool: Pool, waiter: Waiter): void {
    this.#emit({
      type: 'lease.waiting',
      route: this.#route,
      broker: pool.broker,
      client: waiter.id,
      ageSeconds: (this.#clock.now() - waiter.wait.since) / 1000,
      waiters: pool.queue.size,
    });
  }

  /** @param local where applications reach it, or '' */
  brokerIs(change: 'up' | 'down', pool: Pool, local: string): void {
    const { broker, address } = pool;
    this.#emit({ type: 'broker.changed', route: this.#route, broker, change, address, local });
  }
}
