/** Clients of several kinds that behave as one application, each with several producers. */
import { PulsarDriver, type PulsarDriverKind } from './pulsar-driver.ts';
import type { PulsarWay } from './pulsar-way.ts';

export interface PulsarFleetOptions {
  /** Goes before the producers' names, which are `PREFIX-KIND-CLIENT-NUMBER`. */
  readonly prefix: string;
  readonly kinds: Readonly<Partial<Record<PulsarDriverKind, number>>>;
  /** Of each client. */
  readonly producers: number;
  /** Clients of a process; by default all of a kind are in one. Each has connections of its own all the same. */
  readonly clientsPerProcess?: number;
  /** Of the topics; default public/default. */
  readonly namespace?: string;
  /** What its clients show, whenever they are asked. */
  readonly tokenFile?: string;
  /** See PulsarDriver. */
  readonly settings?: Readonly<{ named?: boolean; sequenced?: boolean; padding?: number }>;
}

interface Finish {
  readonly clients: Readonly<Record<string, { readonly sent: number; readonly acknowledged: number }>>;
  readonly sequences: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
  readonly latencies: readonly number[];
}

export interface PulsarFleetReport {
  /** Messages of each producer since the beginning, numbered from 0. */
  readonly sent: Readonly<Record<string, number>>;
  readonly total: number;
  readonly acknowledged: number;
  /** The last sequence id of each producer that was acknowledged. */
  readonly sequences: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
  /** Milliseconds from send to acknowledgement since the last report. */
  readonly latencies: Readonly<Record<PulsarDriverKind, readonly number[]>>;
  readonly allLatencies: readonly number[];
}

interface Client {
  readonly producers: readonly { readonly name: string; readonly topic: string }[];
}

const OPEN_MILLISECONDS = 90_000;

export class PulsarFleet {
  /** The one before. */
  static #opening: Promise<unknown> = Promise.resolve();
  readonly #options: PulsarFleetOptions;
  readonly #clients: readonly (readonly [PulsarDriverKind, Client])[];
  readonly #drivers: PulsarDriver[] = [];

  constructor(options: PulsarFleetOptions) {
    this.#options = options;
    const { prefix, kinds, producers, namespace = 'public/default' } = options;
    this.#clients = (Object.entries(kinds) as [PulsarDriverKind, number][]).flatMap(([kind, count]) =>
      Array.from({ length: count }, (_, client): readonly [PulsarDriverKind, Client] => {
        const names = Array.from({ length: producers }, (_, number) => `${prefix}-${kind}-${client}-${number}`);
        return [kind, { producers: names.map((name) => ({ name, topic: `${namespace}/${name}` })) }];
      }),
    );
  }

  /** One of each producer. */
  get topics(): string[] {
    return this.#clients.flatMap(([, { producers }]) => producers.map(({ topic }) => topic));
  }

  get clients(): number {
    return this.#clients.length;
  }

  get producers(): number {
    return this.#clients.length * this.#options.producers;
  }

  /**
   * Starts the processes and opens every client, of one fleet at a time: a broker answers lookups of topics in one bundle
   * that come together with one address, whatever listener they came by (NamespaceService.findBrokerServiceUrl).
   */
  open(way: PulsarWay): Promise<void> {
    const opened = PulsarFleet.#opening.then(() => this.#open(way));
    PulsarFleet.#opening = opened.catch(() => undefined);
    return opened;
  }

  async #open(way: PulsarWay): Promise<void> {
    const { clientsPerProcess = Number.POSITIVE_INFINITY, tokenFile, settings = {} } = this.#options;
    const opened: Promise<unknown>[] = [];
    for (const kind of ['python', 'java'] as const) {
      const mine = this.#clients.filter(([each]) => each === kind).map(([, client]) => client);
      while (mine.length > 0) {
        const driver = await PulsarDriver.start(kind);
        this.#drivers.push(driver);
        const clients = mine.splice(0, Math.min(clientsPerProcess, mine.length));
        opened.push(driver.request('open', { url: way.url, clients, tokenFile, settings }, OPEN_MILLISECONDS));
      }
    }
    await Promise.all(opened);
  }

  /**
   * Every producer sends `messages` (0: until `finish(true)`), one each `everyMilliseconds`, begun over
   * `spreadMilliseconds`.
   */
  async start(messages: number, everyMilliseconds: number, spreadMilliseconds = everyMilliseconds): Promise<void> {
    const request = { messages, everyMs: everyMilliseconds, spreadMs: spreadMilliseconds };
    await Promise.all(this.#drivers.map((driver) => driver.request('start', request)));
  }

  /** Waits until all that was sent is settled. */
  async finish(stop: boolean, withinMilliseconds = 60_000): Promise<PulsarFleetReport> {
    const request = { stop, withinMs: withinMilliseconds };
    const parts = await Promise.all(
      this.#drivers.map((driver) => driver.request<Finish>('finish', request, withinMilliseconds + 10_000)),
    );
    const clients = parts.flatMap((part) => Object.entries(part.clients));
    const of = (kind: PulsarDriverKind) =>
      parts.flatMap(({ latencies }, index) => (this.#drivers[index]?.kind === kind ? latencies : []));
    return {
      sent: Object.fromEntries(clients.map(([name, { sent }]) => [name, sent])),
      total: clients.reduce((sum, [, { sent }]) => sum + sent, 0),
      acknowledged: clients.reduce((sum, [, { acknowledged }]) => sum + acknowledged, 0),
      sequences: Object.assign({}, ...parts.map(({ sequences }) => sequences)),
      failures: parts.flatMap(({ failures }) => failures),
      latencies: { python: of('python'), java: of('java') },
      allLatencies: parts.flatMap(({ latencies }) => latencies),
    };
  }

  /** One message of every producer, all at once. */
  async sendOne(withinMilliseconds = 60_000): Promise<PulsarFleetReport> {
    await this.start(1, 1, 0);
    return this.finish(false, withinMilliseconds);
  }

  /** Closes every client, as an application that ends would. */
  async leave(): Promise<void> {
    await Promise.all(this.#drivers.map((driver) => driver.request('close', {})));
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
