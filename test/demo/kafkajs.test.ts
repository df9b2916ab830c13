/** kafkajs and the embedded cluster, without a sidecar. */
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import t, { type Test } from 'tap';
import type { EmbeddedCluster } from '../../src/demo/kafka/embedded-cluster.ts';
import { muteTimerWarnings } from '../../src/demo/timer-warnings.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import { until } from '../support/until.ts';

const TOPIC = 'orders';

t.teardown(muteTimerWarnings());

function kafkaOf(cluster: EmbeddedCluster): Kafka {
  return new Kafka({ clientId: 'kafkajs', brokers: cluster.bootstrap, logLevel: logLevel.NOTHING });
}

async function sendNumbers(kafka: Kafka, from: number, to: number, settings: { idempotent?: boolean } = {}) {
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, ...settings });
  await producer.connect();
  for (let number = from; number < to; number += 1)
    await producer.send({ topic: TOPIC, messages: [{ value: String(number), partition: number % 3 }] });
  await producer.disconnect();
}

/** Values by consumer, in the order in which they came. */
async function consume(t: Test, kafka: Kafka, count: number, groupId = 'group') {
  const members = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const consumer = kafka.consumer({
        groupId,
        heartbeatInterval: 100,
        rebalanceTimeout: 5000,
        sessionTimeout: 6000,
        maxWaitTimeInMs: 200,
      });
      const member = { index, consumer, values: [] as string[], isAssigned: false };
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
        member.isAssigned = (payload.memberAssignment[TOPIC] ?? []).length > 0;
      });
      await consumer.connect();
      await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
      return member;
    }),
  );
  t.teardown(() => Promise.all(members.map(({ consumer }) => consumer.disconnect())));
  await Promise.all(
    members.map(({ consumer, values }) =>
      consumer.run({
        autoCommitThreshold: 1,
        eachMessage: async ({ message }) => void values.push(`${message.value}`),
      }),
    ),
  );
  return members;
}

