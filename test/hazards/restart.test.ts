/** H42, H43: a sidecar that starts again, and the sockets that clients keep for the cluster at large. */
import { setTimeout as pause } from 'node:timers/promises';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import t from 'tap';
import { metadata } from '../../src/demo/kafka/messages/metadata.ts';
import { produce } from '../../src/demo/kafka/messages/produce.ts';
import { muteTimerWarnings } from '../../src/demo/timer-warnings.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import { until } from '../support/until.ts';
import { createTopic, produceTo, TOPIC, valuesOf } from './requests.ts';
import { connect, startSidecar } from './sidecar.ts';

t.setTimeout(120_000);

t.teardown(muteTimerWarnings());

t.test(
  'a sidecar that starts again has its ports again, and producers under way lose and double nothing',
  async (t) => {
    // H42
    const cluster = await startCluster(t);
    createTopic(cluster);
    const first = await startSidecar(t, cluster);
    const { ports } = first;
    const kafka = new Kafka({ clientId: 'js', brokers: first.bootstrap, logLevel: logLevel.NOTHING });
    const producer = kafka.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      idempotent: true,
      maxInFlightRequests: 1,
      retry: { initialRetryTime: 20, maxRetryTime: 200, retries: 50 },
    });
    t.teardown(() => producer.disconnect());
    await producer.connect();
    const sent: string[] = [];
    let isOver = false;
    const sending = (async () => {
      for (let number = 0; !isOver; number += 1) {
        await producer.send({ topic: TOPIC, acks: -1, messages: [{ value: `${number}`, partition: number % 3 }] });
        sent.push(`${number}`);
        await pause(2);
      }
    })();
    await until('it is under way', () => sent.length > 5);
    await first.stop();
    const before = sent.length;
    const second = await startSidecar(t, cluster, { ports });
    t.strictSame(second.ports, ports);
    await until('it goes on', () => sent.length > before + 50, 20_000);
    isOver = true;
    await sending;
    const byNumber = (one: string | null, other: string | null): number => Number(one) - Number(other);
    t.strictSame(valuesOf(cluster).sort(byNumber), sent);
  },
);

t.test('fifty clients of the bootstrap listener use the connections that are there', async (t) => {
  // H43
  const cluster = await startCluster(t);
  createTopic(cluster);
  const sidecar = await startSidecar(t, cluster);
  for (const { node } of cluster.brokers) {
    await sidecar.asleep(cluster);
    await (await connect(t, sidecar, node)).ask(produce, 9, produceTo(node, ['awake']));
    const clients = await Promise.all(Array.from({ length: 50 }, () => connect(t, sidecar)));
    const { accepted } = cluster.tally;
    for (const client of clients) await client.ask(metadata, 1, { topics: [{ name: TOPIC }] });
    t.equal(cluster.tally.accepted, accepted, `nothing was dialled for them while broker ${node} was awake`);
  }
});

t.test('all at once they stay within the cap of each broker', async (t) => {
  // H43
  const cluster = await startCluster(t);
  createTopic(cluster);
  const cap = 2;
  const sidecar = await startSidecar(t, cluster, { pool: { maxConnectionsPerBroker: cap } });
  const bootstrap = await Promise.all(Array.from({ length: 50 }, () => connect(t, sidecar)));
  const nodes = await Promise.all(Array.from({ length: 50 }, (_, index) => connect(t, sidecar, (index % 3) + 1)));
  await sidecar.asleep(cluster);
  for (const { tally } of [cluster, ...cluster.brokers]) tally.resetPeak();
  cluster.onRequest = (_, { clientId }) => (clientId === 'raw' ? { delayMilliseconds: 5 } : 'answer');
  const answers = await Promise.all([
    ...bootstrap.map((client) => client.ask(metadata, 1, { topics: [{ name: TOPIC }] })),
    ...nodes.map((client, index) => client.ask(produce, 9, produceTo((index % 3) + 1, [`${index}`]))),
  ]);
  t.equal(answers.length, 100);
  for (const { node, tally } of cluster.brokers) t.ok(tally.peak <= cap, `broker ${node}: ${tally.peak} connections`);
  t.equal(valuesOf(cluster).length, 50);
  t.strictSame(sidecar.closes, []);
});
