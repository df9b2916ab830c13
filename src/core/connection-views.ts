/** Why each connection is open, in words, and when it will go. */
import type { PinReason } from '../contract/reasons.ts';
import { BOOTSTRAP } from '../contract/topology.ts';
import { type Budget, budgetOf } from './budget.ts';
import { mayCloseIdle } from './client-sweep.ts';
import { addressOf } from './options.ts';
import type { Pool } from './pool.ts';
import { idleMilliseconds, spreadSeconds } from './reaper.ts';
import type { Route } from './route.ts';
import type { RouteClient } from './route-client.ts';
import type { Upstream } from './upstream.ts';
import type { ClientStateView, ClientView, RegistrationView, UpstreamView } from './views.ts';

const BUDGETS: Readonly<Record<Budget, string>> = {
  pool: 'carries requests of a client',
  held: 'the broker keeps an answer back',
  pinned: 'pinned to one client',
  muted: 'the broker throttles its client',
};
const ERRANDS = {
  check: 'asked for a sign of life before it is lent',
  fence: 'waits for the proof that requests without an answer were read',
  refresh: 'renews metadata for idle clients',
  park: 'what idle clients have open there is being closed',
} as const;

export function viewUpstream(upstream: Upstream, pool: Pool, route: Route): UpstreamView {
  const now = route.clock.now();
  const { pool: limits } = route.options;
  const [tenant, ...others] = [...route.clients].filter(({ upstreams }) => upstreams.includes(upstream));
  return {
    id: upstream.id,
    route: route.name,
    broker: pool.broker,
    identity: pool.identity.name,
    address: addressOf(upstream.target),
    state: upstream.state,
    budget: budgetOf(upstream, now, limits.slowAnswerMilliseconds),
    why: whyUpstream(upstream, now, limits.slowAnswerMilliseconds),
    ageSeconds: (now - upstream.createTime) / 1000,
    lastWorkSecondsAgo: upstream.lastWorkTime === null ? null : (now - upstream.lastWorkTime) / 1000,
    client: others.length === 0 ? (tenant?.id ?? null) : null,
    tenants: tenant === undefined ? 0 : 1 + others.length,
    purpose: upstream.purpose,
    pins: tenant === undefined || upstream.tenants?.tenancy.exclusive === false ? [] : pinsOf(tenant),
    owed: upstream.session.owed,
    releaseInSeconds: releaseWindow(upstream, route, now),
    condemned: upstream.condemned !== null,
  };
}

function whyUpstream(upstream: Upstream, now: number, slowAnswerMilliseconds: number): string {
  if (upstream.state === 'dialing') return 'a client waits for it';
  if (upstream.state === 'released') return 'waits for the broker to close its side';
  if (upstream.state === 'before_release') return 'chosen by the detector';
  if (upstream.errand !== 'none') return ERRANDS[upstream.errand];
  const budget = budgetOf(upstream, now, slowAnswerMilliseconds);
  if (upstream.state === 'using' && budget === 'pinned' && upstream.tenants?.tenancy.exclusive === false)
    return 'kept for what is open there';
  if (upstream.state === 'using') return BUDGETS[budget];
  return upstream.lastWorkTime === null ? 'served housekeeping and lingers' : 'quiet, kept for the next request';
}

/** The detector looks at an unknown phase, so the time is a range. */
function releaseWindow(upstream: Upstream, route: Route, now: number): { earliest: number; latest: number } | null {
  const { options } = route;
  if (upstream.state === 'before_release')
    return { earliest: 0, latest: spreadSeconds(options.connectionIdleDetectionIntervalSeconds) };
  if (upstream.state !== 'idle_marked') return null;
  if (upstream.lastWorkTime === null) {
    const left = Math.max(0, options.housekeepingLingerSeconds - (now - upstream.idleMarkTime) / 1000);
    return { earliest: left, latest: left + 1 };
  }
  if (!options.autoReleaseIdleConnectionsEnabled || options.connectionMaxIdleSeconds === 0) return null;
  const interval = options.connectionIdleDetectionIntervalSeconds;
  const left = options.connectionMaxIdleSeconds - idleMilliseconds(upstream, now) / 1000;
  return { earliest: Math.max(0, left), latest: Math.max(0, left + interval + spreadSeconds(interval)) };
}

export function pinsOf(client: RouteClient): readonly PinReason[] {
  const { routing } = client.session;
  if (routing !== undefined) return routing.pins();
  if (client.session.pinned && client.session.pin !== undefined) return [client.session.pin];
  return client.upstreams[0]?.session.unfenced === true ? ['acks_zero'] : [];
}

/** An idle client whose pool is asleep is parked, or that has no place on any connection if several use each. */
export function clientStateOf(client: RouteClient, route: Route): ClientStateView {
  if (client.state === 'waiting' || client.state === 'attached') return client.state;
  if (client.session.routing !== undefined) return client.upstreams.length === 0 ? 'parked' : 'idle';
  const pool = route.pools.lookedAtBy(client).find(client.node ?? BOOTSTRAP);
  return pool === undefined || pool.asleep ? 'parked' : 'idle';
}

export function viewClient(client: RouteClient, route: Route): ClientView {
  const now = route.clock.now();
  const state = clientStateOf(client, route);
  const pins = pinsOf(client);
  const quiet = (now - (client.lastWorkTime ?? client.createTime)) / 1000;
  const { clientMaxIdleSeconds } = route.options;
  return {
    id: client.id,
    route: route.name,
    listener: client.listener,
    broker: client.node,
    identity: client.session.identity,
    remote: client.wire.remote,
    state,
    why: whyClient(client, state, pins),
    pins,
    upstream: (client.upstreams.find(isOwn) ?? client.upstreams[0])?.id ?? null,
    registrations: registrationsOf(client),
    ageSeconds: (now - client.createTime) / 1000,
    lastWorkSecondsAgo: client.lastWorkTime === null ? null : (now - client.lastWorkTime) / 1000,
    closesInSeconds:
      clientMaxIdleSeconds > 0 && mayCloseIdle(client) ? Math.max(0, clientMaxIdleSeconds - quiet) : null,
  };
}

function isOwn({ tenants }: Upstream): boolean {
  return tenants?.tenancy.exclusive === true;
}

function registrationsOf({ session, upstreams }: RouteClient): RegistrationView[] {
  const registrations = session.routing?.registrations() ?? [];
  return registrations.map(({ purpose, ...open }) => {
    const isThere = open.state !== 'parked' && open.state !== 'closed';
    const found = upstreams.find((upstream) => upstream.purpose === purpose && upstream.target.node === open.broker);
    return { ...open, upstream: isThere ? (found?.id ?? null) : null };
  });
}

function whyClient(client: RouteClient, state: ClientStateView, pins: readonly PinReason[]): string {
  if (state === 'waiting') return `waits for a connection to broker ${client.node ?? BOOTSTRAP}`;
  if (state === 'parked') return 'quiet, and its broker holds no connection for it';
  if (state === 'idle' && client.session.routing !== undefined) return 'quiet; a connection that it uses is open';
  if (state === 'idle') return 'quiet; others use its broker';
  return pins.length > 0 ? `keeps a connection of its own: ${pins.join(', ')}` : 'answers are owed to it';
}
