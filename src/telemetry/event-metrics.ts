/** What is counted event by event. The series of a route or broker exist, at 0, before the first event. */
import { CLOSE_REASONS, DIAL_FAILURES, RELEASE_REASONS } from '../contract/reasons.ts';
import type { CoreEvent, Observer } from '../core/events.ts';
import type { LabelBounds } from './labels.ts';
import type { Series } from './series.ts';

/** Of `identity.changed`. */
const IDENTITY_CHANGES = ['read', 'accepted', 'refused', 'unreadable'] as const satisfies readonly Extract<
  CoreEvent,
  { type: 'identity.changed' }
>['change'][];

export class EventMetrics {
  readonly #series: Series;
  readonly #brokers: LabelBounds;
  /** Route and broker whose series exist. */
  readonly #prepared = new Set<string>();

  constructor(series: Series, brokers: LabelBounds) {
    this.#series = series;
    this.#brokers = brokers;
  }

  prepareRoute(route: string): void {
    this.#series.count('slackwater_client_connections_opened_total', { route }, 0);
    this.#series.count('slackwater_listener_bind_failures_total', { route }, 0);
    for (const change of IDENTITY_CHANGES) {
      this.#series.count('slackwater_identity_changes_total', { route, change }, 0);
    }
    for (const reason of CLOSE_REASONS) {
      this.#series.count('slackwater_client_connections_closed_total', { route, reason }, 0);
    }
  }

  /** @returns the labels of this broker's series */
  prepareBroker(route: string, name: string): { readonly route: string; readonly broker: string } {
    const broker = this.#brokers.bound(route, name);
    const labels = { route, broker };
    const key = `${route} ${broker}`;
    if (this.#prepared.has(key)) return labels;
    this.#prepared.add(key);
    this.#series.count('slackwater_upstream_connections_opened_total', labels, 0);
    this.#series.dialSeconds.zero(labels);
    for (const reason of RELEASE_REASONS) {
      this.#series.count('slackwater_upstream_connections_closed_total', { ...labels, reason }, 0);
    }
    for (const reason of DIAL_FAILURES) {
      this.#series.count('slackwater_upstream_dial_failures_total', { ...labels, reason }, 0);
    }
    return labels;
  }

  readonly observe: Observer = (event) => {
    const { route } = event;
    switch (event.type) {
      case 'client.connected':
        this.#series.count('slackwater_client_connections_opened_total', { route });
        break;
      case 'client.disconnected':
        this.#series.count('slackwater_client_connections_closed_total', { route, reason: event.reason });
        break;
      case 'upstream.connected': {
        const labels = this.prepareBroker(route, event.broker);
        this.#series.count('slackwater_upstream_connections_opened_total', labels);
        this.#series.dialSeconds.observe(labels, event.dialSeconds);
        break;
      }
      case 'upstream.dial_failed': {
        const labels = { ...this.prepareBroker(route, event.broker), reason: event.reason };
        this.#series.count('slackwater_upstream_dial_failures_total', labels);
        break;
      }
      case 'upstream.released': {
        const labels = { ...this.prepareBroker(route, event.broker), reason: event.reason };
        this.#series.count('slackwater_upstream_connections_closed_total', labels);
        break;
      }
      case 'listener.bind_failed':
        this.#series.count('slackwater_listener_bind_failures_total', { route });
        break;
      case 'identity.changed':
        this.#series.count('slackwater_identity_changes_total', { route, change: event.change });
        break;
      case 'invariant.violated':
        this.#series.count('slackwater_invariant_violations_total', {});
        break;
    }
  };
}
