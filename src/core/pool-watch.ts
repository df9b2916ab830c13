/**
 * What only the passing of time tells a pool: waiters grow old, holders hold too long, a producer without answers has
 * fallen silent, a probe is not answered, a mute is over. One timer a pool, and none while nothing is pending.
 */

import { budgetOf } from './budget.ts';
import type { Timer } from './clock.ts';
import type { Pool } from './pool.ts';
import type { Upstream } from './upstream.ts';

const CROWDED_MILLISECONDS = 10;
const BUSY_MILLISECONDS = 100;
/** Silence after which a request without an answer is fenced. */
export const FENCE_AFTER_MILLISECONDS = 100;
const CHECK_TIMEOUT_MILLISECONDS = 2000;
const PARK_TIMEOUT_MILLISECONDS = 5000;
const REPORT_WAIT_AFTER_MILLISECONDS = 100;

export class PoolWatch {
  readonly #pool: Pool;
  #timer: Timer | null = null;
  #due = 0;
  #stopped = false;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Something is pending, or more than before. */
  arm(): void {
    const { clock } = this.#pool.context;
    const delay = this.#pool.queue.size > 0 ? CROWDED_MILLISECONDS : BUSY_MILLISECONDS;
    if (this.#timer !== null) {
      if (delay === BUSY_MILLISECONDS || this.#due - clock.now() <= delay) return;
      this.#timer.cancel();
    }
    this.#due = clock.now() + delay;
    this.#timer = clock.after(delay, this.#wake);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  readonly #wake = (): void => {
    this.#timer = null;
    // The process may have stood still: the sockets are read first, and judged then.
    this.#pool.context.clock.afterInput(this.#look);
  };

  readonly #look = (): void => {
    if (this.#stopped) return;
    const pool = this.#pool;
    const now = pool.context.clock.now();
    this.#lookAtWaiters(now);
    let busy = pool.queue.size > 0;
    const crowded = pool.queue.ordinary > 0;
    for (const upstream of [...pool.open]) {
      if (upstream.state !== 'using') continue;
      busy = true;
      this.#lookAtUpstream(upstream, now, crowded);
    }
    pool.resupply();
    if (busy && this.#timer === null) this.arm();
  };

  #lookAtWaiters(now: number): void {
    const { queue, context } = this.#pool;
    const { maxWaitMilliseconds } = context.options.pool;
    for (const waiter of queue) {
      const waited = now - waiter.wait.since;
      if (waited >= maxWaitMilliseconds) {
        queue.remove(waiter);
        waiter.refuse('wait_timeout', `waited ${maxWaitMilliseconds} ms for broker ${this.#pool.broker}`);
      } else if (waited >= REPORT_WAIT_AFTER_MILLISECONDS && !waiter.wait.isReported) {
        waiter.wait.isReported = true;
        context.waiting(this.#pool, waiter);
      }
    }
  }

  /** No sign of life in time; what was quiet for as long is as dead, and nobody is kept waiting to find that out. */
  #probeFailed(upstream: Upstream, now: number): void {
    const pool = this.#pool;
    const stale = now - pool.context.options.pool.validateAfterIdleSeconds * 1000;
    for (const other of [...pool.idle]) {
      if (other.lastTrafficTime < stale) pool.release(other, 'response_timeout', 'as quiet as one that gave no answer');
    }
    pool.broken(upstream, 'response_timeout', 'no answer to a probe before it was lent again');
  }

  #lookAtUpstream(upstream: Upstream, now: number, crowded: boolean): void {
    const { pool } = this.#pool.context.options;
    if (upstream.errand === 'check' && now - upstream.errandStart >= CHECK_TIMEOUT_MILLISECONDS) {
      this.#probeFailed(upstream, now);
      return;
    }
    if (upstream.errand === 'park' && now - upstream.errandStart >= PARK_TIMEOUT_MILLISECONDS) {
      this.#pool.broken(upstream, 'response_timeout', 'no answer to the closing of what was open there');
      return;
    }
    if (upstream.session.unfenced && upstream.errand === 'none' && upstream.session.owed === 0) {
      const silent = now - Math.max(upstream.sentTime, upstream.lastTrafficTime) >= FENCE_AFTER_MILLISECONDS;
      if (silent && upstream.tenant?.sending !== true) upstream.run('fence');
      return;
    }
    if (upstream.mutedUntil > 0 && upstream.mutedUntil <= now) {
      upstream.mutedUntil = 0;
      upstream.owedSince = now; // the broker did not read before
      upstream.settle();
    }
    if (!crowded || upstream.tenant === null || now - upstream.leaseStart < pool.leaseMaxHoldMilliseconds) return;
    if (budgetOf(upstream, now, pool.slowAnswerMilliseconds) === 'pool') upstream.yielding = true;
  }
}
