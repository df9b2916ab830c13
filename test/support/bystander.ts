import type { Tenant } from '../../src/core/tenant.ts';

/** A tenant that lets everything happen. */
export const bystander: Tenant = {
  sending: false,
  pinned: false,
  pinnedHard: false,
  receive: () => true,
  answered: () => undefined,
  upstreamFlushed: () => undefined,
  onUpstreamEnd: () => false,
  upstreamLost: () => undefined,
  detached: () => undefined,
};
