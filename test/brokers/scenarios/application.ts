/** Row 8: an application at work while brokers fail: producers of several kinds, and a group that reads after them. */
import { setTimeout as pause } from 'node:timers/promises';
import { Driver, type DriverKind } from '../clients/driver.ts';
import { Fleet } from '../fleet.ts';
import type { Judge } from '../judge.ts';
import { percentile, type Verdict } from '../ledger.ts';
import { until } from '../until.ts';
import type { Way } from '../way.ts';

export interface ApplicationOptions {
  readonly prefix: string;
  readonly kinds: Readonly<Partial<Record<DriverKind, number>>>;
  readonly everyMilliseconds: number;
  readonly partitions: number;
}

export interface ApplicationOutcome {
  readonly sent: number;
  readonly failures: readonly string[];
  readonly verdict: Verdict;
  /** Different messages that the group took, and how many it took again. */
  readonly taken: number;
  readonly repeated: number;
  readonly slowestMilliseconds: number;
  readonly medianMilliseconds: number;
}

type Members = Readonly<Record<string, { readonly records: Readonly<Record<string, readonly number[]>> }>>;

const CALM_MILLISECONDS = 1_500;
const RECOVERY_MILLISECONDS = 90_000;

export class Application {
  readonly topic: string;
  readonly #way: Way;
  readonly #judge: Judge;
  readonly #fleet: Fleet;
  readonly #options: ApplicationOptions;
  #consumers: Driver | undefined;

  constructor(way: Way, judge: Judge, options: ApplicationOptions) {
    this.#way = way;
    this.#judge = judge;
    this.#options = options;
    this.#fleet = new Fleet({ prefix: options.prefix, kinds: options.kinds, topics: 'one' });
    this.topic = this.#fleet.topics[0] ?? '';
  }

  /** Makes the topic, which needs two replicas in sync, and opens every client. */
  async open(): Promise<void> {
    await this.#judge.createTopics([this.topic], this.#options.partitions, { 'min.insync.replicas': 2 });
    await this.#fleet.open(this.#way);
    this.#consumers = await Driver.start('java', this.#way.cluster.version);
    const group = `${this.#options.prefix}-group`;
    const members = ['a', 'b', 'c'].map((name) => `${group}-${name}`);
    const request = { bootstrap: this.#way.bootstrap, group, members, topics: [this.topic], settings: {} };
    await this.#consumers.request('consume', request);
  }

  /** Everybody works while something happens to the brokers or to the way there, and a moment before and after. */
  async workThrough(what: string, happens: () => Promise<void>): Promise<ApplicationOutcome> {
    await this.#fleet.start(0, this.#options.everyMilliseconds);
    await pause(CALM_MILLISECONDS);
    await happens();
    await pause(CALM_MILLISECONDS);
    const { sent, total, failures, allLatencies } = await this.#fleet.finish(true, RECOVERY_MILLISECONDS);
    let counts = { taken: 0, repeated: 0 };
    await until(`the group to take ${total} messages, after ${what}`, RECOVERY_MILLISECONDS, async () => {
      counts = await this.#counts();
      return counts.taken >= total ? true : `${counts.taken} taken`;
    });
    return {
      sent: total,
      failures,
      verdict: await this.#judge.verdict([this.topic], sent),
      ...counts,
      slowestMilliseconds: Math.max(...allLatencies),
      medianMilliseconds: percentile(allLatencies, 0.5),
    };
  }

  async #counts(): Promise<{ taken: number; repeated: number }> {
    const states = (await this.#consumers?.request<Members>('received', {})) ?? {};
    const all = Object.values(states).flatMap(({ records }) =>
      Object.entries(records).flatMap(([partition, offsets]) => offsets.map((offset) => `${partition} ${offset}`)),
    );
    const taken = new Set(all).size;
    return { taken, repeated: all.length - taken };
  }

  /** Everything that clients logged. */
  log(): string[] {
    return [...this.#fleet.log(), ...(this.#consumers?.log ?? [])];
  }

  async stop(): Promise<void> {
    await Promise.all([this.#fleet.stop(), this.#consumers?.stop()]);
  }
}
