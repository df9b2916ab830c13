/** What holds between any two steps. Everything is read off the core; nothing is kept here. */
import { budgetOf, countErrands } from '../../src/core/budget.ts';
import type { Pool } from '../../src/core/pool.ts';
import type { Upstream } from '../../src/core/upstream.ts';
import type { CoreFixture } from '../support/core-fixture.ts';
import type { World } from './world.ts';

/** While somebody waits a pool looks this often, after a phase of reading: so late it may notice that a mute is over. */
const WATCH_MILLISECONDS = 10;

export function checkInvariants(core: CoreFixture): string[] {
  const wrong: string[] = [];
  const say = (holds: boolean, rule: string): void => {
    if (!holds) wrong.push(rule);
  };
  for (const pool of core.route.pools) checkPool(core, pool, say);
  checkClients(core, say);
  return wrong;
}

type Say = (holds: boolean, rule: string) => void;

function checkPool(core: CoreFixture, pool: Pool, say: Say): void {
  const now = core.clock.now();
  const idle = new Set(pool.idle);
  for (const upstream of pool.open) {
    const { id, state, tenant, session, errand } = upstream;
    say(state === 'using' || state === 'idle_marked' || state === 'before_release', `${id} is open and ${state}`);
    say(
      (state === 'using') !== idle.has(upstream),
      `${id} is ${state} and ${idle.has(upstream) ? 'idle' : 'not idle'}`,
    );
    if (state === 'using') {
      say(tenant !== null || errand !== 'none' || upstream.mutedUntil > 0, `${id} is in use by nobody`);
    } else {
      say(tenant === null && session.owed === 0 && errand === 'none', `${id} is ${state} and not quiet`);
      say(!session.unfenced && !session.inAnswer, `${id} is ${state} and not clean`);
    }
    if (tenant === null) say(!isPaused(core, upstream) || session.blocked, `${id} is paused for nobody`);
  }
  for (const upstream of idle) say(pool.open.has(upstream), `${upstream.id} is idle and not open`);
  for (const { id, state } of pool.closing) say(state === 'released', `${id} is closing and ${state}`);
  for (const { id, state } of pool.supply.upstreams()) say(state === 'dialing', `${id} is dialled and ${state}`);
  const waiters = pool.queue.urgent + pool.queue.ordinary;
  const looksLater = core.clock.waitingForInput > 0;
  const isLendable = ({ mutedUntil }: Upstream): boolean =>
    mutedUntil === 0 || (!looksLater && mutedUntil + WATCH_MILLISECONDS <= now);
  const lendable = [...idle].filter(isLendable).length;
  say(waiters <= countErrands(pool.open) || lendable === 0, `${waiters} wait while ${lendable} could be lent`);
  say(!pool.retired || pool.queue.size === 0, 'somebody waits at a retired pool');
}

function checkClients(core: CoreFixture, say: Say): void {
  const tenants = new Map<unknown, string>();
  for (const pool of core.route.pools) {
    for (const { id, tenant } of pool.open) if (tenant !== null) tenants.set(tenant, id);
  }
  const queued = new Set<unknown>();
  for (const pool of core.route.pools) for (const waiter of pool.queue) queued.add(waiter);
  for (const client of core.route.clients) {
    const { id, state, wire } = client;
    const [upstream = null] = client.upstreams;
    say(tenants.get(client) === upstream?.id, `${id} and ${upstream?.id ?? 'nothing'} disagree`);
    say(
      queued.has(client) === (state === 'waiting'),
      `${id} is ${state} and ${queued.has(client) ? '' : 'not '}queued`,
    );
    say(
      (upstream === null) === (state === 'idle') || state === 'waiting',
      `${id} is ${state} with ${upstream?.id ?? 'none'}`,
    );
    if (state === 'idle' && !wire.pending) {
      const paused = core.network.wires.find((fake) => fake === wire)?.paused === true;
      say(!paused, `${id} is idle and paused`);
    }
    tenants.delete(client);
  }
  for (const id of tenants.values()) say(false, `${id} belongs to a client that is gone`);
}

function isPaused(core: CoreFixture, upstream: Upstream): boolean {
  return core.network.wires.some((wire) => wire.handler === upstream && wire.paused);
}

/** Whether this dial may be made now; asked before the pool counts it. */
export function checkDial(world: World, dialled: Upstream): string | undefined {
  const { clock, route } = world.core;
  const pool = [...route.pools].find((candidate) => [...candidate.supply.upstreams()].includes(dialled));
  if (pool === undefined) return undefined;
  const { queue, supply, open, closing } = pool;
  const others = [...supply.upstreams()].filter((upstream) => upstream !== dialled).length;
  if (others >= 8) return `${dialled.id} is one dial too many`;
  if (queue.urgent > 0) return undefined;
  if (others > 0) return `${dialled.id} is a second dial for leased work`;
  const { slowAnswerMilliseconds, maxConnectionsPerBroker } = route.options.pool;
  const now = clock.now();
  const leaving = [...closing].filter(({ id }) => world.opened.has(id)).length;
  const pooled = [...open].filter((upstream) => budgetOf(upstream, now, slowAnswerMilliseconds) === 'pool').length;
  // A broker that failed a dial is asked again whether it is there, whatever else is open.
  if (supply.reachable && queue.ordinary > 0 && open.size > 0 && pooled + leaving >= maxConnectionsPerBroker)
    return `${dialled.id} is beyond the cap: ${pooled} pooled, ${leaving} closing`;
  return undefined;
}
