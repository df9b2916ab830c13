/** What an embedded broker does that client libraries do not show: order, long polls, sequences, refusals. */
import t from 'tap';
import { apiVersions } from '../../src/demo/kafka/messages/api-versions.ts';
import { fetch } from '../../src/demo/kafka/messages/fetch.ts';
import { initProducerId } from '../../src/demo/kafka/messages/init-producer-id.ts';
import { metadata } from '../../src/demo/kafka/messages/metadata.ts';
import { produce } from '../../src/demo/kafka/messages/produce.ts';
import { ErrorCode } from '../../src/demo/kafka/state/error-codes.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import { RawClient } from '../support/raw-client.ts';
import { type BatchOptions, batchOf } from '../support/record-batch.ts';
import { until } from '../support/until.ts';

const TOPIC = 'orders';

function produceRequest(values: readonly string[], acks = -1, options: BatchOptions = {}, topicId = '') {
  const partitions = [{ index: 0, records: batchOf(values, options) }];
  return { transactionalId: null, acks, timeoutMs: 1000, topics: [{ name: TOPIC, topicId, partitions }] };
}

function fetchRequest(fetchOffset: number, maxWaitMs: number, topicId = '') {
  const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 1_000_000 }];
  const topics = [{ topic: TOPIC, topicId, partitions }];
  return { maxWaitMs, minBytes: 1, maxBytes: 1_000_000, isolationLevel: 0, topics };
}

t.test(
  'one request is served at a time: behind a long poll everything waits, and answers keep the order',
  async (t) => {
    const cluster = await startCluster(t, { brokers: 1 });
    cluster.createTopic(TOPIC, { partitions: 1 });
    const { port } = cluster.broker(1);
    const client = await RawClient.connect(t, port);
    const ids = [client.send(fetch, 4, fetchRequest(0, 30_000)), client.send(metadata, 1, { topics: null })];
    await until('the fetch is being served', () => cluster.requests.length === 1);
    t.equal(client.frames.length, 0, 'neither is answered');
    const other = await RawClient.connect(t, port);
    await other.ask(produce, 3, produceRequest(['one']));
    t.strictSame([(await client.frame()).readInt32BE(), (await client.frame()).readInt32BE()], ids);
    t.strictSame(cluster.complaints, []);
  },
);

t.test('a fetch waits for its time and no longer, and not at all when there is something', async (t) => {
  const cluster = await startCluster(t, { brokers: 1 });
  cluster.createTopic(TOPIC, { partitions: 1 });
  const client = await RawClient.connect(t, cluster.broker(1).port);
  const start = performance.now();
  const empty = await client.ask(fetch, 12, fetchRequest(0, 120));
  const waited = performance.now() - start;
  t.ok(waited >= 115 && waited < 2000, `waited ${waited} ms`);
  t.equal(empty.topics[0]?.partitions[0]?.records?.length, 0);
  await client.ask(produce, 9, produceRequest(['one', 'two']));
  const found = await client.ask(fetch, 12, fetchRequest(0, 30_000));
  t.match(found.topics[0]?.partitions[0], { errorCode: 0, highWatermark: 2 });
  t.ok((found.topics[0]?.partitions[0]?.records?.length ?? 0) > 0);
});

t.test('every version of Produce and Fetch stores and finds the messages', async (t) => {
  const cluster = await startCluster(t, { brokers: 1 });
  const { id } = cluster.createTopic(TOPIC, { partitions: 1 });
  const client = await RawClient.connect(t, cluster.broker(1).port);
  let offset = 0;
  for (let version = produce.min; version <= produce.max; version += 1) {
    const answer = await client.ask(produce, version, produceRequest([`v${version}`], -1, {}, id));
    t.match(answer.topics[0]?.partitions[0], { errorCode: 0, baseOffset: offset }, `Produce ${version}`);
    offset += 1;
  }
  for (let version = fetch.min; version <= fetch.max; version += 1) {
    const answer = await client.ask(fetch, version, fetchRequest(offset - 1, 0, id));
    const [partition] = answer.topics[0]?.partitions ?? [];
    t.match(partition, { errorCode: 0, highWatermark: offset }, `Fetch ${version}`);
    t.equal(Number(partition?.records?.readBigInt64BE()), offset - 1, 'the batch knows its offset');
  }
  t.strictSame(
    cluster.messages(TOPIC).map(({ value }) => value),
    Array.from({ length: offset }, (_, index) => `v${index + produce.min}`),
  );
});

