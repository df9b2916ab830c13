/**
 * Who uses which of a pool's connections where one serves several clients: those that were dialled for the same purpose,
 * the least crowded first. The first one for a purpose is dialled at once, further ones only if none keeps up.
 */
import { Demand } from '../contract/protocol.ts';
import { MOST_DIALS } from './growth.ts';
import type { Lane } from './lane.ts';
import type { Pool } from './pool.ts';
import type { Waiter } from './tenant.ts';
import type { Upstream } from './upstream.ts';

/** A connection that the broker has not read from for so long keeps others waiting. */
export const STALLED_MILLISECONDS = 1000;

/** It gets a connection now, or `granted`, `retry` or `refuse` of the lane follows. */
export function join(pool: Pool, lane: Lane): void {
  pool.supply.asked();
  const upstream = connectionFor(pool, lane.purpose);
  if (upstream === undefined) {
    pool.enqueue(lane, Demand.hold);
  } else {
    settleIn(upstream, lane);
  }
}

function settleIn(upstream: Upstream, waiter: Waiter): void {
  upstream.tenants?.add(waiter);
  upstream.session.lend(waiter);
  waiter.granted(upstream);
}

function connectionFor(pool: Pool, purpose: string): Upstream | undefined {
  const now = pool.context.clock.now();
  let best: Upstream | undefined;
  let stalled: Upstream | undefined;
  let count = 0;
  for (const upstream of pool.open) {
    if (upstream.purpose !== purpose || upstream.condemned !== null) continue;
    if (upstream.lifetime.expiry(now) !== undefined && upstream.state !== 'using') continue;
    count += 1;
    if (upstream.transport.stalledMilliseconds(now) >= STALLED_MILLISECONDS) stalled = upstream;
    else if (best === undefined || crowdOf(upstream) < crowdOf(best)) best = upstream;
  }
  if (best !== undefined || stalled === undefined) return best;
  return count < pool.context.options.pool.maxConnectionsPerBroker ? undefined : stalled;
}

function crowdOf(upstream: Upstream): number {
  return upstream.tenants?.size ?? 0;
}

/** Those who wait get what there is now. */
export function serveLanes(pool: Pool): void {
  for (const waiter of [...pool.queue]) {
    // What the ones before did may have taken it off.
    const upstream = pool.queue.has(waiter) ? connectionFor(pool, waiter.purpose) : undefined;
    if (upstream === undefined) continue;
    pool.queue.remove(waiter);
    pool.context.waited(pool.context.clock.now() - waiter.wait.since);
    settleIn(upstream, waiter);
  }
}

/** The purposes that somebody waits for and nothing is dialled for. */
export function purposesWanted(pool: Pool): string[] {
  const wanted = new Set<string>();
  for (const { purpose } of pool.queue) wanted.add(purpose);
  for (const { purpose } of pool.supply.upstreams()) wanted.delete(purpose);
  return [...wanted];
}

export function laneDialsWanted(pool: Pool): number {
  return Math.min(purposesWanted(pool).length, MOST_DIALS - pool.supply.dialing);
}

/** Whether a request of a tenant may be written there now; one that was quiet for long must give a sign of life first. */
export function mayUse(pool: Pool, upstream: Upstream): boolean {
  if (upstream.errand !== 'none' || !upstream.mayTake()) return false;
  if (upstream.state === 'using') return true;
  const { clock, options } = pool.context;
  const stale = clock.now() - options.pool.validateAfterIdleSeconds * 1000;
  if (upstream.lastTrafficTime >= stale) return true;
  pool.rouse(upstream);
  return !upstream.run('check');
}

/** The client of this tenant is gone, or uses another connection from now on. */
export function leave(pool: Pool, upstream: Upstream, lane: Lane): void {
  const { tenants } = upstream;
  if (tenants === null || upstream.state === 'released') return;
  const inFrame = lane.sending || upstream.session.inAnswer;
  const { owed } = upstream.session;
  const bytes = tenants.tenancy.leave(lane);
  tenants.remove(lane);
  if (tenants.tenancy.exclusive) {
    pool.release(upstream, 'client_closed', 'the client that it was dialled for is gone', inFrame || upstream.pending);
  } else if (bytes !== undefined) {
    pool.rouse(upstream);
    upstream.sendOwn(bytes, owed);
  } else {
    upstream.settle();
  }
}
