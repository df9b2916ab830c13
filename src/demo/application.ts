/** An application with a number of real kafkajs producers. kafkajs is an optional dependency: only the demo needs it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Producer } from 'kafkajs';

async function loadKafkajs(): Promise<typeof import('kafkajs')> {
  try {
    const module = await import('kafkajs');
    return module.default ?? module;
  } catch (error) {
    throw new Error('the demo needs the optional package kafkajs: npm install kafkajs', { cause: error });
  }
}

export interface ApplicationOptions {
  readonly bootstrap: readonly string[];
  readonly topic: string;
  /** Every producer writes to all of them in turn, as producers do whose messages have no key. */
  readonly partitions: number;
  readonly producers: number;
  /** Goes before the producers' names, which are their messages' keys. */
  readonly prefix: string;
}

interface NamedProducer {
  readonly name: string;
  readonly producer: Producer;
}

export class Application {
  readonly #producers: readonly NamedProducer[];
  readonly #topic: string;
  readonly #partitions: number;
  #rounds = 0;

  private constructor(producers: readonly NamedProducer[], { topic, partitions }: ApplicationOptions) {
    this.#producers = producers;
    this.#topic = topic;
    this.#partitions = partitions;
  }

  static async connect(options: ApplicationOptions): Promise<Application> {
    const { Kafka, logLevel, Partitioners } = await loadKafkajs();
    const producers = Array.from({ length: options.producers }, (_, index) => {
      const name = `${options.prefix}-${index}`;
      const kafka = new Kafka({ clientId: name, brokers: [...options.bootstrap], logLevel: logLevel.NOTHING });
      const producer = kafka.producer({
        createPartitioner: Partitioners.DefaultPartitioner,
        idempotent: true,
        maxInFlightRequests: 1,
      });
      return { name, producer };
    });
    await Promise.all(producers.map(({ producer }) => producer.connect()));
    return new Application(producers, options);
  }

  /** Acknowledged messages of each producer, by name; their values count from 0. */
  get sent(): ReadonlyMap<string, number> {
    return new Map(this.#producers.map(({ name }) => [name, this.#rounds]));
  }

  /** One message of each producer. Resolves when all are acknowledged, with the milliseconds until the first was. */
  async send(): Promise<number> {
    const start = performance.now();
    const value = String(this.#rounds);
    const sends = this.#producers.map(({ name, producer }, index) => {
      const partition = (index + this.#rounds) % this.#partitions;
      return producer.send({ topic: this.#topic, acks: -1, messages: [{ key: name, value, partition }] });
    });
    const first = Promise.race(sends).then(() => performance.now() - start);
    await Promise.all(sends);
    this.#rounds += 1;
    return first;
  }

  async sendRounds(rounds: number, everyMilliseconds: number): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      await this.send();
      await pause(everyMilliseconds);
    }
  }

  async disconnect(): Promise<void> {
    await Promise.all(this.#producers.map(({ producer }) => producer.disconnect()));
  }
}
