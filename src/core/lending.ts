/** Which quiet upstream goes to whom: last used, first reused; first come, first served. */
import { countComing, countErrands } from './budget.ts';
import { dialsWanted } from './growth.ts';
import { invariant } from './invariant.ts';
import type { Pool } from './pool.ts';
import type { Upstream } from './upstream.ts';

/**
 * An upstream that may be lent this very moment, taken off. One that was quiet for long is asked for a sign of life first
 * (`checked`), unless as many are asked already as there are clients that wait.
 */
export function takeQuiet(pool: Pool, waiting = Number.POSITIVE_INFINITY): Upstream | 'checked' | undefined {
  const { idle, context } = pool;
  if (idle.size === 0) return undefined;
  const now = context.clock.now();
  const stale = now - context.options.pool.validateAfterIdleSeconds * 1000;
  for (;;) {
    const upstream = idle.pop(now, stale) ?? (waiting > countErrands(pool.open) ? idle.pop(now) : undefined);
    if (upstream === undefined) return undefined;
    const expiry = upstream.lifetime.expiry(now);
    if (expiry !== undefined) {
      pool.release(upstream, expiry.reason, expiry.detail);
      continue;
    }
    if (upstream.lastTrafficTime >= stale) return upstream;
    upstream.use(null);
    if (upstream.run('check')) return 'checked';
    upstream.leave();
    return upstream;
  }
}

/** Quiet upstreams go to those who wait, in order; each that must give a sign of life first is one that is coming. */
export function serveWaiters(pool: Pool): void {
  const { queue, context } = pool;
  while (queue.leases > 0) {
    const upstream = takeQuiet(pool, queue.leases);
    if (upstream === undefined) return;
    if (upstream === 'checked') continue;
    const waiter = queue.shift();
    invariant(waiter !== undefined, 'somebody waits');
    upstream.use(waiter);
    context.waited(context.clock.now() - waiter.wait.since);
    pool.watch.arm();
    waiter.granted(upstream);
  }
}

/** How many connections are dialled now for those who wait. */
export function leaseDialsWanted(pool: Pool, now: number): number {
  const { queue, supply, context, open, closing, asleep } = pool;
  const pooled = (): number => pool.countPooled(now) + closing.size;
  const coming = (): number => countComing(open, now - context.options.pool.slowAnswerMilliseconds);
  const needs = { ...queue.needs(now), dialing: supply.dialing, coming, asleep, pooled };
  return dialsWanted(needs, context.options.pool);
}
