/** H18: connections and brokers that fall silent without a word. */
import t from 'tap';
import { produce } from '../../src/demo/kafka/messages/produce.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import { until } from '../support/until.ts';
import { createTopic, produceTo, valuesOf } from './requests.ts';
import { connect, startSidecar } from './sidecar.ts';

t.test(
  'H18: a connection that died in silence while it was idle costs a client a moment, not its request',
  async (t) => {
    const cluster = await startCluster(t, { brokers: 1 });
    createTopic(cluster);
    const sidecar = await startSidecar(t, cluster, { pool: { validateAfterIdleSeconds: 0.05 } });
    const client = await connect(t, sidecar, 1);
    await client.ask(produce, 9, produceTo(1, ['before']));
    for (const connection of cluster.broker(1).connections) connection.freeze();
    await new Promise((resolve) => setTimeout(resolve, 80));
    const start = performance.now();
    client.send(produce, 9, produceTo(1, ['after']));
    await client.frame();
    t.ok(performance.now() - start < 4000, `answered after ${performance.now() - start} ms`);
    t.equal(client.ending, 'open');
    t.strictSame(valuesOf(cluster), ['before', 'after']);
    t.strictSame(sidecar.closes, []);
  },
);

t.test('H18: an answer that never comes ends the wait of that client, and of no other', async (t) => {
  const cluster = await startCluster(t, { brokers: 1 });
  createTopic(cluster);
  const sidecar = await startSidecar(t, cluster, {
    limits: { responseTimeoutSeconds: 0.4 },
    pool: { slowAnswerMilliseconds: 50 },
  });
  const [victim, other] = [await connect(t, sidecar, 1), await connect(t, sidecar, 1)];
  cluster.onRequest = (_, { api, clientId }) => (api === 'Produce' && clientId === 'raw' ? 'stall' : 'answer');
  victim.send(produce, 9, produceTo(1, ['lost']));
  await until('it is being served', () => cluster.requests.some(({ api }) => api === 'Produce'));
  cluster.onRequest = undefined;
  await other.ask(produce, 9, produceTo(1, ['from another']));
  t.equal(victim.ending, 'open', 'it waits');
  t.not(await victim.ended(5000), 'open');
  await other.ask(produce, 9, produceTo(1, ['and again']));
  t.strictSame(sidecar.closes, ['upstream_lost']);
  t.ok(sidecar.releases.includes('response_timeout'), String(sidecar.releases));
  t.strictSame(valuesOf(cluster), ['from another', 'and again']);
});

t.test('H18: a broker that accepts and is silent looks dead, and when it answers again it is used again', async (t) => {
  const cluster = await startCluster(t, { brokers: 1 });
  createTopic(cluster);
  const sidecar = await startSidecar(t, cluster, { upstream: { dialTimeoutMilliseconds: 200 } });
  const client = await connect(t, sidecar, 1);
  await sidecar.asleep(cluster);
  cluster.broker(1).freeze();
  client.send(produce, 9, produceTo(1, ['too early']));
  t.equal(await client.ended(), 'reset', 'as if it had been connected to a dead broker');
  t.strictSame(sidecar.closes, ['upstream_unavailable']);
  await until('new clients are refused', () => sidecar.route.listeners.addressOf('1') === null);
  await t.rejects(connect(t, sidecar, 1), { code: 'ECONNREFUSED' });
  cluster.broker(1).thaw();
  await until('it is reachable again', () => sidecar.route.listeners.addressOf('1') !== null, 12_000);
  const again = await connect(t, sidecar, 1);
  const answer = await again.ask(produce, 9, produceTo(1, ['in time']));
  t.equal(answer.topics[0]?.partitions[0]?.errorCode, 0);
  t.strictSame(valuesOf(cluster), ['in time']);
});
