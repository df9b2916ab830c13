/** Producers of several kinds that behave as one application. */
import { accessSettings } from './clients/access.ts';
import { Driver, type DriverKind } from './clients/driver.ts';
import type { Way } from './way.ts';

export interface FleetOptions {
  /** Goes before the clients' names, which are `PREFIX-KIND-NUMBER`. */
  readonly prefix: string;
  readonly kinds: Readonly<Partial<Record<DriverKind, number>>>;
  /** One topic for all, or a topic for each of them. */
  readonly topics: 'one' | 'each';
  /** How long a client may believe its metadata; the library's own default if absent. */
  readonly metadataRefreshMilliseconds?: number;
  /** Messages of librdkafka and Java go round so many partitions; the library chooses if absent. */
  readonly partitions?: number;
  /** librdkafka is given a message only once the one before is settled, as the libraries for Node always are. */
  readonly oneByOne?: boolean;
  /** Default: by all replicas. */
  readonly acks?: 'all' | 0;
  /** Default: whenever `acks` permits it. */
  readonly idempotent?: boolean;
}

interface Finish {
  readonly clients: Readonly<Record<string, { readonly sent: number; readonly acknowledged: number }>>;
  readonly failures: readonly string[];
  readonly latencies: readonly number[];
}

export interface FleetReport {
  /** Messages of each client since the beginning, numbered from 0. */
  readonly sent: Readonly<Record<string, number>>;
  readonly total: number;
  readonly acknowledged: number;
  readonly failures: readonly string[];
  /** Milliseconds from send to acknowledgement since the last report. */
  readonly latencies: Readonly<Partial<Record<DriverKind, readonly number[]>>>;
  readonly allLatencies: readonly number[];
}

const OPEN_MILLISECONDS = 60_000;

/** The library's own names for what all of them can do. */
function settingsOf(kind: DriverKind, options: FleetOptions): object {
  const { acks = 'all', idempotent = acks === 'all', metadataRefreshMilliseconds: refresh } = options;
  const level = acks === 'all' ? -1 : 0;
  switch (kind) {
    case 'librdkafka':
      return {
        'enable.idempotence': idempotent,
        acks,
        ...(refresh === undefined
          ? {}
          : { 'topic.metadata.refresh.interval.ms': refresh, 'metadata.max.age.ms': refresh * 3 }),
      };
    case 'java':
      return {
        'enable.idempotence': idempotent,
        acks,
        ...(refresh === undefined ? {} : { 'metadata.max.age.ms': refresh, 'metadata.max.idle.ms': refresh }),
      };
    case 'kafkajs':
      return {
        acks: level,
        idempotent,
        ...(idempotent ? { maxInFlightRequests: 1 } : {}),
        ...(refresh === undefined ? {} : { metadataMaxAge: refresh }),
      };
    case 'platformatic':
      return {
        acks: level,
        idempotent,
        ...(refresh === undefined ? {} : { metadataMaxAge: refresh }),
      };
  }
}

export class Fleet {
  readonly topics: readonly string[];
  readonly #options: FleetOptions;
  readonly #drivers: Driver[] = [];
  readonly #clients = new Map<DriverKind, { name: string; topic: string }[]>();

  constructor(options: FleetOptions) {
    this.#options = options;
    const one = `${options.prefix}-topic`;
    for (const [kind, count] of Object.entries(options.kinds) as [DriverKind, number][]) {
      if (count === 0) continue;
      const names = Array.from({ length: count }, (_, index) => `${options.prefix}-${kind}-${index}`);
      const clients = names.map((name) => ({ name, topic: options.topics === 'one' ? one : `${name}-topic` }));
      this.#clients.set(kind, clients);
    }
    this.topics = [...new Set([...this.#clients.values()].flat().map(({ topic }) => topic))];
  }

  get size(): number {
    return [...this.#clients.values()].flat().length;
  }

  /** Starts the processes and opens every client, which the ways share out among them; the topics must exist. */
  async open(...ways: readonly [Way, ...Way[]]): Promise<void> {
    const { partitions, oneByOne } = this.#options;
    await Promise.all(
      [...this.#clients].map(async ([kind, clients]) => {
        const driver = await Driver.start(kind, ways[0].cluster.version);
        this.#drivers.push(driver);
        await Promise.all(
          ways.map(async (way, turn) => {
            const mine = clients.filter((_, index) => index % ways.length === turn);
            if (mine.length === 0) return;
            const settings = { ...settingsOf(kind, this.#options), ...accessSettings(kind, way.access) };
            const request = { bootstrap: way.bootstrap, clients: mine, settings, partitions, oneByOne };
            await driver.request('open', request, OPEN_MILLISECONDS);
          }),
        );
      }),
    );
  }

  /**
   * Every client sends `messages` (0: until `finish({ stop: true })`), one each `everyMilliseconds`, begun over
   * `spreadMilliseconds`.
   */
  async start(messages: number, everyMilliseconds: number, spreadMilliseconds = everyMilliseconds): Promise<void> {
    const request = { messages, everyMs: everyMilliseconds, spreadMs: spreadMilliseconds };
    await Promise.all(this.#drivers.map((driver) => driver.request('start', request)));
  }

  /** Waits until all that was sent is settled. */
  async finish(stop: boolean, withinMilliseconds = 60_000): Promise<FleetReport> {
    const request = { stop, withinMs: withinMilliseconds };
    const parts = await Promise.all(
      this.#drivers.map((driver) => driver.request<Finish>('finish', request, withinMilliseconds + 10_000)),
    );
    const clients = parts.flatMap((part) => Object.entries(part.clients));
    return {
      sent: Object.fromEntries(clients.map(([name, { sent }]) => [name, sent])),
      total: clients.reduce((sum, [, { sent }]) => sum + sent, 0),
      acknowledged: clients.reduce((sum, [, { acknowledged }]) => sum + acknowledged, 0),
      failures: parts.flatMap(({ failures }) => failures),
      latencies: Object.fromEntries(this.#drivers.map(({ kind }, index) => [kind, parts[index]?.latencies ?? []])),
      allLatencies: parts.flatMap(({ latencies }) => latencies),
    };
  }

  /** One message of every client, all at once. */
  async sendOne(withinMilliseconds = 60_000): Promise<FleetReport> {
    await this.start(1, 0, 0);
    return this.finish(false, withinMilliseconds);
  }

  /** Warnings and errors that clients logged or were told since the last `forget()`. */
  complaints(): string[] {
    return this.#drivers.flatMap((driver) => driver.complaints());
  }

  forget(): void {
    for (const driver of this.#drivers) driver.forget();
  }

  /** Everything that clients logged. */
  log(): string[] {
    return this.#drivers.flatMap((driver) => driver.log);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#drivers.map((driver) => driver.stop()));
  }
}
