/** How connections go: in peace, once what is open there was closed; or by force, and then their tenants learn of it. */
import type { ReleaseReason } from '../contract/reasons.ts';
import { LoginError } from './login.ts';
import type { Pool } from './pool.ts';
import { present } from './presenting.ts';
import { isDirty } from './safe-state.ts';
import type { Upstream } from './upstream.ts';

/** Lets a free connection go; if anything is open there, once that was closed. */
export function part(pool: Pool, upstream: Upstream, reason: ReleaseReason, detail: string): void {
  const goodbye = upstream.tenants?.tenancy.park();
  if (goodbye === undefined) {
    pool.release(upstream, reason, detail);
    return;
  }
  upstream.condemned = reason;
  pool.rouse(upstream);
  upstream.park(goodbye);
}

/** Its tenants see what they would see directly if anything of their own was under way, else nothing. */
export function cut(pool: Pool, upstream: Upstream, reason: ReleaseReason, detail: string, abruptly: boolean): void {
  const { tenant, tenants } = upstream;
  const losers = tenants?.losers(upstream.session.inAnswer) ?? [];
  for (const loser of losers) tenants?.remove(loser);
  const dirty = isDirty(upstream) || tenant?.pinned === true;
  // What it has not taken lies in the buffer that its tenant's next read would fill.
  pool.release(upstream, reason, detail, abruptly || upstream.pending);
  upstream.leave();
  for (const loser of losers) loser.upstreamLost(abruptly, detail);
  if (dirty) tenant?.upstreamLost(abruptly, detail);
  else tenant?.detached();
}

/** It goes as soon as it is free; at once if it is, or with `force`. */
export function condemn(
  pool: Pool,
  upstream: Upstream,
  reason: ReleaseReason,
  force: boolean,
  detail = 'condemned by force',
): void {
  upstream.condemned = reason;
  if (upstream.state === 'dialing') {
    // Without force it goes once it is open: a close of our own making is no failure.
    if (!force) return;
    pool.supply.forget(upstream);
    pool.release(upstream, reason, detail, true);
    // Nobody can ask for a broker that looks dead: only a dial finds out that it is back.
    if (!pool.supply.reachable) pool.supply.want();
    pool.resupply();
    return;
  }
  const isFree = upstream.tenants === null ? upstream.tenant === null : upstream.isFree();
  if (isFree && upstream.errand === 'none') part(pool, upstream, reason, 'condemned');
  else if (force) cut(pool, upstream, reason, detail, true);
}

/** The broker wants to be shown a credential once more. */
export function authenticate(pool: Pool, upstream: Upstream): void {
  const failed = (error: unknown): void => {
    const detail = error instanceof LoginError ? error.message : String(error);
    pool.context.clock.afterInput(() => pool.broken(upstream, 'session_expired', detail));
  };
  const shown = (renewal: Buffer | undefined): void => {
    if (renewal !== undefined) upstream.transport.reply(renewal, upstream.tenants);
  };
  present(
    pool.standing.login,
    (credential) => {
      if (upstream.state !== 'released') shown(upstream.tenants?.tenancy.renewal(credential));
    },
    failed,
  );
}
