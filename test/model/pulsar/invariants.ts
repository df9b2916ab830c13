/** What holds between any two steps. Everything is read off the core; nothing is kept here. */
import type { Pool } from '../../../src/core/pool.ts';
import type { World } from './world.ts';

type Say = (holds: boolean, rule: string) => void;

export function checkInvariants(world: World): string[] {
  const wrong: string[] = [];
  const say: Say = (holds, rule) => {
    if (!holds) wrong.push(rule);
  };
  for (const pool of world.sidecar.route.pools) checkPool(world, pool, say);
  return wrong;
}

function checkPool({ options, sidecar }: World, pool: Pool, say: Say): void {
  const idle = new Set(pool.idle);
  const counts = new Map<string, number>();
  const count = (purpose: string): void => void counts.set(purpose, (counts.get(purpose) ?? 0) + 1);
  for (const upstream of pool.open) {
    const { id, state, session, errand, purpose, condemned, tenants } = upstream;
    if (condemned === null) count(purpose);
    say(state === 'using' || state === 'idle_marked' || state === 'before_release', `${id} is open and ${state}`);
    say((state === 'using') !== idle.has(upstream), `${id} is ${state}, idle: ${idle.has(upstream)}`);
    if (state !== 'using') say(session.owed === 0 && errand === 'none', `${id} is ${state} and not quiet`);
    const isOwn = /^(own|bulk):/.test(purpose);
    if (isOwn) say((tenants?.size ?? 0) <= 1, `${id} is one client's own, and ${tenants?.size} use it`);
  }
  for (const upstream of idle) say(pool.open.has(upstream), `${upstream.id} is idle and not open`);
  for (const { purpose } of pool.supply.upstreams()) count(purpose);
  for (const [purpose, number] of counts) {
    const most = /^(own|bulk):/.test(purpose) ? 1 : options.cap;
    say(number <= most, `${number} connections to ${pool.broker} for ${purpose}, and ${most} are allowed`);
  }
  say(!pool.retired || pool.queue.size === 0, 'somebody waits at a retired pool');
  say(sidecar.route.clients.size < 1000, 'too many clients');
}
