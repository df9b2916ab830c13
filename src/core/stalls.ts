/**
 * Connections that several clients share and that their broker does not read, or not as fast as they write: whoever sends
 * most gets one of its own. A broker that is slow for everybody is no reason for that.
 */
import { STALLED_MILLISECONDS } from './lane-lending.ts';
import type { Tenant } from './tenant.ts';
import type { Tenants } from './tenants.ts';

interface Looked {
  readonly tenants: Tenants | null;
  readonly session: { readonly owed: number };
  readonly transport: { stalledMilliseconds(now: number): number };
  isBehind(owed: number): boolean;
}

/**
 * @param elapsedMilliseconds since this was asked last
 * @returns how many seconds of them the broker did not take what was written, or was behind with it
 */
export function lookAtStall(upstream: Looked, now: number, elapsedMilliseconds: number): number {
  const { tenants, session, transport } = upstream;
  if (tenants === null) return 0;
  const isBehind = upstream.isBehind(session.owed);
  const untaken = transport.stalledMilliseconds(now);
  const mayIsolate = !tenants.tenancy.exclusive && tenants.size > 1;
  if (mayIsolate && (isBehind || untaken >= STALLED_MILLISECONDS)) cause(tenants)?.isolate?.();
  // Whoever has filled the connection waits since: what was written before it stopped is what counts.
  if (!isBehind && untaken === 0) for (const tenant of tenants) tenant.fadeSent?.();
  return (isBehind ? elapsedMilliseconds : Math.min(untaken, elapsedMilliseconds)) / 1000;
}

/** The one that has sent more than all others together and waits for answers, if somebody waits beside it. */
function cause(tenants: Tenants): Tenant | undefined {
  let allBytes = 0;
  let waiting = 0;
  let most: Tenant | undefined;
  for (const tenant of tenants) {
    const bytes = tenant.sentBytes ?? 0;
    allBytes += bytes;
    if (bytes > (most?.sentBytes ?? 0)) most = tenant;
    if (tenants.tenancy.owes(tenant)) waiting += 1;
  }
  if (most === undefined || waiting < 2 || 2 * (most.sentBytes ?? 0) <= allBytes) return undefined;
  return tenants.tenancy.owes(most) ? most : undefined;
}
