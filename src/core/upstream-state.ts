/**
 * The states of an upstream, with the names of PIP-165, and one before and one after.
 *
 *   dialing --ok--> using <--- lease / rescue --- idle_marked --> before_release --> released
 *      |              |                                ^                |
 *      |              '----- quiet (nothing owed) -----'                '--> using | idle_marked (rescued)
 *      '--fail--> released                    any state --error, FIN, dirty, condemned--> released
 */
import { invariant } from './invariant.ts';
import type { UpstreamState } from './views.ts';

const MOVES: Readonly<Record<UpstreamState, readonly UpstreamState[]>> = {
  dialing: ['using', 'released'],
  using: ['idle_marked', 'released'],
  idle_marked: ['using', 'before_release', 'released'],
  before_release: ['using', 'idle_marked', 'released'],
  released: [],
};

/** The state after a move; an impossible one throws. */
export function moved(from: UpstreamState, to: UpstreamState): UpstreamState {
  invariant(MOVES[from].includes(to), `an upstream cannot move from ${from} to ${to}`);
  return to;
}