t.test('kafkajs produces, idempotently too, and consumes what it produced', async (t) => {
  const cluster = await startCluster(t);
  cluster.createTopic(TOPIC, { partitions: 3 });
  const kafka = kafkaOf(cluster);
  await sendNumbers(kafka, 0, 6);
  await sendNumbers(kafka, 6, 12, { idempotent: true });
  const [member] = await consume(t, kafka, 1);
  await until('all are received', () => member?.values.length === 12);
  t.strictSame(
    member?.values.map(Number).sort((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  );
  const perPartition = Map.groupBy(member?.values ?? [], (value) => Number(value) % 3);
  for (const [partition, values] of perPartition)
    t.strictSame(
      values,
      values.toSorted((a, b) => Number(a) - Number(b)),
      `partition ${partition} in order`,
    );
  t.strictSame(cluster.complaints, []);
});

t.test(
  'three kafkajs consumers share a group, and when one leaves the others take over from where it was',
  async (t) => {
    const cluster = await startCluster(t);
    cluster.createTopic(TOPIC, { partitions: 3 });
    const kafka = kafkaOf(cluster);
    const members = await consume(t, kafka, 3);
    await until('every member has a partition', () => members.every(({ isAssigned }) => isAssigned));
    t.equal(cluster.groups[0]?.members.length, 3);
    await sendNumbers(kafka, 0, 9);
    const received = (): number[] => members.flatMap(({ values }) => values.map(Number));
    await until('the three received all', () => received().length === 9);
    t.ok(
      members.every(({ values }) => values.length === 3),
      'a partition each',
    );
    await members[0]?.consumer.disconnect();
    await until('the group has settled', () => {
      const [group] = cluster.groups;
      return group?.state === 'stable' && group.members.length === 2;
    });
    await sendNumbers(kafka, 9, 18);
    await until('the two received all', () => received().length >= 18);
    t.strictSame(
      received().sort((a, b) => a - b),
      Array.from({ length: 18 }, (_, number) => number),
      'each once',
    );
    t.equal(members[0]?.values.length, 3, 'who has left receives no more');
    t.strictSame(cluster.complaints, []);
  },
);

t.test('a kafkajs transaction that is aborted is not seen, one that is committed is', async (t) => {
  const cluster = await startCluster(t);
  cluster.createTopic(TOPIC, { partitions: 3 });
  const kafka = kafkaOf(cluster);
  const producer = kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    transactionalId: 'tx',
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  for (const outcome of ['abort', 'commit'] as const) {
    const transaction = await producer.transaction();
    await transaction.send({ topic: TOPIC, messages: [{ value: outcome, partition: 0 }] });
    await transaction[outcome]();
  }
  await producer.disconnect();
  const [member] = await consume(t, kafka, 1);
  await until('something is received', () => (member?.values.length ?? 0) > 0);
  t.strictSame(member?.values, ['commit']);
  t.equal(cluster.messages(TOPIC).length, 2, 'both are in the log');
  t.strictSame(cluster.complaints, []);
});

t.test('the kafkajs admin client creates, describes and deletes topics, and reads and sets offsets', async (t) => {
  const cluster = await startCluster(t, { autoCreateTopics: false });
  const kafka = kafkaOf(cluster);
  const admin = kafka.admin();
  await admin.connect();
  t.teardown(() => admin.disconnect());
  t.equal(await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 3 }] }), true);
  t.strictSame(await admin.listTopics(), [TOPIC]);
  await sendNumbers(kafka, 0, 4);
  t.strictSame(
    (await admin.fetchTopicOffsets(TOPIC)).map(({ partition, high }) => ({ partition, high })),
    [
      { partition: 0, high: '2' },
      { partition: 1, high: '1' },
      { partition: 2, high: '1' },
    ],
  );
  await admin.setOffsets({ groupId: 'group', topic: TOPIC, partitions: [{ partition: 0, offset: '1' }] });
  const [offsets] = await admin.fetchOffsets({ groupId: 'group', topics: [TOPIC] });
  t.equal(offsets?.partitions.find(({ partition }) => partition === 0)?.offset, '1');
  const { brokers, clusterId, controller } = await admin.describeCluster();
  t.strictSame(
    brokers.map(({ nodeId, host, port }) => ({ nodeId, address: `${host}:${port}` })),
    cluster.brokers.map(({ node, address }) => ({ nodeId: node, address })),
  );
  t.equal(clusterId, cluster.id);
  t.equal(controller, 1);
  await admin.deleteTopics({ topics: [TOPIC] });
  t.strictSame(await admin.listTopics(), []);
  t.strictSame(cluster.complaints, []);
});

t.test('kafkajs follows a leader that moves, and a broker that dies and comes back', async (t) => {
  const cluster = await startCluster(t);
  cluster.createTopic(TOPIC, { partitions: 3 });
  const kafka = kafkaOf(cluster);
  const producer = kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    retry: { initialRetryTime: 20, retries: 20 },
  });
  await producer.connect();
  const send = (value: string) =>
    producer.send({ topic: TOPIC, acks: -1, messages: [{ value, partition: 0 }] }).then(() => undefined);
  await send('first');
  const leader = cluster.partition(TOPIC, 0).leader;
  const other = cluster.brokers.find(({ node }) => node !== leader)?.node ?? 0;
  cluster.moveLeader(TOPIC, 0, other);
  await send('moved');
  cluster.kill(other);
  t.not(cluster.partition(TOPIC, 0).leader, other, 'another leads');
  await send('killed');
  await cluster.revive(other);
  cluster.moveLeader(TOPIC, 0, other);
  await send('revived');
  await producer.disconnect();
  const values = cluster.messages(TOPIC).map(({ value }) => value);
  t.strictSame(values, ['first', 'moved', 'killed', 'revived']);
  t.strictSame(cluster.complaints, []);
});
