/** H14, H15, H17, H31, H32: what clients ask by themselves, and who answers it. */
import t, { type Test } from 'tap';
import { apiVersions } from '../../src/demo/kafka/messages/api-versions.ts';
import { metadata } from '../../src/demo/kafka/messages/metadata.ts';
import { produce } from '../../src/demo/kafka/messages/produce.ts';
import { api, readResponse } from '../../src/demo/kafka/wire/api.ts';
import { struct } from '../../src/demo/kafka/wire/struct.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import { HandClock } from '../support/hand-clock.ts';
import type { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';
import { createTopic, produceTo, TOPIC, valuesOf } from './requests.ts';
import { connect, startSidecar } from './sidecar.ts';

t.setTimeout(120_000);

const NOT_LEADER = 6;
const UNSUPPORTED_VERSION = 35;
/** Until every quiet connection is gone. */
const ASLEEP_SECONDS = 246;

async function start(t: Test) {
  const cluster = await startCluster(t);
  createTopic(cluster);
  const clock = new HandClock();
  const sidecar = await startSidecar(t, cluster, { clock });
  /** Requests of clients that reached a broker. */
  const asked = (name: string): number =>
    cluster.requests.filter((request) => request.api === name && request.clientId === 'raw').length;
  const fallAsleep = async (): Promise<void> => {
    await clock.pass(ASLEEP_SECONDS);
    await sidecar.asleep(cluster);
  };
  return { cluster, clock, sidecar, asked, fallAsleep };
}

async function leaderFor(client: RawClient): Promise<number | undefined> {
  const { topics } = await client.ask(metadata, 9, { topics: [{ name: TOPIC }] });
  return topics[0]?.partitions[0]?.leaderId;
}

t.test('a leader that moved while a producer slept costs it one stale answer at most', async (t) => {
  // H14
  const { cluster, sidecar, fallAsleep } = await start(t);
  const [producer, other] = [await connect(t, sidecar, 1), await connect(t, sidecar, 1)];
  t.equal(await leaderFor(producer), 1);
  await producer.ask(produce, 9, produceTo(1, ['before']));
  t.equal(await leaderFor(producer), 1);
  t.equal(await leaderFor(other), 1, 'so that there is a newer answer than the producer’s');
  await fallAsleep();
  cluster.moveLeader(TOPIC, 0, 2);
  let stale = (await leaderFor(producer)) === 1 ? 1 : 0;
  const refused = await producer.ask(produce, 9, produceTo(1, ['misled']));
  t.equal(refused.topics[0]?.partitions[0]?.errorCode, NOT_LEADER);
  while ((await leaderFor(producer)) !== 2) stale += 1;
  t.ok(stale <= 1, `${stale} stale answers`);
  const there = await connect(t, sidecar, 2);
  await there.ask(produce, 9, produceTo(1, ['found']));
  t.strictSame(valuesOf(cluster), ['before', 'found']);
});

t.test('a producer that has just met the wrong leader is not told what others heard before', async (t) => {
  // H14
  const { cluster, sidecar } = await start(t);
  const [producer, other] = [await connect(t, sidecar, 1), await connect(t, sidecar, 1)];
  await leaderFor(producer);
  await leaderFor(other);
  cluster.moveLeader(TOPIC, 0, 2);
  const refused = await producer.ask(produce, 9, produceTo(1, ['misled']));
  t.equal(refused.topics[0]?.partitions[0]?.errorCode, NOT_LEADER);
  t.equal(await leaderFor(producer), 2);
  t.equal(await leaderFor(other), 2, 'and what it heard is there for the others');
});

t.test('who asks again at once is answered by a broker, at the second time at the latest', async (t) => {
  // H14
  const { sidecar, asked, fallAsleep } = await start(t);
  const [client, other] = [await connect(t, sidecar, 1), await connect(t, sidecar, 1)];
  await leaderFor(client);
  await leaderFor(other);
  await fallAsleep();
  const before = asked('Metadata');
  await leaderFor(client);
  t.equal(asked('Metadata'), before, 'the newer answer is there');
  await leaderFor(client);
  const refreshed = asked('Metadata');
  for (let count = 1; count <= 5; count += 1) {
    await leaderFor(client);
    t.equal(asked('Metadata'), refreshed + count);
  }
});

t.test('a client that never asked is answered by a broker', async (t) => {
  // H14
  const { sidecar, asked } = await start(t);
  for (const client of [await connect(t, sidecar, 1), await connect(t, sidecar, 1)]) {
    await leaderFor(client);
    await leaderFor(client);
  }
  t.equal(asked('Metadata'), 4);
  await leaderFor(await connect(t, sidecar, 1));
  t.equal(asked('Metadata'), 5);
});

t.test('after a loss nobody is told what was known before it', async (t) => {
  // H14
  const { cluster, clock, sidecar } = await start(t);
  for (let round = 0; round < 5; round += 1) {
    const [first, second] = [await connect(t, sidecar, 1), await connect(t, sidecar, 1)];
    await leaderFor(first);
    const before = await leaderFor(second);
    const released = sidecar.releases.length;
    cluster.moveLeader(TOPIC, 0, before === 1 ? 2 : 1);
    for (const connection of cluster.broker(1).connections) connection.end();
    await until('the loss is known', () => sidecar.releases.length > released);
    await clock.pass(10); // losses in a row are not dialled again at once
    t.not(await leaderFor(first), before, 'though it has never seen the newer one of before');
  }
});

const QUESTIONS = [0, 1, 2, 4, 5, 7, 8, 9, 10, 11, 12].flatMap((version) =>
  [null, [TOPIC], ['other'], [TOPIC, 'other'], ['other', TOPIC]].flatMap((topics) =>
    [false, true].map((flag) => ({
      version,
      body: {
        topics: topics?.map((name) => ({ name })) ?? (version === 0 ? [] : null),
        allowAutoTopicCreation: version >= 8 ? true : flag,
        includeTopicAuthorizedOperations: version >= 8 ? flag : false,
      },
    })),
  ),
);

t.test('however alike two questions are, each sleeper is told the answer to its own', async (t) => {
  // H15
  const { cluster, sidecar, fallAsleep } = await start(t);
  cluster.createTopic('other', { replicas: [[2], [3]] });
  const sleepers = await Promise.all(
    QUESTIONS.map(async ({ version, body }) => {
      const client = await connect(t, sidecar, 1);
      const ask = async (): Promise<Buffer> => {
        client.send(metadata, version, body);
        return (await client.frame()).subarray(4);
      };
      return { ask, version, body, first: await ask() };
    }),
  );
  await fallAsleep();
  const absorbed = (): number => sidecar.route.protocol.counts().absorbed.get('Metadata') ?? 0;
  const before = absorbed();
  for (const { ask, version, body, first } of sleepers) {
    const answer = await ask();
    if (!answer.equals(first)) t.fail(`version ${version} of ${JSON.stringify(body)} has another answer now`);
  }
  // Before version 4 a question that names topics creates them, so that it is not renewed but asked once by a sleeper.
  const share = (absorbed() - before) / QUESTIONS.length;
  t.ok(share > 0.85, `${Math.round(share * 100)} % were answered without a broker`);
  t.ok(new Set(sleepers.map(({ first }) => first.toString('latin1'))).size >= 40, 'the answers differ');
  t.strictSame(sidecar.closes, []);
});

t.test('clients are told what broker and sidecar both can, and no more', async (t) => {
  // H17
  const { cluster, sidecar, fallAsleep } = await start(t);
  await fallAsleep();
  const broker = cluster.broker(1);
  broker.offer('Produce', { min: 3, max: 99 });
  broker.offer('Fetch', { min: 6, max: 11 });
  broker.offer('Metadata', { min: 0, max: 9 });
  broker.offer(20, null);
  broker.offer(12_345, { min: 0, max: 1 });
  const client = await connect(t, sidecar, 1);
  await client.ask(produce, 9, produceTo(1, ['so that the broker is asked']));
  for (let version = 0; version <= 4; version += 1) {
    const { apiKeys } = await client.ask(apiVersions, version, { clientSoftwareName: 'x', clientSoftwareVersion: '1' });
    const ranges = new Map(apiKeys.map(({ key, min, max }) => [key, `${min}-${max}`]));
    t.equal(ranges.get(0), '3-13', `ApiVersions ${version}`);
    t.equal(ranges.get(1), '6-11');
    t.equal(ranges.get(3), '0-9');
    t.notOk(ranges.has(20));
    t.notOk(ranges.has(12_345));
  }
});

t.test('a version of ApiVersions that nobody knows is answered with those that we know', async (t) => {
  // H17
  const { sidecar } = await start(t);
  const client = await connect(t, sidecar, 1);
  for (const version of [5, 127, 32_767]) {
    client.send(apiVersions, version, {});
    const { errorCode, apiKeys } = readResponse(apiVersions, 0, await client.frame());
    t.equal(errorCode, UNSUPPORTED_VERSION);
    t.strictSame(
      apiKeys.map(({ key, min, max }) => [key, min, max]),
      [[18, 0, 4]],
    );
  }
  t.equal(client.ending, 'open', 'it may ask again');
});

t.test('who was told more than the broker can since it changed is let go, everybody else stays', async (t) => {
  // H17
  const { cluster, sidecar, fallAsleep } = await start(t);
  const broker = cluster.broker(1);
  const told = await connect(t, sidecar, 1);
  const untold = await connect(t, sidecar, 1);
  const elsewhere = await connect(t, sidecar, 2);
  for (const client of [told, elsewhere]) await client.ask(apiVersions, 0, {});
  await told.ask(produce, 9, produceTo(1, ['before']));
  await fallAsleep();
  broker.offer('Fetch', { min: 4, max: 11 });
  await untold.ask(produce, 9, produceTo(1, ['it asked for no versions']));
  await elsewhere.ask(produce, 9, produceTo(2, ['another broker']));
  told.send(produce, 9, produceTo(1, ['too much is promised']));
  t.not(await told.ended(), 'open');
  t.strictSame(sidecar.closes, ['versions_changed']);
  const again = await connect(t, sidecar, 1);
  const { apiKeys } = await again.ask(apiVersions, 0, {});
  t.equal(apiKeys.find(({ key }) => key === 1)?.max, 11);
  await again.ask(produce, 9, produceTo(1, ['after']));
  // And an upgrade is nobody's trouble.
  await fallAsleep();
  broker.offer('Fetch', { min: 4, max: 12 });
  await again.ask(produce, 9, produceTo(1, ['upgraded']));
  t.strictSame(sidecar.closes, ['versions_changed']);
  t.equal(valuesOf(cluster).length, 5);
});

const telemetry = api({
  key: 71,
  name: 'GetTelemetrySubscriptions',
  min: 0,
  max: 0,
  flexibleFrom: 0,
  request: struct({}),
  response: struct({}),
});

t.test('telemetry of clients, which would be mixed up on shared connections, is never offered', async (t) => {
  // H31
  const { cluster, sidecar, fallAsleep } = await start(t);
  await fallAsleep();
  for (const key of [71, 72]) cluster.broker(1).offer(key, { min: 0, max: 0 });
  const client = await connect(t, sidecar, 1);
  await client.ask(produce, 9, produceTo(1, ['so that the broker is asked']));
  const { apiKeys } = await client.ask(apiVersions, 3, { clientSoftwareName: 'java', clientSoftwareVersion: '4' });
  t.notOk(apiKeys.some(({ key }) => key === 71 || key === 72));
  client.send(telemetry, 0, {});
  t.not(await client.ended(), 'open');
  t.strictSame(sidecar.closes, ['refused_api']);
  t.notOk(cluster.requests.some(({ key }) => key === 71 || key === 72));
});

t.test('brokers see one software on every connection, whatever clients call themselves', async (t) => {
  // H32
  const { cluster, sidecar } = await start(t);
  for (const name of ['librdkafka', 'apache-kafka-java', 'kafkajs', '']) {
    const client = await connect(t, sidecar, 1);
    const named = { clientSoftwareName: name, clientSoftwareVersion: '1.2.3' };
    await client.ask(apiVersions, 3, named);
    client.send(produce, 9, produceTo(1, [name], 0));
    await client.ask(produce, 9, produceTo(1, [name]));
    await client.ask(apiVersions, 3, named);
  }
  const names = new Set(
    cluster.brokers.flatMap(({ connections }) => connections.map(({ softwareName }) => softwareName)),
  );
  t.equal(names.size, 1, [...names].join());
  t.notOk(names.has(null));
  t.notOk(cluster.requests.some(({ api: name, clientId }) => name === 'ApiVersions' && clientId === 'raw'));
});
