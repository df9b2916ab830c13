/** @platformatic/kafka and the embedded cluster, without a sidecar: it speaks later versions than kafkajs. */
import { Admin, Consumer, ProduceAcks, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka';
import t, { type Test } from 'tap';
import type { EmbeddedCluster } from '../../src/demo/kafka/embedded-cluster.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import { until } from '../support/until.ts';

const TOPIC = 'orders';

async function send(cluster: EmbeddedCluster, values: readonly string[], idempotent: boolean): Promise<void> {
  const producer = new Producer({
    clientId: 'producer',
    bootstrapBrokers: cluster.bootstrap,
    serializers: stringSerializers,
    idempotent,
  });
  for (const value of values)
    await producer.send({ acks: ProduceAcks.ALL, messages: [{ topic: TOPIC, value, partition: Number(value) % 3 }] });
  await producer.close(true);
}

async function consume(t: Test, cluster: EmbeddedCluster, count: number) {
  const members = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const consumer = new Consumer({
        clientId: `consumer-${index}`,
        groupId: 'group',
        bootstrapBrokers: cluster.bootstrap,
        deserializers: stringDeserializers,
        heartbeatInterval: 200,
        maxWaitTime: 200,
      });
      let isClosed = false;
      const close = async (): Promise<void> => {
        if (!isClosed) await consumer.close(true);
        isClosed = true;
      };
      t.teardown(close);
      const stream = await consumer.consume({
        topics: [TOPIC],
        mode: 'committed',
        fallbackMode: 'earliest',
        autocommit: 50,
      });
      const values: number[] = [];
      stream.on('data', ({ value }) => values.push(Number(value)));
      stream.on('error', (error) => t.fail(error));
      return { values, close };
    }),
  );
  return members;
}

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => String(from + index));

t.test('@platformatic/kafka produces, idempotently too, and consumes what it produced', async (t) => {
  const cluster = await startCluster(t);
  cluster.createTopic(TOPIC, { partitions: 3 });
  await send(cluster, numbers(0, 6), false);
  await send(cluster, numbers(6, 12), true);
  const [member] = await consume(t, cluster, 1);
  await until('all are received', () => member?.values.length === 12);
  t.strictSame(
    member?.values.sort((a, b) => a - b),
    numbers(0, 12).map(Number),
  );
  const spoken = Map.groupBy(cluster.requests, ({ api }) => api);
  for (const [api, version] of [
    ['Produce', 11],
    ['Fetch', 15],
    ['ApiVersions', 3],
    ['Metadata', 12],
  ] as const)
    t.ok((spoken.get(api)?.[0]?.version ?? 0) >= version, `${api} in version ${spoken.get(api)?.[0]?.version}`);
  t.strictSame(cluster.complaints, []);
});

t.test('three @platformatic/kafka consumers share a group, and one leaves', async (t) => {
  const cluster = await startCluster(t);
  cluster.createTopic(TOPIC, { partitions: 3 });
  const members = await consume(t, cluster, 3);
  await until('three are in the group', () => {
    const [group] = cluster.groups;
    return group?.state === 'stable' && group.members.length === 3;
  });
  await send(cluster, numbers(0, 9), false);
  const received = (): number[] => members.flatMap(({ values }) => values);
  await until('the three received all', () => received().length >= 9);
  await members[0]?.close();
  await until('the group has settled', () => {
    const [group] = cluster.groups;
    return group?.state === 'stable' && group.members.length === 2;
  });
  await send(cluster, numbers(9, 18), false);
  await until('the two received the rest', () => new Set(received()).size === 18);
  t.strictSame(
    [...new Set(received())].sort((a, b) => a - b),
    numbers(0, 18).map(Number),
  );
  t.strictSame(cluster.complaints, []);
});

t.test('the @platformatic/kafka admin client creates and deletes topics and lists groups', async (t) => {
  const cluster = await startCluster(t, { autoCreateTopics: false });
  const admin = new Admin({ clientId: 'admin', bootstrapBrokers: cluster.bootstrap });
  t.teardown(() => admin.close());
  const [created] = await admin.createTopics({ topics: [TOPIC], partitions: 4, replicas: 2 });
  t.match(created, { name: TOPIC, partitions: 4, replicas: 2 });
  t.strictSame(await admin.listTopics(), [TOPIC]);
  await admin.deleteTopics({ topics: [TOPIC] });
  t.strictSame(await admin.listTopics(), []);
  t.strictSame(await admin.listGroups(), new Map());
  t.strictSame(cluster.complaints, []);
});
