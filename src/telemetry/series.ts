/** The families of `families.ts` as series in a registry of prom-client. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { DIAL_BOUNDS, FAMILIES, type FamilyName } from './families.ts';

type NameOf<T extends 'gauge' | 'counter'> = {
  [N in FamilyName]: (typeof FAMILIES)[N]['type'] extends T ? N : never;
}[FamilyName];

export type CounterName = NameOf<'counter'>;
export type GaugeName = NameOf<'gauge'>;
export type Labels = Readonly<Record<string, string>>;

export class Series {
  readonly registry = new Registry();
  readonly dialSeconds: Histogram;
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();

  constructor() {
    for (const [name, { type, labels, help }] of Object.entries(FAMILIES)) {
      const options = { name, help, labelNames: [...labels], registers: [this.registry] };
      if (type === 'counter') this.#counters.set(name, new Counter(options));
      if (type === 'gauge') this.#gauges.set(name, new Gauge(options));
    }
    this.dialSeconds = new Histogram({
      name: 'slackwater_upstream_dial_seconds' satisfies FamilyName,
      help: FAMILIES.slackwater_upstream_dial_seconds.help,
      labelNames: [...FAMILIES.slackwater_upstream_dial_seconds.labels],
      buckets: [...DIAL_BOUNDS],
      registers: [this.registry],
    });
  }

  /** Counts `by` more; with 0 the series exists from now on. */
  count(name: CounterName, labels: Labels, by = 1): void {
    this.#counters.get(name)?.inc(labels, by);
  }

  gauge(name: GaugeName, labels: Labels, value: number): void {
    this.#gauges.get(name)?.set(labels, value);
  }

  /** Adds to a gauge: for values that share the label `other`. */
  add(name: GaugeName, labels: Labels, value: number): void {
    this.#gauges.get(name)?.inc(labels, value);
  }

  /** Forgets the values of a metric whose values are all given again at each scrape. */
  restart(name: CounterName | GaugeName): void {
    (this.#counters.get(name) ?? this.#gauges.get(name))?.reset();
  }
}
