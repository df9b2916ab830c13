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

export class Application {
  /** Producers that lost their broker. */
  disconnects = 0;
  readonly #producers: readonly { readonly name: string; readonly producer: Producer }[];
  readonly #topic: string;
  #rounds = 0;
  #leaving = false;

  private constructor(producers: readonly { readonly name: string; readonly producer: Producer }[], topic: string) {
    this.#producers = producers;
    this.#topic = topic;
    for (const { producer } of producers) {
      producer.on(producer.events.DISCONNECT, () => {
        if (!this.#leaving) this.disconnects += 1;
      });
    }
  }

  /** @param prefix goes before the producers' names, which are the messages' keys */
  static async connect(brokers: string[], topic: string, prefix: string, count: number): Promise<Application> {
    const { Kafka, logLevel, Partitioners } = await loadKafkajs();
    const producers = Array.from({ length: count }, (_, index) => {
      const name = `${prefix}-${index}`;
      const kafka = new Kafka({ clientId: name, brokers, logLevel: logLevel.NOTHING });
      const producer = kafka.producer({
        createPartitioner: Partitioners.DefaultPartitioner,
        idempotent: true,
        maxInFlightRequests: 1,
      });
      return { name, producer };
    });
    await Promise.all(producers.map(({ producer }) => producer.connect()));
    return new Application(producers, topic);
  }

  /** Messages of each producer so far, by name; numbered from 0. */
  get sent(): ReadonlyMap<string, number> {
    return new Map(this.#producers.map(({ name }) => [name, this.#rounds]));
  }

  /** Every producer sends one message a round; resolves when all are acknowledged. */
  async send(rounds: number, everyMilliseconds: number): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      const value = String(this.#rounds);
      await Promise.all(
        this.#producers.map(({ name, producer }) =>
          producer.send({ topic: this.#topic, acks: -1, messages: [{ key: name, value }] }),
        ),
      );
      this.#rounds += 1;
      if (everyMilliseconds > 0) await pause(everyMilliseconds);
    }
  }

  async disconnect(): Promise<void> {
    this.#leaving = true;
    await Promise.all(this.#producers.map(({ producer }) => producer.disconnect()));
  }
}
