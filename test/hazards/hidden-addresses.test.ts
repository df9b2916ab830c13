/** H16: brokers advertise names that nobody can resolve, and no client ever sees one of them. */
import { Consumer, ProduceAcks, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import t from 'tap';
import { tcpNetwork } from '../../src/core/socket-wire.ts';
import type { Network, Wire } from '../../src/core/wire.ts';
import { describeCluster } from '../../src/demo/kafka/messages/describe-cluster.ts';
import { fetch } from '../../src/demo/kafka/messages/fetch.ts';
import { findCoordinator } from '../../src/demo/kafka/messages/find-coordinator.ts';
import { metadata } from '../../src/demo/kafka/messages/metadata.ts';
import { produce } from '../../src/demo/kafka/messages/produce.ts';
import { muteTimerWarnings } from '../../src/demo/timer-warnings.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import { until } from '../support/until.ts';
import { createTopic, fetchFrom, produceTo, TOPIC } from './requests.ts';
import { connect, startSidecar } from './sidecar.ts';

t.setTimeout(120_000);

const DOMAIN = 'hidden.invalid';

t.teardown(muteTimerWarnings());

/** Every byte that clients are sent, in the order of the writes. */
function listening(): { readonly network: Network; readonly written: Buffer[] } {
  const written: Buffer[] = [];
  const overheard = (wire: Wire): Wire =>
    new Proxy(wire, {
      get: (target, name) => {
        if (name === 'write') {
          return (bytes: Buffer) => {
            written.push(Buffer.from(bytes));
            return target.write(bytes);
          };
        }
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  const listen: Network['listen'] = (host, port, accept) =>
    tcpNetwork.listen(host, port, (wire) => accept(overheard(wire)));
  return { network: { ...tcpNetwork, listen }, written };
}

t.test('no byte of a real address reaches a client, whatever it asks and whatever happens', async (t) => {
  // H16
  const cluster = await startCluster(t, {
    advertise: (node) => ({ host: `broker-${node}.${DOMAIN}`, port: 9092 }),
  });
  createTopic(cluster);
  const dialAddresses = Object.fromEntries(
    cluster.brokers.map(({ node, host, port }) => [`broker-${node}.${DOMAIN}:9092`, { host, port }]),
  );
  const { network, written } = listening();
  const sidecar = await startSidecar(t, cluster, { network, upstream: { dialAddresses } });

  const raw = await connect(t, sidecar, 1);
  for (let version = metadata.min; version <= metadata.max; version += 1)
    t.equal(
      (await raw.ask(metadata, version, { topics: null })).brokers[0]?.port,
      sidecar.port(1),
      `Metadata ${version}`,
    );
  for (let version = findCoordinator.min; version <= findCoordinator.max; version += 1)
    await raw.ask(findCoordinator, version, { key: 'g', keyType: 0, keys: ['g'] });
  for (let version = describeCluster.min; version <= describeCluster.max; version += 1)
    await raw.ask(describeCluster, version, { includeClusterAuthorizedOperations: false });

  const kafka = new Kafka({ clientId: 'js', brokers: sidecar.bootstrap, logLevel: logLevel.NOTHING });
  const producer = kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    retry: { initialRetryTime: 20, retries: 30 },
  });
  t.teardown(() => producer.disconnect());
  await producer.connect();
  const consumer = kafka.consumer({
    ...{ groupId: 'js', heartbeatInterval: 100, maxWaitTimeInMs: 100 },
    // A dead broker makes kafkajs give up and begin again: soon, please.
    retry: { initialRetryTime: 20, maxRetryTime: 100, retries: 3 },
  });
  t.teardown(() => consumer.disconnect());
  await consumer.connect();
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
  const received = new Set<string>();
  await consumer.run({ eachMessage: async ({ message }) => void received.add(`${message.value}`) });
  const send = async (value: string) => {
    await producer.send({
      topic: TOPIC,
      messages: [0, 1, 2].map((partition) => ({ value: `${value}${partition}`, partition })),
    });
  };
  await send('a');
  // Leaders change under production and consumption: the answers that say so name the new ones.
  cluster.moveLeader(TOPIC, 0, 2);
  for (let version = 10; version <= 12; version += 1) {
    const answer = await raw.ask(produce, version, produceTo(1, ['misled']));
    t.equal(answer.topics[0]?.partitions[0]?.currentLeader?.leaderId, 2, `Produce ${version} names the leader`);
  }
  const { id } = cluster.createTopic('by-id', { replicas: [[2, 1]] });
  for (const version of [12, 15, 16, 17]) {
    const topics = fetchFrom(1, 0).topics.map((topic) => ({ ...topic, topicId: id }));
    const answer = await raw.ask(fetch, version, { ...fetchFrom(1, 0), topics });
    t.ok(answer.topics[0]?.partitions[0]?.errorCode !== 0, `Fetch ${version} is refused`);
  }
  await send('b');
  const modern = new Producer({
    clientId: 'modern',
    bootstrapBrokers: sidecar.bootstrap,
    serializers: stringSerializers,
    retries: 10,
  });
  t.teardown(() => modern.close(true));
  await modern.send({ acks: ProduceAcks.ALL, messages: [{ topic: TOPIC, value: 'modern', partition: 1 }] });
  cluster.moveLeader(TOPIC, 1, 3);
  await modern.send({ acks: ProduceAcks.ALL, messages: [{ topic: TOPIC, value: 'modern too', partition: 1 }] });
  const reader = new Consumer({
    clientId: 'reader',
    groupId: 'modern',
    bootstrapBrokers: sidecar.bootstrap,
    deserializers: stringDeserializers,
    maxWaitTime: 100,
  });
  t.teardown(() => reader.close(true));
  const stream = await reader.consume({ topics: [TOPIC], mode: 'committed', fallbackMode: 'earliest', autocommit: 50 });
  const read = new Set<string>();
  stream.on('data', ({ value }) => read.add(value ?? ''));
  await until('the modern one has all', () => ['a0', 'b2', 'modern', 'modern too'].every((value) => read.has(value)));
  cluster.kill(3);
  await send('c');
  await until('all are received', () => ['a0', 'b1', 'c2', 'modern too'].every((value) => received.has(value)));

  const bytes = Buffer.concat(written);
  t.ok(bytes.length > 5000, `${bytes.length} bytes were written to clients`);
  t.ok(bytes.includes('127.0.0.1'), 'local addresses among them');
  t.notOk(bytes.includes(DOMAIN), 'and none of the brokers');
  t.strictSame(cluster.complaints, []);
});
