/**
 * Producers of several kinds in trouble. What may be asked of them differs: librdkafka and Java keep every message
 * once and in order. The idempotence of kafkajs is an experiment that loses and repeats messages when leaders change,
 * also without anything in between, so the libraries for Node produce without it: nothing lost, some perhaps twice.
 *
 * Every idempotent client has a message acknowledged in every partition before trouble may begin. A broker of Kafka 4.2
 * and earlier takes any sequence number for the first of a producer that it does not know, so when a leader changes under
 * a producer's first messages to a partition, a later one can overtake an earlier one, which is then refused for ever or
 * taken for a duplicate: lost, also without anything in between (KAFKA-15591, KAFKA-14312, KAFKA-19880).
 */
import type { DriverKind } from './clients/driver.ts';
import { Fleet } from './fleet.ts';
import type { Judge } from './judge.ts';
import { type Verdict, verdict } from './ledger.ts';
import type { Way } from './way.ts';

const EXACT: readonly DriverKind[] = ['librdkafka', 'java'];

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
  readonly #other: Fleet;
  readonly #partitions: number;

  /** @param partitions of each topic */
  constructor(prefix: string, kinds: Kinds, partitions: number) {
    this.#partitions = partitions;
    const chosen = (exact: boolean): Kinds =>
      Object.fromEntries(Object.entries(kinds).filter(([kind]) => EXACT.includes(kind as DriverKind) === exact));
    this.#exact = new Fleet({ prefix, kinds: chosen(true), topics: 'one', partitions });
    this.#other = new Fleet({ prefix: `${prefix}-other`, kinds: chosen(false), topics: 'one', idempotent: false });
    this.topics = [...this.#exact.topics, ...this.#other.topics];
  }

  get #fleets(): Fleet[] {
    return [this.#exact, this.#other];
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
    const [exact, other] = await Promise.all([
      this.#exact.finish(true, withinMilliseconds),
      this.#other.finish(true, withinMilliseconds),
    ]);
    const held = await judge.read(this.topics);
    const of = (fleet: Fleet) =>
      Object.fromEntries(Object.entries(held).filter(([name]) => fleet.topics.includes(name.replace(/-\d+$/, ''))));
    const exactly = verdict(exact.sent, of(this.#exact));
    const atLeast = verdict(other.sent, of(this.#other));
    return {
      sent: exact.total + other.total,
      failures: [...exact.failures, ...other.failures],
      exact: exactly,
      lost: [...exactly.lost, ...atLeast.lost],
      held: exactly.held + atLeast.held,
      latencies: [...exact.allLatencies, ...other.allLatencies],
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
