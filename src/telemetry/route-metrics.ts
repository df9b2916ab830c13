/** What the core counts by itself, read at each scrape: every value is given anew, so nothing can drift. */
import { PIN_REASONS } from '../contract/reasons.ts';
import { BOOTSTRAP } from '../contract/topology.ts';
import { CLIENT_STATES, type RouteFigures, type RouteView, UPSTREAM_STATES } from '../core/views.ts';
import { LabelBound, type LabelBounds } from './labels.ts';
import type { CounterName, GaugeName, Series } from './series.ts';

/** Far more than any protocol has; the protocols keep their lists closed themselves. */
const MAX_APIS = 256;

const SAMPLED: readonly (CounterName | GaugeName)[] = [
  'slackwater_client_connections',
  'slackwater_clients_pinned',
  'slackwater_upstream_connections',
  'slackwater_lease_waiters',
  'slackwater_requests_total',
  'slackwater_absorbed_total',
  'slackwater_bytes_total',
  'slackwater_reaper_last_run_timestamp_seconds',
  'slackwater_reaped_total',
  'slackwater_upstream_stalled_seconds',
  'slackwater_connections_saved',
];

export interface RouteSample {
  readonly view: RouteView;
  readonly figures: RouteFigures;
}

export class RouteMetrics {
  readonly #series: Series;
  readonly #brokers: LabelBounds;
  readonly #apis = new LabelBound(MAX_APIS);

  constructor(series: Series, brokers: LabelBounds) {
    this.#series = series;
    this.#brokers = brokers;
  }

  /** Synchronous, so that two scrapes at once never see a half of each other. */
  sample(routes: readonly RouteSample[]): void {
    for (const name of SAMPLED) this.#series.restart(name);
    for (const route of routes) this.#route(route);
    const runs = routes.map(({ figures }) => figures.detectorLastRunSeconds).filter((seconds) => seconds > 0);
    const longestAgo = runs.length === 0 ? 0 : Math.min(...runs);
    this.#series.gauge('slackwater_reaper_last_run_timestamp_seconds', {}, longestAgo);
  }

  #route({ view, figures }: RouteSample): void {
    const series = this.#series;
    const route = view.name;
    for (const state of CLIENT_STATES) {
      series.gauge('slackwater_client_connections', { route, state }, view.clients[state]);
    }
    for (const reason of PIN_REASONS) {
      series.gauge('slackwater_clients_pinned', { route, reason }, figures.clientsPinned[reason]);
    }
    const brokers = new Set([BOOTSTRAP, ...view.brokers.map(({ broker }) => broker), ...figures.upstreams.keys()]);
    for (const name of brokers) {
      const broker = this.#brokers.bound(route, name);
      for (const state of UPSTREAM_STATES) {
        const count = figures.upstreams.get(name)?.[state] ?? 0;
        series.add('slackwater_upstream_connections', { route, broker, state }, count);
      }
    }
    for (const [name, seconds] of figures.stalledSeconds) {
      const broker = this.#brokers.bound(route, name);
      series.count('slackwater_upstream_stalled_seconds', { route, broker }, seconds);
    }
    series.gauge('slackwater_lease_waiters', { route }, figures.waiters);
    for (const [api, count] of figures.requests) {
      series.count('slackwater_requests_total', { route, api: this.#apis.bound(api) }, count);
    }
    for (const [api, count] of figures.absorbed) {
      series.count('slackwater_absorbed_total', { route, api: this.#apis.bound(api) }, count);
    }
    series.count('slackwater_bytes_total', { route, direction: 'from_clients' }, figures.bytesFromClients);
    series.count('slackwater_bytes_total', { route, direction: 'to_clients' }, figures.bytesToClients);
    series.count('slackwater_reaped_total', { route }, figures.reaped);
    series.gauge('slackwater_connections_saved', { route, by: 'reaping' }, view.connectionsSaved.reaping);
    series.gauge('slackwater_connections_saved', { route, by: 'sharing' }, view.connectionsSaved.sharing);
  }
}
