/** The faults that a script can make an embedded broker have, each seen from the other end of a socket. */
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { apiVersions } from '../../src/demo/kafka/messages/api-versions.ts';
import { describeCluster } from '../../src/demo/kafka/messages/describe-cluster.ts';
import { findCoordinator } from '../../src/demo/kafka/messages/find-coordinator.ts';
import { metadata } from '../../src/demo/kafka/messages/metadata.ts';
import type { RequestAction } from '../../src/demo/kafka/net/requests.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

const ALL = { topics: null };

t.test('a hook decides what happens to a request', async (t) => {
  const cluster = await startCluster(t, { brokers: 1 });
  const broker = cluster.broker(1);
  let action: RequestAction | undefined;
  cluster.onRequest = () => action;
  const under = async (next: RequestAction): Promise<RawClient> => {
    action = next;
    const client = await RawClient.connect(t, broker.port);
    client.send(metadata, 1, ALL);
    return client;
  };

  t.test('close, reset', async (t) => {
    t.equal(await (await under('close')).ended(), 'fin');
    t.equal(await (await under('reset')).ended(), 'reset');
  });
  t.test('stall: no answer to it, nor to what is behind it', async (t) => {
    const client = await under('stall');
    client.send(metadata, 1, ALL);
    await until('it is received', () => broker.connections.some(({ isBusy }) => isBusy));
    await pause(50);
    t.equal(client.bytes.length, 0);
    t.equal(client.ending, 'open');
  });
  t.test('delay', async (t) => {
    const start = performance.now();
    await (await under({ delayMilliseconds: 80 })).frame();
    t.ok(performance.now() - start >= 78);
  });
  t.test('throttle: the answer says so, and the next request waits (KIP-219)', async (t) => {
    const client = await under('answer');
    await client.frame();
    action = { throttleMilliseconds: 90 };
    const start = performance.now();
    const { throttleTimeMs } = await client.ask(metadata, 3, ALL);
    t.equal(throttleTimeMs, 90);
    action = 'answer';
    await client.ask(metadata, 3, ALL);
    t.ok(performance.now() - start >= 88, 'it was not read before');
  });
  t.test('a wrong correlation id, a wrong length, a negative one', async (t) => {
    const wrong = await (await under({ corrupt: 'correlation' })).frame();
    t.not(wrong.readInt32BE(), 0);
    for (const corrupt of ['length', 'negative length'] as const) {
      const client = await under({ corrupt });
      client.socket.removeAllListeners('data');
      const bytes: Buffer = await new Promise((resolve) => client.socket.once('data', resolve));
      t.equal(bytes.readInt32BE(), corrupt === 'length' ? 2 ** 31 - 1 : -1);
    }
  });
  t.test('a cut answer, with FIN and with RST', async (t) => {
    const client = await under({ closeAfterBytes: 7 });
    t.equal(await client.ended(), 'fin');
    t.equal(client.bytes.length, 7);
    const pipelining = await under({ resetAfterBytes: 7 });
    pipelining.send(metadata, 1, ALL);
    t.equal(await pipelining.ended(), 'reset');
    t.ok(pipelining.bytes.length <= 7, 'what is behind it is never served');
  });
  t.test('another answer', async (t) => {
    const client = await under('answer');
    await client.frame();
    action = { change: (answer) => ({ ...answer, controllerId: 77 }) };
    t.equal((await client.ask(metadata, 1, ALL)).controllerId, 77);
    action = { answerBytes: Buffer.from('anything') };
    client.send(metadata, 1, ALL);
    t.equal((await client.frame()).toString('latin1', 4), 'anything');
  });
  t.test("a broker's own hook comes first, and a promise holds the connection up", async (t) => {
    let release: ((action: RequestAction) => void) | undefined;
    action = 'close';
    broker.onRequest = () => new Promise((resolve) => (release = resolve));
    const client = await RawClient.connect(t, broker.port);
    client.send(metadata, 1, ALL);
    await until('the hook is asked', () => release !== undefined);
    release?.('answer');
    await client.frame();
    broker.onRequest = undefined;
    client.send(metadata, 1, ALL);
    t.equal(await client.ended(), 'fin', 'without it the cluster decides');
  });
});

