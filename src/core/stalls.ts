/** Connections that several clients share and that their broker does not read: whoever sends most gets one of its own. */
import { STALLED_MILLISECONDS } from './lane-lending.ts';
import type { Tenant } from './tenant.ts';
import type { Tenants } from './tenants.ts';

interface Looked {
  readonly tenants: Tenants | null;
  readonly transport: { stalledMilliseconds(now: number): number };
}

/**
 * @param elapsedMilliseconds since this was asked last
 * @returns how many seconds of them the broker did not take what was written
 */
export function lookAtStall({ tenants, transport }: Looked, now: number, elapsedMilliseconds: number): number {
  if (tenants === null) return 0;
  const stalled = transport.stalledMilliseconds(now);
  if (stalled >= STALLED_MILLISECONDS && !tenants.tenancy.exclusive && tenants.size > 1) hottest(tenants)?.isolate?.();
  // Whoever has filled the connection waits since: what was written when it stopped is what counts.
  if (stalled === 0) for (const tenant of tenants) tenant.forgetSent?.();
  return Math.min(stalled, elapsedMilliseconds) / 1000;
}

function hottest(tenants: Iterable<Tenant>): Tenant | undefined {
  let most: Tenant | undefined;
  for (const tenant of tenants) if ((tenant.sentBytes ?? 0) > (most?.sentBytes ?? 0)) most = tenant;
  return most;
}
