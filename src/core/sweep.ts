/** What a coarse timer looks after in every pool: lingers, excess, age, and answers that never come. */
import { condemn, part } from './parting.ts';
import type { Pool } from './pool.ts';
import { isDirty } from './safe-state.ts';
import { lookAtStall } from './stalls.ts';
import type { Upstream } from './upstream.ts';

/** How often it looks. */
export const SWEEP_MILLISECONDS = 500;
const REPORT_IDLE_AFTER_MILLISECONDS = 1000;
/** Clients that are told by us that all is well would find out directly that their broker is dead: so long it may be silent. */
const SILENT_AT_MOST_MILLISECONDS = 60_000;

export interface SweepHooks {
  /** It has been quiet for a while. */
  idleMarked(pool: Pool, upstream: Upstream): void;
  warm(): number;
  /** For so long the broker did not take what was written to a connection that is shared. */
  stalled(pool: Pool, seconds: number): void;
}

/** @param now the injected clock's milliseconds */
export function sweepPool(pool: Pool, now: number, hooks: SweepHooks): void {
  const { options } = pool.context;
  const linger = options.housekeepingLingerSeconds * 1000;
  let excess = pool.countPooled(now) - options.pool.maxConnectionsPerBroker;
  let spare = pool.open.size - hooks.warm();
  for (const upstream of [...pool.idle]) {
    if (upstream.state !== 'idle_marked') continue;
    const quiet = now - upstream.idleMarkTime;
    const expiry = upstream.lifetime.expiry(now);
    if (expiry !== undefined) {
      part(pool, upstream, expiry.reason, expiry.detail);
    } else if (excess > 0 && quiet >= options.pool.excessLingerSeconds * 1000) {
      part(pool, upstream, 'excess', 'beyond pool.maxConnectionsPerBroker');
      excess -= 1;
    } else if (spare > 0 && upstream.lastWorkTime === null && quiet >= linger) {
      part(pool, upstream, 'housekeeping_done', 'it served housekeeping alone');
    } else {
      if (quiet >= REPORT_IDLE_AFTER_MILLISECONDS && !upstream.idleReported) {
        upstream.idleReported = true;
        hooks.idleMarked(pool, upstream);
      }
      continue;
    }
    spare -= 1;
  }
  for (const upstream of [...pool.open]) {
    const stalledSeconds = lookAtStall(upstream, now, SWEEP_MILLISECONDS);
    if (stalledSeconds > 0) hooks.stalled(pool, stalledSeconds);
    if (upstream.state !== 'using' || upstream.waitsForTenant) continue;
    if (isSilent(upstream, now)) upstream.run('check');
    if (upstream.session.owed === 0) {
      // Whoever is bound to this very connection must be told that it ends.
      const expiry = upstream.lifetime.expiry(now);
      if (expiry?.reason === 'session_expired' && isPinned(upstream) && !isDirty(upstream))
        condemn(pool, upstream, expiry.reason, true, expiry.detail);
      continue;
    }
    // Nothing can be answered while the only request is still on its way.
    const sending = upstream.session.owed === 1 && upstream.tenant?.sending === true;
    const since = sending ? upstream.sentTime : upstream.owedSince;
    // Where several ask, and brokers ask for signs of life, only answers count; what is pinned may be left without one.
    if (upstream.tenants !== null && isPinned(upstream)) continue;
    const heard = upstream.tenants === null ? upstream.lastTrafficTime : 0;
    const silent = now - Math.max(since, heard, upstream.mutedUntil);
    if (silent > options.limits.responseTimeoutSeconds * 1000 + upstream.session.patienceMilliseconds) {
      pool.broken(upstream, 'response_timeout', 'no byte of an answer that is owed for limits.responseTimeoutSeconds');
    }
  }
}

/** Somebody is bound to it and hears nothing; not in the middle of a request, for ours would be taken for a part of it. */
function isSilent(upstream: Upstream, now: number): boolean {
  const { tenants, errand, lastTrafficTime } = upstream;
  if (tenants === null || tenants.sending || errand !== 'none' || !isPinned(upstream)) return false;
  return now - lastTrafficTime >= SILENT_AT_MOST_MILLISECONDS;
}

function isPinned({ tenant, tenants }: Upstream): boolean {
  return tenant?.pinned === true || tenants?.tenancy.pinned === true;
}
