/** What an operator can see of and do to a route. Looking never dials and never moves a clock. */
import { PIN_REASONS, type PinReason } from '../contract/reasons.ts';
import { BOOTSTRAP } from '../contract/topology.ts';
import { clientStateOf, viewClient, viewUpstream } from './connection-views.ts';
import { addressOf } from './options.ts';
import { condemn } from './parting.ts';
import type { Pool } from './pool.ts';
import { idleMilliseconds } from './reaper.ts';
import type { Route } from './route.ts';
import type { Upstream } from './upstream.ts';
import {
  type BrokerView,
  CLIENT_STATES,
  type ClientStateView,
  type ClientView,
  type ReapReport,
  type ReapRequest,
  type RouteControl,
  type RouteFigures,
  type RouteView,
  UPSTREAM_STATES,
  type UpstreamState,
  type UpstreamView,
} from './views.ts';

export class LiveRouteControl implements RouteControl {
  readonly #route: Route;

  constructor(route: Route) {
    this.#route = route;
  }

  get name(): string {
    return this.#route.name;
  }

  view(): RouteView {
    const route = this.#route;
    const { options } = route;
    const clients = this.#countClients();
    const upstreams = zeros<UpstreamState>(UPSTREAM_STATES);
    for (const { upstream } of this.#upstreams()) upstreams[upstream.state] += 1;
    return {
      name: route.name,
      protocol: options.protocol,
      listen: route.listeners.addressOf(BOOTSTRAP) ?? addressOf(options.listen),
      sharing: route.sharing,
      learnt: route.learnt,
      clusterId: route.cluster.clusterId,
      bootstrap: options.upstream.bootstrap.map(addressOf),
      brokers: this.#brokers(),
      clients,
      upstreams,
      connectionsSaved: this.#saved(clients, upstreams),
    };
  }

  #brokers(): BrokerView[] {
    const { cluster, listeners, pools } = this.#route;
    return cluster.nodes.map(({ node, host, port }) => {
      const its = pools.of(node);
      const local = listeners.addressOf(node);
      const isAsleep = its.every((pool) => pool.asleep);
      const isDown = local === null && isAsleep && pools.isDown(node);
      return {
        broker: node,
        address: `${host}:${port}`,
        local,
        state: isDown ? 'down' : isAsleep ? 'asleep' : 'awake',
        upstreams: its.reduce((sum, pool) => sum + pool.open.size, 0),
        waiters: its.reduce((sum, pool) => sum + pool.queue.size, 0),
      };
    });
  }

  /** By reaping: clients whose pool is asleep. By sharing: the other clients, less the open upstreams. */
  #saved(
    clients: Record<ClientStateView, number>,
    upstreams: Record<UpstreamState, number>,
  ): { reaping: number; sharing: number } {
    const awake = clients.idle + clients.waiting + clients.attached;
    const open = upstreams.using + upstreams.idle_marked + upstreams.before_release;
    return { reaping: clients.parked, sharing: Math.max(0, awake - open) };
  }

  #countClients(): Record<ClientStateView, number> {
    const counts = zeros<ClientStateView>(CLIENT_STATES);
    for (const client of this.#route.clients) counts[clientStateOf(client, this.#route)] += 1;
    return counts;
  }

  figures(): RouteFigures {
    const route = this.#route;
    const upstreams = new Map<string, Record<UpstreamState, number>>();
    for (const { pool, upstream } of this.#upstreams()) {
      const counts = upstreams.get(pool.broker) ?? zeros<UpstreamState>(UPSTREAM_STATES);
      counts[upstream.state] += 1;
      upstreams.set(pool.broker, counts);
    }
    const clientsPinned = zeros<PinReason>(PIN_REASONS);
    for (const client of route.clients) for (const pin of viewClient(client, route).pins) clientsPinned[pin] += 1;
    const { forwarded, absorbed } = route.protocol.counts();
    let waiters = 0;
    for (const pool of route.pools) waiters += pool.queue.size;
    return {
      clientsPinned,
      upstreams,
      waiters,
      bytesFromClients: route.bytesFromClients,
      bytesToClients: route.bytesToClients,
      reaped: route.reaped,
      detectorLastRunSeconds: route.detectorLastRunSeconds,
      leaseWaitSeconds: route.leaseWaitSeconds,
      resumeSeconds: route.resumeSeconds,
      stalledSeconds: route.stalledSeconds,
      requests: forwarded,
      absorbed,
    };
  }

  upstreams(): UpstreamView[] {
    return this.#upstreams().map(({ pool, upstream }) => viewUpstream(upstream, pool, this.#route));
  }

  clients(): ClientView[] {
    return [...this.#route.clients].map((client) => viewClient(client, this.#route));
  }

  async reap({ olderThanSeconds, dryRun }: ReapRequest): Promise<ReapReport> {
    const { clock, reaper, pools } = this.#route;
    const now = clock.now();
    const skipped: { id: string; reason: string }[] = [];
    const chosen: { pool: Pool; upstream: Upstream }[] = [];
    for (const pool of pools) {
      const matching = new Set(reaper.choose(pool, olderThanSeconds * 1000));
      for (const upstream of pool.open) {
        if (matching.has(upstream)) chosen.push({ pool, upstream });
        else skipped.push({ id: upstream.id, reason: skipReason(upstream, now, olderThanSeconds) });
      }
    }
    const matched = chosen.length;
    const ids = chosen.map(({ upstream }) => upstream.id);
    if (dryRun) return { chosen: ids, matched, released: 0, skipped, failed: 0 };
    for (const { upstream } of chosen) upstream.beforeRelease();
    await new Promise<void>((resolve) => clock.afterInput(resolve));
    let released = 0;
    for (const { pool, upstream } of chosen) {
      if (reaper.confirm(pool, upstream, 'operator')) released += 1;
      else skipped.push({ id: upstream.id, reason: 'work arrived' });
    }
    return { chosen: ids, matched, released, skipped, failed: 0 };
  }

  condemnUpstream(id: string, force: boolean): boolean {
    const found = this.#upstreams().find(({ upstream }) => upstream.id === id && upstream.state !== 'released');
    if (found === undefined) return false;
    condemn(found.pool, found.upstream, 'operator', force);
    return true;
  }

  closeClient(id: string): boolean {
    const client = [...this.#route.clients].find((candidate) => candidate.id === id);
    client?.close('operator', 'closed by an operator', 'end');
    return client !== undefined;
  }

  /** Every upstream whose socket is not gone. */
  #upstreams(): { pool: Pool; upstream: Upstream }[] {
    const all: { pool: Pool; upstream: Upstream }[] = [];
    for (const pool of this.#route.pools) {
      for (const upstream of [...pool.supply.upstreams(), ...pool.open, ...pool.closing]) all.push({ pool, upstream });
    }
    return all;
  }
}

function skipReason(upstream: Upstream, now: number, olderThanSeconds: number): string {
  if (upstream.tenant !== null) return upstream.tenant.pinned ? 'pinned' : 'in use';
  if (upstream.state !== 'idle_marked') return upstream.state === 'using' ? 'in use' : upstream.state;
  return idleMilliseconds(upstream, now) < olderThanSeconds * 1000 ? 'too young' : 'kept warm';
}

function zeros<K extends string>(keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;
}
