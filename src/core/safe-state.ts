/** What may be done with a connection, judged by all that may be under way on it. */
import type { Upstream } from './upstream.ts';

/** Something of the tenant's is under way: the connection must not outlive it, nor it the connection. */
export function isDirty({ session, tenant, waitsForTenant }: Upstream): boolean {
  if (session.owed > 0 || session.inAnswer || session.unfenced || waitsForTenant) return true;
  return tenant?.sending === true;
}

/**
 * The safe state: nothing in flight, both parsers at a boundary, nothing unsent, not pinned, not muted.
 *
 * @param now the injected clock's milliseconds
 */
export function isFree(
  { session, tenant, tenants, errand, waitsForTenant, pending, mutedUntil }: Upstream,
  now: number,
): boolean {
  if (session.owed > 0 || session.inAnswer || session.blocked || session.unfenced) return false;
  if (errand !== 'none' || waitsForTenant || pending) return false;
  if (tenant !== null && (tenant.sending || tenant.pinned)) return false;
  if (tenants !== null && (tenants.tenancy.pinned || tenants.sending)) return false;
  return mutedUntil === 0 || mutedUntil <= now;
}