t.test('a repeated batch of an idempotent producer is stored once, a gap is refused, an old epoch too', async (t) => {
  const cluster = await startCluster(t, { brokers: 1 });
  cluster.createTopic(TOPIC, { partitions: 1 });
  const client = await RawClient.connect(t, cluster.broker(1).port);
  const { producerId, producerEpoch } = await client.ask(initProducerId, 4, {
    transactionalId: null,
    transactionTimeoutMs: 1000,
  });
  t.ok(producerId > 0);
  const send = async (values: readonly string[], baseSequence: number, epoch = producerEpoch) => {
    const options = { producerId, producerEpoch: epoch, baseSequence };
    const answer = await client.ask(produce, 9, produceRequest(values, -1, options));
    const { errorCode, baseOffset } = answer.topics[0]?.partitions[0] ?? {};
    return { errorCode, baseOffset };
  };
  t.strictSame(await send(['a', 'b'], 0), { errorCode: 0, baseOffset: 0 });
  t.strictSame(await send(['c'], 2), { errorCode: 0, baseOffset: 2 });
  t.strictSame(await send(['a', 'b'], 0), { errorCode: 0, baseOffset: 0 }, 'as the first time');
  t.match(await send(['e'], 4), { errorCode: ErrorCode.outOfOrderSequenceNumber });
  t.strictSame(await send(['d'], 0, producerEpoch + 1), { errorCode: 0, baseOffset: 3 });
  t.match(await send(['c'], 3), { errorCode: ErrorCode.invalidProducerEpoch });
  t.strictSame(
    cluster.messages(TOPIC).map(({ value }) => value),
    ['a', 'b', 'c', 'd'],
  );
});

t.test('acks=0 is never answered, and an error of it closes the connection', async (t) => {
  const cluster = await startCluster(t, { brokers: 1 });
  cluster.createTopic(TOPIC, { partitions: 1 });
  const client = await RawClient.connect(t, cluster.broker(1).port);
  client.send(produce, 9, produceRequest(['one'], 0));
  t.equal((await client.ask(apiVersions, 0, {})).errorCode, 0, 'the next answer is that to the next request');
  t.equal(client.ending, 'open');
  t.equal(cluster.messages(TOPIC).length, 1);
  const damaged = produceRequest(['two'], 0);
  damaged.topics[0]?.partitions[0]?.records.writeInt8(99, 70);
  client.send(produce, 9, damaged);
  t.equal(await client.ended(), 'fin');
  t.equal(cluster.messages(TOPIC).length, 1);
});

t.test('a damaged batch is refused as corrupt', async (t) => {
  const cluster = await startCluster(t, { brokers: 1 });
  cluster.createTopic(TOPIC, { partitions: 1 });
  const client = await RawClient.connect(t, cluster.broker(1).port);
  const damaged = produceRequest(['two']);
  damaged.topics[0]?.partitions[0]?.records.writeInt8(99, 70);
  const answer = await client.ask(produce, 9, damaged);
  t.match(answer.topics[0]?.partitions[0], { errorCode: ErrorCode.corruptMessage });
});

t.test('a broker that does not lead a partition says who does, and since version 10 where', async (t) => {
  const cluster = await startCluster(t, {
    brokers: 2,
    advertise: (node) => ({ host: `broker-${node}.test`, port: 9092 }),
  });
  cluster.createTopic(TOPIC, { replicas: [[1, 2]] });
  cluster.moveLeader(TOPIC, 0, 2);
  const client = await RawClient.connect(t, cluster.broker(1).port);
  const old = await client.ask(produce, 9, produceRequest(['one']));
  t.match(old.topics[0]?.partitions[0], { errorCode: ErrorCode.notLeaderOrFollower });
  t.equal(old.nodeEndpoints, undefined);
  const answer = await client.ask(produce, 10, produceRequest(['one']));
  t.match(answer.topics[0]?.partitions[0], { currentLeader: { leaderId: 2, leaderEpoch: 1 } });
  t.match(answer.nodeEndpoints, [{ nodeId: 2, host: 'broker-2.test', port: 9092 }]);
});

