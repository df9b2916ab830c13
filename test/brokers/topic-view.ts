/**
 * What a broker itself knows of topics. News reach each broker in its own time: a client that asks a second one too
 * soon hears that the topic which it has just met does not exist, and gives its messages up.
 *
 *     Metadata v4 request   api_key=3 i16, version=4 i16, correlation_id i32, client_id=null i16(-1),
 *                           topics [name string], allow_auto_topic_creation i8
 *     response              correlation_id i32, throttle_time_ms i32, brokers [id i32, host string, port i32,
 *                           rack nullable string], cluster_id nullable string, controller_id i32,
 *                           topics [error i16, name string, internal i8,
 *                                   partitions [error i16, index i32, leader i32, replicas [i32], in_sync [i32]]]
 */
import { askBroker } from './ask-broker.ts';
import { until } from './until.ts';

function request(topics: readonly string[]): Buffer {
  const head = Buffer.alloc(2 + 2 + 4 + 2 + 4);
  head.writeInt16BE(3, 0);
  head.writeInt16BE(4, 2);
  head.writeInt16BE(-1, 8);
  head.writeInt32BE(topics.length, 10);
  const names = topics.flatMap((topic) => {
    const size = Buffer.alloc(2);
    size.writeInt16BE(topic.length);
    return [size, Buffer.from(topic)];
  });
  return Buffer.concat([head, ...names, Buffer.from([0])]);
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  skip(count: number): void {
    this.#at += count;
  }

  i16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  i32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  string(): string {
    const size = Math.max(this.i16(), 0);
    this.#at += size;
    return this.#bytes.toString('utf8', this.#at - size, this.#at);
  }
}

/** The number of partitions with a leader, by topic, as the broker on this local port tells it. */
async function ledPartitions(port: number, topics: readonly string[]): Promise<Map<string, number>> {
  const answer = new Reader(await askBroker(port, request(topics)));
  answer.skip(4 + 4);
  for (let brokers = answer.i32(); brokers > 0; brokers--) {
    answer.skip(4);
    answer.string();
    answer.skip(4);
    answer.string();
  }
  answer.string();
  answer.skip(4);
  const led = new Map<string, number>();
  for (let left = answer.i32(); left > 0; left--) {
    answer.skip(2);
    const name = answer.string();
    answer.skip(1);
    let count = 0;
    for (let partitions = answer.i32(); partitions > 0; partitions--) {
      const error = answer.i16();
      answer.skip(4);
      if (answer.i32() >= 0 && error === 0) count += 1;
      answer.skip(4 * answer.i32());
      answer.skip(4 * answer.i32());
    }
    led.set(name, count);
  }
  return led;
}

/** @throws Error if the broker on this local port does not know every partition's leader within 30 s */
export async function untilKnown(port: number, topics: readonly string[], partitions: number): Promise<void> {
  await until(`the broker on port ${port} to know ${topics.join(', ')}`, 30_000, async () => {
    const led = await ledPartitions(port, topics);
    return topics.every((topic) => led.get(topic) === partitions) ? true : JSON.stringify([...led]);
  });
}
