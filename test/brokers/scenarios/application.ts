/** An application at work while brokers fail: producers of several kinds, and a group that reads after them. */
import { setTimeout as pause } from 'node:timers/promises';
import { Driver } from '../clients/driver.ts';
import { Crowd, type CrowdReport, type Kinds } from '../crowd.ts';
import type { Judge } from '../judge.ts';
import { until } from '../until.ts';
import type { Way } from '../way.ts';
import { memberStates, type Taken, takenBy } from './taken.ts';

export interface ApplicationOptions {
  readonly prefix: string;
  readonly kinds: Kinds;
  readonly everyMilliseconds: number;
  /** Of each topic. */
  readonly partitions: number;
}

export interface ApplicationOutcome extends CrowdReport, Taken {}

const CALM_MILLISECONDS = 1_500;
const RECOVERY_MILLISECONDS = 90_000;

export class Application {
  readonly topics: readonly string[];
  readonly group: string;
  readonly #way: Way;
  readonly #judge: Judge;
  readonly #crowd: Crowd;
  readonly #options: ApplicationOptions;
  #consumers: Driver | undefined;

  constructor(way: Way, judge: Judge, options: ApplicationOptions) {
    this.#way = way;
    this.#judge = judge;
    this.#options = options;
    this.group = `${options.prefix}-group`;
    this.#crowd = new Crowd(options.prefix, options.kinds, options.partitions);
    this.topics = this.#crowd.topics;
  }

  /** Makes the topics, which need two replicas in sync, opens every client, and waits for the group to form. */
  async open(): Promise<void> {
    await this.#judge.createTopics(this.topics, this.#options.partitions, { 'min.insync.replicas': 2 });
    const members = ['a', 'b', 'c'].map((name) => `${this.group}-${name}`);
    const consume = async (): Promise<Driver> => {
      this.#consumers = await Driver.start('java', this.#way.cluster.version);
      const base = { bootstrap: this.#way.bootstrap, group: this.group, topics: this.topics, settings: {} };
      await this.#consumers.request('consume', { ...base, members });
      return this.#consumers;
    };
    const [consumers] = await Promise.all([consume(), this.#crowd.open(this.#way)]);
    const partitions = this.#options.partitions * this.topics.length;
    await until(`${members.join(', ')} to share ${partitions} partitions`, 60_000, async () => {
      const assigned = Object.values(await memberStates(consumers)).map((member) => member.assigned);
      const whole = assigned.flat().length === partitions && assigned.every((list) => list.length > 0);
      return whole ? true : JSON.stringify(assigned);
    });
  }

  /** Everybody works while something happens to the brokers or to the way there, and a moment before and after. */
  async workThrough(what: string, happens: () => Promise<void>): Promise<ApplicationOutcome> {
    const consumers = this.#consumers;
    if (consumers === undefined) throw new Error('the application is not open');
    await this.#crowd.start(this.#options.everyMilliseconds);
    await pause(CALM_MILLISECONDS);
    await happens();
    await pause(CALM_MILLISECONDS);
    const report = await this.#crowd.finish(this.#judge, RECOVERY_MILLISECONDS);
    let counts = { taken: 0, repeated: 0 };
    await until(`the group to take ${report.held} messages, after ${what}`, RECOVERY_MILLISECONDS, async () => {
      counts = takenBy(await memberStates(consumers));
      const told = consumers.complaints().slice(-5).join('\n');
      return counts.taken >= report.held ? true : `${counts.taken} taken; the members' last warnings:\n${told}`;
    });
    return { ...report, ...counts };
  }

  /** Everything that clients logged. */
  log(): string[] {
    return [...this.#crowd.log(), ...(this.#consumers?.log ?? [])];
  }

  async stop(): Promise<void> {
    await Promise.all([this.#crowd.stop(), this.#consumers?.stop()]);
  }
}
