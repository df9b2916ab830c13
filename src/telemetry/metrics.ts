/** The metrics of a running sidecar, in the Prometheus text format 0.0.4. A scrape only reads: it never dials. */
import { collectDefaultMetrics } from 'prom-client';
import { BOOTSTRAP } from '../contract/topology.ts';
import type { Observer } from '../core/events.ts';
import type { RouteControl } from '../core/views.ts';
import { distributionText } from './distribution-text.ts';
import { EventMetrics } from './event-metrics.ts';
import { FAMILIES } from './families.ts';
import { LabelBounds } from './labels.ts';
import { RouteMetrics } from './route-metrics.ts';
import { Series } from './series.ts';

const MAX_BROKERS = 256;
/** The default of prom-client, 10 ms, wakes a sleeping process a hundred times a second: 0.4 % of a core. */
const EVENT_LOOP_SAMPLING_MILLISECONDS = 100;

/** A certificate in use. */
export interface CertificateExpiry {
  readonly route: string;
  /** What it is for, such as `upstream_client`. */
  readonly use: string;
  /** Unix time in seconds. */
  readonly expiry: number;
}

export class Metrics {
  /** Of what `render` gives. */
  readonly contentType: string;
  readonly observe: Observer;
  readonly #series = new Series();
  readonly #events: EventMetrics;
  readonly #sampled: RouteMetrics;
  readonly #routes: () => readonly RouteControl[];
  readonly #certificates: () => readonly CertificateExpiry[];

  /**
   * @param routeNames every route of the configuration: their series exist, at 0, from the first scrape on
   * @param routes the routes that run, asked at every scrape
   * @param certificates all that are in use, asked at every scrape
   */
  constructor(
    routeNames: readonly string[],
    routes: () => readonly RouteControl[],
    certificates: () => readonly CertificateExpiry[] = () => [],
  ) {
    const brokers = new LabelBounds(MAX_BROKERS);
    this.#routes = routes;
    this.#certificates = certificates;
    this.#events = new EventMetrics(this.#series, brokers);
    this.#sampled = new RouteMetrics(this.#series, brokers);
    this.observe = this.#events.observe;
    this.contentType = this.#series.registry.contentType;
    collectDefaultMetrics({
      register: this.#series.registry,
      eventLoopMonitoringPrecision: EVENT_LOOP_SAMPLING_MILLISECONDS,
    });
    for (const name of routeNames) {
      this.#events.prepareRoute(name);
      this.#events.prepareBroker(name, BOOTSTRAP);
    }
  }

  async render(): Promise<string> {
    const samples = this.#routes().map((route) => ({ view: route.view(), figures: route.figures() }));
    for (const { view } of samples) {
      for (const { broker } of view.brokers) this.#events.prepareBroker(view.name, broker);
    }
    this.#sampled.sample(samples);
    this.#sampleCertificates();
    const waits = samples.map(({ view, figures }) => ({
      labels: { route: view.name },
      distribution: figures.leaseWaitSeconds,
    }));
    const resumes = samples.map(({ view, figures }) => ({
      labels: { route: view.name },
      distribution: figures.resumeSeconds,
    }));
    const parts = [
      await this.#series.registry.metrics(),
      distributionText('slackwater_lease_wait_seconds', FAMILIES.slackwater_lease_wait_seconds.help, waits),
      distributionText('slackwater_resume_seconds', FAMILIES.slackwater_resume_seconds.help, resumes),
    ];
    return `${parts.join('\n')}\n`;
  }

  /** Of several with one purpose the first to expire counts. */
  #sampleCertificates(): void {
    const name = 'slackwater_certificate_expiry_timestamp_seconds';
    this.#series.restart(name);
    const latestFirst = [...this.#certificates()].sort((a, b) => b.expiry - a.expiry);
    for (const { route, use, expiry } of latestFirst) this.#series.gauge(name, { route, certificate: use }, expiry);
  }
}
