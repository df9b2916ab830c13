/**
 * Producers of several kinds in trouble. What may be asked of them differs, also without anything in between:
 *
 * - Java keeps every message once and in order, and so does librdkafka with one message at a time: half of its clients.
 * - librdkafka with several under way bumps its epoch when a broker becomes leader between two of them, and repeats what
 *   was taken already (https://github.com/confluentinc/librdkafka/issues/4953): nothing lost.
 * - The idempotence of kafkajs is an experiment that loses and repeats messages when leaders change, so the libraries
 *   for Node produce without it: nothing lost.
 *
 * Every idempotent client has a message acknowledged in every partition before trouble may begin. A broker of Kafka 4.2
 * and earlier takes any sequence number for the first of a producer that it does not know, so when a leader changes under
 * a producer's first messages to a partition, a later one can overtake an earlier one, which is then refused for ever or
 * taken for a duplicate (KAFKA-15591, KAFKA-14312, KAFKA-19880).
 */
import type { DriverKind } from './clients/driver.ts';
import { Fleet } from './fleet.ts';
import type { Judge } from './judge.ts';
import { type Verdict, verdict } from './ledger.ts';
import type { Way } from './way.ts';

export type Kinds = Readonly<Partial<Record<DriverKind, number>>>;

export interface CrowdReport {
  readonly sent: number;
  /** Messages that a client gave up. */
  readonly failures: readonly string[];
  /** Of the clients that keep every message once and in order. */
  readonly exact: Verdict;
  /** Of all clients. */
  readonly lost: readonly string[];
  /** Messages that the brokers hold, of all clients. */
  readonly held: number;
  readonly latencies: readonly number[];
}

export class Crowd {
  readonly topics: readonly string[];
  readonly #exact: Fleet;
  /** Whose messages may be there more than once. */
  readonly #others: readonly Fleet[];
  readonly #partitions: number;

  /** @param partitions of each topic */
  constructor(prefix: string, kinds: Kinds, partitions: number) {
    this.#partitions = partitions;
    const { librdkafka = 0, java = 0, ...node } = kinds;
    const pipelining = Math.floor(librdkafka / 2);
    const exact = { librdkafka: librdkafka - pipelining, java };
    this.#exact = new Fleet({ prefix, kinds: exact, topics: 'one', partitions, oneByOne: true });
    this.#others = [
      new Fleet({ prefix: `${prefix}-pipelining`, kinds: { librdkafka: pipelining }, topics: 'one', partitions }),
      new Fleet({ prefix: `${prefix}-node`, kinds: node, topics: 'one', idempotent: false }),
    ];
    this.topics = this.#fleets.flatMap(({ topics }) => topics);
  }

  get #fleets(): Fleet[] {
    return [this.#exact, ...this.#others];
  }

  async open(way: Way): Promise<void> {
    await Promise.all(
      this.#fleets.map(async (fleet) => {
        await fleet.open(way);
        await fleet.start(this.#partitions, 50);
        const { failures } = await fleet.finish(false);
        if (failures.length > 0) throw new Error(`not delivered at first: ${failures.slice(0, 3).join('; ')}`);
      }),
    );
  }

  /** Every client sends one message each `everyMilliseconds` until `finish()`. */
  async start(everyMilliseconds: number): Promise<void> {
    await Promise.all(this.#fleets.map((fleet) => fleet.start(0, everyMilliseconds)));
  }

  /** Stops, waits until all that was sent is settled, and looks at what the brokers hold. */
  async finish(judge: Judge, withinMilliseconds: number): Promise<CrowdReport> {
    const reports = await Promise.all(this.#fleets.map((fleet) => fleet.finish(true, withinMilliseconds)));
    const held = await judge.read(this.topics);
    const of = (fleet: Fleet) =>
      Object.fromEntries(Object.entries(held).filter(([name]) => fleet.topics.includes(name.replace(/-\d+$/, ''))));
    const verdicts = this.#fleets.map((fleet, index) => verdict(reports[index]?.sent ?? {}, of(fleet)));
    return {
      sent: reports.reduce((sum, { total }) => sum + total, 0),
      failures: reports.flatMap(({ failures }) => failures),
      exact: verdicts[0] ?? verdict({}, {}),
      lost: verdicts.flatMap(({ lost }) => lost),
      held: verdicts.reduce((sum, { held }) => sum + held, 0),
      latencies: reports.flatMap(({ allLatencies }) => allLatencies),
    };
  }

  /** Everything that clients logged. */
  log(): string[] {
    return this.#fleets.flatMap((fleet) => fleet.log());
  }

  async stop(): Promise<void> {
    await Promise.all(this.#fleets.map((fleet) => fleet.stop()));
  }
}
