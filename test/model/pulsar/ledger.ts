/** What brokers have stored, against what clients sent and were told. */
import type { FakeCluster } from '../../support/pulsar/cluster.ts';
import type { Entry, Topic } from '../../support/pulsar/topic.ts';
import type { ModelProducer } from './producer.ts';

export class Ledger {
  readonly #cluster: FakeCluster;
  readonly #violated: (rule: string) => void;
  readonly #producers: readonly ModelProducer[];
  /** Topics that there ever were, deleted ones too, with how many entries were looked at. */
  readonly #topics = new Map<Topic, number>();
  /** How often each message of a producer was stored. */
  readonly #stored = new Map<ModelProducer, number[]>();
  readonly #unproven: { producer: ModelProducer; index: number }[] = [];

  constructor(cluster: FakeCluster, producers: readonly ModelProducer[], violated: (rule: string) => void) {
    this.#cluster = cluster;
    this.#producers = producers;
    this.#violated = violated;
  }

  /** Two that share a name on a topic: while one is parked the other gets in, and deduplication knows names alone. */
  isDisputed(producer: ModelProducer): boolean {
    return this.#producers.some(
      (other) => other !== producer && other.topic === producer.topic && other.name === producer.name,
    );
  }

  acknowledged(producer: ModelProducer, index: number): void {
    this.#unproven.push({ producer, index });
  }

  look(): void {
    for (const topic of this.#cluster.topics.values()) if (!this.#topics.has(topic)) this.#topics.set(topic, 0);
    for (const [topic, seen] of this.#topics) {
      if (seen === topic.entries.length) continue;
      for (const entry of topic.entries.slice(seen)) this.#entry(topic, entry);
      this.#topics.set(topic, topic.entries.length);
    }
    for (const { producer, index } of this.#unproven.splice(0)) {
      if ((this.#stored.get(producer)?.[index] ?? 0) > 0) continue;
      if (this.#cluster.options.deduplication && this.isDisputed(producer)) continue;
      this.#violated(`message ${index} of producer ${producer.number} was acknowledged and not stored`);
    }
  }

  #entry(topic: Topic, { body, producerName, sequenceId, connection: number }: Entry): void {
    const [from = '', at = ''] = body.toString('latin1', 0, 40).split(' ');
    const producer = this.#producers[Number(from)];
    const index = Number(at);
    const what = `message ${index} of producer ${from}`;
    if (producer === undefined) {
      this.#violated(`${what} came of nobody`);
      return;
    }
    if (producer.topic !== topic.name) this.#violated(`${what} is in ${topic.name}`);
    if (producer.name !== producerName) this.#violated(`${what} came as ${producerName}'s`);
    if (sequenceId !== (producer.firstSequence ?? 0n) + BigInt(index)) this.#violated(`${what} has ${sequenceId}`);
    const stored = this.#stored.get(producer) ?? [];
    this.#stored.set(producer, stored);
    if (index > stored.length && !(this.#cluster.options.deduplication && this.isDisputed(producer)))
      this.#violated(`${what} was stored before ${stored.length}`);
    stored[index] = (stored[index] ?? 0) + 1;
    if ((stored[index] ?? 0) > (producer.transmissions[index] ?? 0))
      this.#violated(`${what} was stored ${stored[index]} times, and sent ${producer.transmissions[index]} times`);
    this.#checkConnection(producer, what, number);
  }

  #checkConnection({ process }: ModelProducer, what: string, number: number): void {
    const connection = this.#cluster.brokers
      .flatMap(({ connections }) => connections)
      .find((each) => each.number === number);
    const shown = connection?.shown[0];
    if (shown !== `token:${process.token}`) this.#violated(`${what}, of ${process.token}, came over one of ${shown}`);
    const version = connection?.connect?.protocolVersion;
    if (version !== process.protocolVersion)
      this.#violated(`${what}, of version ${process.protocolVersion}, came over one of ${version}`);
  }
}
