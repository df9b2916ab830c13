/** H24, H27: idempotent producers whose connections are cut at any moment: nothing lost, doubled or out of order. */
import t, { type Test } from 'tap';
import { initProducerId } from '../../src/demo/kafka/messages/init-producer-id.ts';
import { produce } from '../../src/demo/kafka/messages/produce.ts';
import type { BrokerConnection } from '../../src/demo/kafka/net/connection.ts';
import { readResponse } from '../../src/demo/kafka/wire/api.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import type { RawClient } from '../support/raw-client.ts';
import { seeded } from '../support/seeded.ts';
import { until } from '../support/until.ts';
import { createTopic, produceTo, TOPIC } from './requests.ts';
import { connect, type Sidecar, startSidecar } from './sidecar.ts';

t.setTimeout(120_000);

const WINDOW = 5;
const DUPLICATE_SEQUENCE = 46;

/** Sends numbers to one partition as client libraries do: a few requests in flight, and again what was not answered. */
class Producer {
  /** Requests written to sockets, those that were written again included. */
  sent = 0;
  reconnects = 0;
  readonly #t: Test;
  readonly #sidecar: Sidecar;
  readonly #name: string;

  constructor(t: Test, sidecar: Sidecar, name: string) {
    this.#t = t;
    this.#sidecar = sidecar;
    this.#name = name;
  }

  async run(count: number): Promise<void> {
    let client = await connect(this.#t, this.#sidecar, 1);
    const identity = await this.#identity();
    let acknowledged = 0;
    let next = 0;
    while (acknowledged < count) {
      for (; next < Math.min(count, acknowledged + WINDOW); next += 1) {
        const options = { ...identity, baseSequence: next };
        client.send(produce, 9, produceTo(1, [`${this.#name}${next}`], -1, options));
        this.sent += 1;
      }
      await until('an answer, or the end', () => client.frames.length > 0 || client.ending !== 'open');
      const frame = client.frames.shift();
      if (frame !== undefined) {
        const errorCode = readResponse(produce, 9, frame).topics[0]?.partitions[0]?.errorCode;
        if (errorCode !== 0 && errorCode !== DUPLICATE_SEQUENCE)
          throw new Error(`error ${errorCode} at ${acknowledged}`);
        acknowledged += 1;
      } else {
        client = await this.#reconnect();
        next = acknowledged;
      }
    }
  }

  async #identity() {
    for (;;) {
      const client = await connect(this.#t, this.#sidecar, 1);
      const answer = await client
        .ask(initProducerId, 4, {
          transactionalId: null,
          transactionTimeoutMs: 1000,
          producerId: -1,
          producerEpoch: -1,
        })
        .catch(() => null);
      client.socket.destroy();
      if (answer !== null) return { producerId: Number(answer.producerId), producerEpoch: answer.producerEpoch };
    }
  }

  async #reconnect(): Promise<RawClient> {
    this.reconnects += 1;
    let client: RawClient | undefined;
    await until('the listener accepts', () => this.#sidecar.route.listeners.addressOf('1') !== null);
    while (client === undefined) client = await connect(this.#t, this.#sidecar, 1).catch(() => undefined);
    return client;
  }
}

t.test('however connections are cut, each record of an idempotent producer arrives once and in order', async (t) => {
  const random = seeded(11);
  const cluster = await startCluster(t, { brokers: 1 });
  createTopic(cluster);
  const sidecar = await startSidecar(t, cluster, { pool: { maxConnectionsPerBroker: 2 } });
  const names = ['a', 'b', 'c', 'd'];
  const producers = names.map((name) => new Producer(t, sidecar, name));
  let produced = 0;
  const cut = new Set<BrokerConnection>();
  cluster.onRequest = (connection, { api }) => {
    if (api !== 'Produce') return undefined;
    produced += 1;
    const luck = random();
    if (luck >= 0.05 || cut.has(connection)) return undefined;
    cut.add(connection);
    if (luck < 0.01) return 'close';
    if (luck < 0.02) return 'reset';
    if (luck < 0.03) return { closeAfterBytes: Math.floor(random() * 60) };
    if (luck < 0.04) setImmediate(() => connection.end());
    else setImmediate(() => connection.reset());
    return undefined;
  };
  const count = 250;
  await Promise.all(producers.map((producer) => producer.run(count)));
  cluster.onRequest = undefined;
  const values = cluster.messages(TOPIC).map(({ value }) => value ?? '');
  for (const name of names) {
    const own = values.filter((value) => value.startsWith(name));
    t.strictSame(
      own,
      Array.from({ length: count }, (_, index) => `${name}${index}`),
    );
  }
  const cuts = producers.reduce((sum, { reconnects }) => sum + reconnects, 0);
  const sent = producers.reduce((sum, producer) => sum + producer.sent, 0);
  t.ok(cuts > 10, `${cuts} reconnects`);
  t.ok(produced <= sent, `${produced} requests reached the broker, ${sent} were sent: the sidecar repeats nothing`);
});