t.test('an unknown version of ApiVersions is answered in version 0 with error 35 (KIP-511)', async (t) => {
  const cluster = await startCluster(t, { brokers: 1 });
  const client = await RawClient.connect(t, cluster.broker(1).port);
  client.socket.write(Buffer.from([0, 0, 0, 14, 0, 18, 0, 127, 0, 0, 0, 9, 255, 255, 0, 1, 1, 0]));
  const answer = await client.frame();
  t.equal(answer.readInt32BE(0), 9, 'the correlation id');
  t.equal(answer.readInt16BE(4), ErrorCode.unsupportedVersion);
  t.equal(answer.readInt32BE(6), 1, 'one API');
  t.strictSame([answer.readInt16BE(10), answer.readInt16BE(12), answer.readInt16BE(14)], [18, 0, 4]);
  for (let version = 0; version <= 4; version += 1) {
    const next = await RawClient.connect(t, cluster.broker(1).port);
    const { apiKeys } = await next.ask(apiVersions, version, { clientSoftwareName: 'raw', clientSoftwareVersion: '1' });
    t.match(
      apiKeys.find(({ key }) => key === 0),
      { min: 0, max: 13 },
      `version ${version}`,
    );
  }
});

t.test('every version of Metadata names the brokers, the cluster and the topic', async (t) => {
  const cluster = await startCluster(t, { clusterId: 'embedded' });
  const { id } = cluster.createTopic(TOPIC, { partitions: 6 });
  const client = await RawClient.connect(t, cluster.broker(2).port);
  for (let version = metadata.min; version <= metadata.max; version += 1) {
    const answer = await client.ask(metadata, version, { topics: [{ name: TOPIC }] });
    t.strictSame(
      answer.brokers.map(({ nodeId, host, port }) => `${nodeId} ${host}:${port}`),
      cluster.brokers.map(({ node, address }) => `${node} ${address}`),
      `version ${version}`,
    );
    t.equal(answer.clusterId, version >= 2 ? 'embedded' : null);
    t.equal(answer.topics[0]?.topicId, version >= 10 ? id : answer.topics[0]?.topicId);
    t.equal(new Set(answer.topics[0]?.partitions.map(({ leaderId }) => leaderId)).size, 3, 'leaders go round');
  }
});

t.test('unknown APIs and versions, and bytes that are no requests, end the connection and nothing else', async (t) => {
  const cluster = await startCluster(t, { brokers: 1 });
  const { port } = cluster.broker(1);
  const bystander = await RawClient.connect(t, port);
  for (const [name, bytes] of [
    ['an unknown API', [0, 0, 0, 10, 1, 44, 0, 0, 0, 0, 0, 1, 255, 255]],
    ['an unknown version', [0, 0, 0, 10, 0, 3, 0, 99, 0, 0, 0, 1, 255, 255]],
    ['a negative length', [255, 255, 255, 255]],
    ['a huge length', [127, 255, 255, 255]],
    ['a body that is too short', [0, 0, 0, 12, 0, 3, 0, 1, 0, 0, 0, 1, 255, 255, 0, 0]],
    ['HTTP', [...Buffer.from('GET / HTTP/1.1\r\n\r\n')]],
  ] as const) {
    const client = await RawClient.connect(t, port);
    client.socket.write(Buffer.from(bytes));
    t.not(await client.ended(), 'open', name);
    t.equal(client.bytes.length, 0, `${name} has no answer`);
  }
  t.equal((await bystander.ask(apiVersions, 3, {})).errorCode, 0);
});
