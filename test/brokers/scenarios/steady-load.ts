/** Producers that send all the time and members of groups that read after them, while something is done to the sidecar. */
import { accessSettings } from '../clients/access.ts';
import { Driver, type DriverKind } from '../clients/driver.ts';
import { Fleet } from '../fleet.ts';
import type { Judge } from '../judge.ts';
import { type Verdict, verdict } from '../ledger.ts';
import { until } from '../until.ts';
import type { Way } from '../way.ts';
import { memberStates, takenBy } from './taken.ts';

export interface SteadyLoadOptions {
  readonly prefix: string;
  readonly kinds: Readonly<Partial<Record<DriverKind, number>>>;
  readonly everyMilliseconds: number;
}

export interface SteadyLoadReport {
  readonly sent: number;
  readonly failures: readonly string[];
  readonly verdict: Verdict;
  /** Messages that each way's member took, and how many of them more than once. */
  readonly taken: Readonly<Record<string, { readonly taken: number; readonly repeated: number }>>;
  /** Warnings and errors that clients logged or were told. */
  readonly complaints: readonly string[];
  readonly latencies: readonly number[];
}

const PARTITIONS = 6;
const CATCH_UP_MILLISECONDS = 30_000;

export class SteadyLoad {
  readonly topic: string;
  readonly #judge: Judge;
  readonly #ways: readonly [Way, ...Way[]];
  readonly #fleet: Fleet;
  readonly #options: SteadyLoadOptions;
  #consumers: Driver | undefined;

  /** @param ways share the producers out among them; each has one member of a group of its own, which reads everything */
  constructor(judge: Judge, ways: readonly [Way, ...Way[]], options: SteadyLoadOptions) {
    this.#judge = judge;
    this.#ways = ways;
    this.#options = options;
    this.#fleet = new Fleet({ prefix: options.prefix, kinds: options.kinds, topics: 'one', oneByOne: true });
    this.topic = this.#fleet.topics[0] ?? '';
  }

  #member(way: Way, index: number): string {
    return `${this.#options.prefix}-member-${way.through === 'direct' ? index : way.route}`;
  }

  /** Makes the topic, opens everybody and has them begin. */
  async start(): Promise<void> {
    await this.#judge.createTopics([this.topic], PARTITIONS);
    const consumers = await Driver.start('librdkafka');
    this.#consumers = consumers;
    await this.#fleet.open(...this.#ways);
    for (const [index, way] of this.#ways.entries()) {
      const name = this.#member(way, index);
      await consumers.request('consume', {
        ...{ bootstrap: way.bootstrap, group: `${name}-group`, members: [name], topics: [this.topic] },
        settings: accessSettings('librdkafka', way.access),
      });
    }
    // What clients say of their own beginning is no complaint: librdkafka drops its bootstrap connections under way.
    await this.#fleet.start(1, 50);
    const { failures } = await this.#fleet.finish(false);
    if (failures.length > 0) throw new Error(`not delivered at first: ${failures.slice(0, 3).join('; ')}`);
    this.#fleet.forget();
    await this.#fleet.start(0, this.#options.everyMilliseconds);
  }

  /** Stops, waits until everything is settled and taken. */
  async finish(): Promise<SteadyLoadReport> {
    const consumers = this.#consumers;
    if (consumers === undefined) throw new Error('the load was never started');
    const report = await this.#fleet.finish(true);
    const counts = async () => {
      const states = await memberStates(consumers);
      return Object.fromEntries(Object.entries(states).map(([name, state]) => [name, takenBy({ [name]: state })]));
    };
    await until(`every member to take ${report.acknowledged} messages`, CATCH_UP_MILLISECONDS, async () => {
      const now = await counts();
      return Object.values(now).every(({ taken }) => taken >= report.acknowledged) ? true : JSON.stringify(now);
    });
    return {
      sent: report.total,
      failures: report.failures,
      verdict: verdict(report.sent, await this.#judge.read([this.topic])),
      taken: await counts(),
      complaints: this.complaints(),
      latencies: report.allLatencies,
    };
  }

  complaints(): string[] {
    return [...this.#fleet.complaints(), ...(this.#consumers?.complaints() ?? [])];
  }

  async stop(): Promise<void> {
    await Promise.all([this.#fleet.stop(), this.#consumers?.stop()]);
  }
}