t.test('a broker that is frozen is silent, and goes on where it was once it thaws', async (t) => {
  const cluster = await startCluster(t, { brokers: 1 });
  const broker = cluster.broker(1);
  const client = await RawClient.connect(t, broker.port);
  await client.ask(metadata, 1, ALL);
  broker.freeze();
  client.send(metadata, 1, ALL);
  const late = await RawClient.connect(t, broker.port);
  late.send(metadata, 1, ALL);
  await pause(60);
  t.equal(client.frames.length + late.frames.length, 0);
  t.equal(broker.requests.length, 1);
  broker.thaw();
  await Promise.all([client.frame(), late.frame()]);
});

t.test('a connection that is frozen leaves the others alone', async (t) => {
  const cluster = await startCluster(t, { brokers: 1 });
  const broker = cluster.broker(1);
  const client = await RawClient.connect(t, broker.port);
  const other = await RawClient.connect(t, broker.port);
  await client.ask(metadata, 1, ALL);
  await other.ask(metadata, 1, ALL);
  broker.connections[0]?.freeze();
  client.send(metadata, 1, ALL);
  await other.ask(metadata, 1, ALL);
  t.equal(client.frames.length, 0);
  broker.connections[0]?.thaw();
  await client.frame();
});

t.test('bytes that nobody asked for, FIN on what is idle, an answer byte by byte', async (t) => {
  const cluster = await startCluster(t, { brokers: 1 });
  const broker = cluster.broker(1);
  const client = await RawClient.connect(t, broker.port);
  await client.ask(metadata, 1, ALL);
  broker.connections[0]?.send(Buffer.from([0, 0, 0, 4, 1, 2, 3, 4]));
  t.strictSame([...(await client.frame())], [1, 2, 3, 4]);
  broker.trickles = true;
  t.equal((await client.ask(metadata, 1, ALL)).brokers.length, 1);
  t.ok(client.received.length > 10, `in ${client.received.length} pieces`);
  t.equal(broker.closeIdle(), 1);
  t.equal(await client.ended(), 'fin');
});

t.test('a broker that is killed resets and refuses, and comes back at the same port or at another', async (t) => {
  const cluster = await startCluster(t);
  cluster.createTopic('orders', { partitions: 3 });
  const { port } = cluster.broker(2);
  const client = await RawClient.connect(t, port);
  const bystander = await RawClient.connect(t, cluster.broker(1).port);
  cluster.kill(2);
  t.equal(await client.ended(), 'reset');
  await t.rejects(RawClient.connect(t, port), { code: 'ECONNREFUSED' });
  const without = await bystander.ask(metadata, 1, ALL);
  t.strictSame(
    without.brokers.map(({ nodeId }) => nodeId),
    [1, 3],
  );
  t.strictSame(cluster.leaderless, [], 'others lead');
  await cluster.revive(2);
  t.equal(cluster.broker(2).port, port);
  await RawClient.connect(t, port);
  cluster.kill(2);
  await cluster.revive(2, 0);
  await RawClient.connect(t, cluster.broker(2).port);
  const again = await bystander.ask(metadata, 1, ALL);
  t.equal(again.brokers.find(({ nodeId }) => nodeId === 2)?.port, cluster.broker(2).port);
});

t.test('a broker that nobody has noticed to be dead stays in the metadata', async (t) => {
  const cluster = await startCluster(t);
  cluster.createTopic('orders', { partitions: 3 });
  const client = await RawClient.connect(t, cluster.broker(1).port);
  cluster.kill(2, { noticed: false });
  t.equal((await client.ask(metadata, 1, ALL)).brokers.length, 3);
  cluster.notice(2);
  t.equal((await client.ask(metadata, 1, ALL)).brokers.length, 2);
});

