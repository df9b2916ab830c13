/** Which budget an upstream counts against: `pool` is within the cap, everything else is counted apart. */
import type { Upstream } from './upstream.ts';

export type Budget = 'pool' | 'held' | 'pinned' | 'muted';

/**
 * @param now the injected clock's milliseconds
 * @param slowAnswerMilliseconds an answer owed for so long makes a lease count as held until it is complete
 */
export function budgetOf(upstream: Upstream, now: number, slowAnswerMilliseconds: number): Budget {
  if (upstream.mutedUntil > now) return 'muted';
  const { session, tenant } = upstream;
  if (session.unfenced || tenant?.pinned === true || session.tenancy?.pinned === true) return 'pinned';
  if (session.holding) return 'held';
  if (session.owed > 0 && now - upstream.owedSince >= slowAnswerMilliseconds) return 'held';
  return 'pool';
}

/** Upstreams that count against the cap of their pool. */
export function countPooled(upstreams: Iterable<Upstream>, now: number, slowAnswerMilliseconds: number): number {
  let count = 0;
  for (const upstream of upstreams) if (budgetOf(upstream, now, slowAnswerMilliseconds) === 'pool') count += 1;
  return count;
}

/** Upstreams that run an errand of ours that began after this time: they will be free soon. */
export function countErrands(upstreams: Iterable<Upstream>, since = Number.NEGATIVE_INFINITY): number {
  let count = 0;
  for (const { tenant, errand, errandStart } of upstreams)
    if (tenant === null && errand !== 'none' && errandStart > since) count += 1;
  return count;
}

/**
 * The same, and upstreams whose greeting the broker throttles: another dial would fare no better. An errand that takes
 * longer than usual is not waited for.
 */
export function countComing(upstreams: ReadonlySet<Upstream>, since: number): number {
  let count = countErrands(upstreams, since);
  for (const { tenant, state, errand, leaseStart } of upstreams)
    if (tenant === null && errand === 'none' && state === 'using' && leaseStart === 0) count += 1;
  return count;
}
