/** How many connections a pool dials now: a decision, made of numbers alone. */
import type { PoolOptions } from './options.ts';

/** Dials of one pool at once, for held and pinned requests; leased work dials one at a time. */
export const MOST_DIALS = 8;

export interface PoolNeeds {
  /** Held and pinned requests that wait. */
  readonly urgent: number;
  /** Requests that wait for a lease within the cap. */
  readonly ordinary: number;
  /** Clients that only want the broker to be reached once. */
  readonly learners: number;
  /** How long the first ordinary one has waited. */
  readonly waitedMilliseconds: number;
  readonly dialing: number;
  /** Open ones without a tenant that will be free soon: they run an errand of ours, or their greeting is throttled. */
  readonly coming: () => number;
  readonly asleep: boolean;
  /** Counts those that are open or not yet gone, within `pool.maxConnectionsPerBroker`. */
  readonly pooled: () => number;
}

export function dialsWanted(needs: PoolNeeds, options: PoolOptions): number {
  const { urgent, ordinary, learners, dialing, asleep } = needs;
  const hasWaited = needs.waitedMilliseconds >= options.growAfterWaitMilliseconds;
  // Most are served in no time: what must be counted is not counted for them.
  if (urgent + learners === 0 && !asleep && (ordinary === 0 || !hasWaited)) return 0;
  const coming = dialing + needs.coming();
  if (coming < urgent) return Math.max(0, Math.min(urgent - coming, MOST_DIALS - dialing));
  if (coming > 0 || ordinary + learners === 0) return 0;
  if (learners > 0 || asleep) return 1;
  return hasWaited && needs.pooled() < options.maxConnectionsPerBroker ? 1 : 0;
}