t.test('brokers are added and removed, leaders and coordinators move, addresses and the cluster change', async (t) => {
  const cluster = await startCluster(t, { brokers: 2 });
  cluster.createTopic('orders', { partitions: 2 });
  const { node } = await cluster.addBroker();
  t.equal(node, 3);
  const client = await RawClient.connect(t, cluster.broker(3).port);
  cluster.moveLeader('orders', 0, 3);
  cluster.moveCoordinator('group', 3);
  cluster.advertise = (id) => ({ host: `broker-${id}.test`, port: 9000 + id });
  cluster.id = 'another';
  const { brokers, clusterId, topics } = await client.ask(metadata, 5, ALL);
  t.strictSame(
    brokers.map(({ host, port }) => `${host}:${port}`),
    ['broker-1.test:9001', 'broker-2.test:9002', 'broker-3.test:9003'],
  );
  t.equal(clusterId, 'another');
  t.equal(topics[0]?.partitions[0]?.leaderId, 3);
  t.match(await client.ask(findCoordinator, 1, { key: 'group', keyType: 0 }), { nodeId: 3, host: 'broker-3.test' });
  const described = await client.ask(describeCluster, 1, { includeClusterAuthorizedOperations: false });
  t.match(described, { clusterId: 'another', endpointType: 1 });
  t.equal(described.brokers.length, 3);
  const other = await RawClient.connect(t, cluster.broker(1).port);
  cluster.removeBroker(3);
  t.equal(await client.ended(), 'fin');
  t.equal((await other.ask(metadata, 5, ALL)).brokers.length, 2);
});

t.test('a broker offers what it is told to, and refuses the rest', async (t) => {
  const cluster = await startCluster(t, { brokers: 1 });
  const broker = cluster.broker(1);
  broker.offer('Metadata', { min: 1, max: 4 });
  broker.offer('Fetch', null);
  broker.offer(999, { min: 0, max: 0 });
  const client = await RawClient.connect(t, broker.port);
  const { apiKeys } = await client.ask(apiVersions, 0, {});
  const range = (key: number) => apiKeys.find((each) => each.key === key);
  t.match(range(3), { min: 1, max: 4 });
  t.equal(range(1), undefined);
  t.match(range(999), { min: 0, max: 0 });
  client.send(metadata, 5, ALL);
  t.equal(await client.ended(), 'fin');
});

t.test('connections and bytes are counted, at each broker and in all', async (t) => {
  const cluster = await startCluster(t, { brokers: 2 });
  const clients = await Promise.all([1, 1, 2].map((node) => RawClient.connect(t, cluster.broker(node).port)));
  await until('all are accepted', () => cluster.tally.accepted === 3);
  t.match(cluster.broker(1).tally, { open: 2, peak: 2, accepted: 2 });
  await clients[0]?.ask(metadata, 1, ALL);
  t.equal(cluster.bytesOut, clients[0]?.bytes.length);
  t.equal(cluster.bytesIn, clients[0]?.socket.bytesWritten);
  t.equal(cluster.broker(2).bytesIn, 0);
  for (const { socket } of clients) socket.end();
  await until('all are gone', () => cluster.tally.open === 0);
  t.match(cluster.tally, { open: 0, peak: 3, accepted: 3 });
  cluster.tally.resetPeak();
  t.equal(cluster.tally.peak, 0);
  const [request] = cluster.requests;
  t.match(request, { node: 1, api: 'Metadata', key: 3, version: 1, clientId: 'raw', acks: null });
  cluster.forgetRequests();
  t.equal(cluster.requests.length, 0);
});

t.test('a cluster that is stopped leaves nothing behind, whatever was going on', async (t) => {
  const cluster = await startCluster(t, { brokers: 1 });
  const { port } = cluster.broker(1);
  cluster.onRequest = () => ({ delayMilliseconds: 60_000 });
  const client = await RawClient.connect(t, port);
  client.send(metadata, 1, ALL);
  await until('it is being served', () => cluster.pendingTimers === 1);
  await cluster.stop();
  t.equal(cluster.pendingTimers, 0);
  t.equal(cluster.tally.open, 0);
  const error = await new Promise((resolve) => connect({ host: '127.0.0.1', port }).once('error', resolve));
  t.match(error, { code: 'ECONNREFUSED' });
});
