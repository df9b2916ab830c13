/** What one client does wrong is its own affair: those who share its connections notice nothing. */
import t from 'tap';
import { Application } from '../../support/pulsar/application.ts';
import type { OpenProducer, ScriptedClient } from '../../support/pulsar/client.ts';
import { frame, rawFrame } from '../../support/pulsar/frames.ts';
import { type PulsarSidecar, startPulsar } from '../../support/pulsar/memory.ts';

const TOPIC = 'persistent://public/default/orders';
const BROKER = 'broker-1:6650';
const LATEST_SECONDS = 180 + 60 + 5 + 1;

async function carrier(sidecar: PulsarSidecar): Promise<ScriptedClient> {
  const service = sidecar.open();
  await service.connect();
  await service.lookup(TOPIC);
  const client = sidecar.open();
  await client.connect({ proxyToBrokerUrl: BROKER });
  return client;
}

/** A good neighbour, and another one that is about to do something. */
async function neighbours(scope: { teardown(task: () => Promise<void>): unknown }) {
  const sidecar = await startPulsar(scope);
  const [good, bad] = [await carrier(sidecar), await carrier(sidecar)];
  const producer = await good.producer(`${TOPIC}-good`);
  const theirs = await bad.producer(`${TOPIC}-bad`);
  await good.send(producer, 'one');
  await bad.send(theirs, 'one');
  const { connection } = sidecar.cluster.topic(`${TOPIC}-good`).entries[0] ?? {};
  const other = sidecar.cluster.topic(`${TOPIC}-bad`).entries[0]?.connection;
  return {
    sidecar,
    good,
    bad,
    producer,
    theirs,
    isShared: connection !== undefined && connection === other,
    connection,
  };
}

async function isUndisturbed(
  sidecar: PulsarSidecar,
  good: ScriptedClient,
  producer: OpenProducer,
  connection?: number,
) {
  if (!good.isOpen) return 'its socket is closed';
  const before = good.frames.length;
  await good.send(producer, 'after');
  const last = sidecar.cluster.topic(`${TOPIC}-good`).entries.at(-1);
  if (last?.connection !== connection) return 'it is on another connection';
  if (good.frames.length !== before + 1) return `it heard ${good.names.slice(before)}`;
  return sidecar.cluster.faults.join();
}

const nobody: OpenProducer = { id: 77n, name: 'nobody' };

const WRONGS: readonly {
  readonly name: string;
  readonly bytes: (client: ScriptedClient) => Buffer;
  readonly reason: RegExp;
}[] = [
  {
    name: 'a message for a producer that it does not have',
    bytes: (client) => client.message(nobody, 'x').bytes,
    reason: /protocol_error/,
  },
  {
    name: 'garbage',
    bytes: () => Buffer.from([0, 0, 0, 9, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0xff]),
    reason: /protocol_error/,
  },
  {
    name: 'a frame beyond all limits',
    bytes: () => Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 5]),
    reason: /frame_too_large/,
  },
  {
    name: 'a command that is longer than its frame',
    bytes: () => Buffer.from([0, 0, 0, 9, 0, 0, 1, 0, 8, 18, 0x92, 1, 0]),
    reason: /protocol_error/,
  },
  { name: 'a command without a type', bytes: () => rawFrame(Buffer.from([0x12, 0])), reason: /protocol_error/ },
  {
    name: 'a second CONNECT',
    bytes: () => frame('CONNECT', { clientVersion: 'x', protocolVersion: 21 }),
    reason: /protocol_error/,
  },
  { name: 'HTTP', bytes: () => Buffer.from('GET / HTTP/1.1\r\n\r\n'), reason: /./ },
];

for (const { name, bytes, reason } of WRONGS) {
  t.test(`who sends ${name} is closed alone`, async (t) => {
    const { sidecar, good, bad, producer, isShared, connection } = await neighbours(t);
    t.ok(isShared, 'they share a connection');
    bad.write(bytes(bad));
    sidecar.pump();
    t.notOk(bad.isOpen);
    t.match(sidecar.closeReasons, [reason]);
    t.equal(await isUndisturbed(sidecar, good, producer, connection), '');
    t.equal(sidecar.cluster.topic(`${TOPIC}-bad`).producers.size, 0, 'what it had open is closed');
  });
}

t.test('half a message and then nothing holds nobody up', async (t) => {
  const { sidecar, good, bad, producer, theirs, connection } = await neighbours(t);
  const { bytes } = bad.message(theirs, 'x'.repeat(1000));
  bad.write(bytes.subarray(0, bytes.length - 1));
  t.equal(await isUndisturbed(sidecar, good, producer, connection), '');
  bad.reset();
  sidecar.pump();
  t.equal(await isUndisturbed(sidecar, good, producer, connection), '');
  t.strictSame(sidecar.cluster.topic(`${TOPIC}-bad`).bodies, ['one']);
});

t.test('a client that dies is closed at the broker, and one of the same name waits for that and gets in', async (t) => {
  const { sidecar, good, producer, connection } = await neighbours(t);
  const first = await carrier(sidecar);
  const mine = await first.producer(TOPIC, { name: 'mine' });
  await first.send(mine, 'one');
  sidecar.cluster.broker().hold('CLOSE_PRODUCER');
  first.reset();
  sidecar.pump();
  const second = await carrier(sidecar);
  const opening = second.producer(TOPIC, { name: 'mine' });
  sidecar.pass(1);
  t.equal(second.heard('ERROR').length, 0, 'it is not told that it is connected already');
  sidecar.cluster.broker().release();
  sidecar.pump();
  t.equal((await opening).name, 'mine');
  await second.send({ id: (await opening).id, name: 'mine' }, 'two');
  t.strictSame(sidecar.cluster.topic(TOPIC).bodies, ['one', 'two']);
  t.equal(await isUndisturbed(sidecar, good, producer, connection), '');
});

t.test('two that live with one name: the second is refused by the broker, and nobody else notices', async (t) => {
  const { sidecar, good, bad, producer, connection } = await neighbours(t);
  await bad.producer(TOPIC, { name: 'mine' });
  const second = await carrier(sidecar);
  await t.rejects(second.producer(TOPIC, { name: 'mine' }), /16/);
  t.ok(second.isOpen);
  t.equal(await isUndisturbed(sidecar, good, producer, connection), '');
});

t.test('what clients end up with at their broker is theirs: bytes never reach another one', async (t) => {
  const sidecar = await startPulsar(t);
  const all = Array.from({ length: 6 }, () => new Application(() => sidecar.open()));
  const producers = all.map((each) => each.producer(TOPIC));
  for (let round = 0; round < 20; round += 1)
    for (const [index, each] of producers.entries()) each.send(`${index} ${round}`);
  for (const [index, { acknowledged }] of producers.entries())
    t.strictSame(
      acknowledged,
      Array.from({ length: 20 }, (_, round) => `${index} ${round}`),
    );
  const { entries } = sidecar.cluster.topic(TOPIC);
  for (const [index, { name }] of producers.entries())
    t.strictSame(
      entries.filter(({ producerName }) => producerName === name).map(({ body }) => body.toString()),
      Array.from({ length: 20 }, (_, round) => `${index} ${round}`),
    );
});

t.test('a broker that no lookup named is not dialled for anybody', async (t) => {
  const sidecar = await startPulsar(t);
  const { dials } = sidecar.network;
  const before = dials.length;
  const client = sidecar.open();
  const error = client.nextOf('ERROR');
  client.hello({ proxyToBrokerUrl: '169.254.169.254:80' });
  sidecar.pass(1); // who tries one address after another is kept waiting
  await error;
  t.notOk(client.isOpen);
  t.strictSame(sidecar.closeReasons, ['broker_not_allowed']);
  t.notOk(dials.slice(before).some((address) => address.includes('169.254')));
});

t.test('a broker that the configuration allows is dialled although no lookup named it', async (t) => {
  const sidecar = await startPulsar(t, {
    multiplexing: { isAllowedBroker: (host, port) => `${host}:${port}` === BROKER },
  });
  const client = sidecar.open();
  await client.connect({ proxyToBrokerUrl: BROKER });
  await client.send(await client.producer(TOPIC), 'one');
  t.strictSame(sidecar.cluster.topic(TOPIC).bodies, ['one']);
});

t.test('a slow reader has a connection of its own to be slow on', async (t) => {
  const { sidecar, good, producer, connection } = await neighbours(t);
  const reader = await carrier(sidecar);
  await reader.consumer(`${TOPIC}-good`, 'audit');
  reader.pause();
  for (let index = 0; index < 10; index += 1) await good.send(producer, 'x'.repeat(50_000));
  t.equal(await isUndisturbed(sidecar, good, producer, connection), '');
  sidecar.pass(LATEST_SECONDS - 200);
  reader.resume();
  sidecar.pump();
  t.equal(reader.bodies.length, 12);
});

t.test('who dies while its producer is being made leaves nothing behind: no answer to that ever comes', async (t) => {
  const { sidecar, good, bad, producer, connection } = await neighbours(t);
  sidecar.cluster.broker().hold('PRODUCER');
  const { sent } = bad.post('PRODUCER', { topic: TOPIC, producerId: 9n });
  sent();
  bad.reset();
  sidecar.pump();
  sidecar.cluster.broker().release();
  sidecar.pump();
  for (let second = 0; second < 150; second += 10) {
    sidecar.pass(10);
    t.equal(await isUndisturbed(sidecar, good, producer, connection), '');
  }
  sidecar.pass(LATEST_SECONDS);
  t.equal(sidecar.cluster.open, 0, 'nothing is owed on it any more');
  t.ok(
    sidecar.releaseReasons.every((reason) => /idle|housekeeping/.test(reason)),
    sidecar.releaseReasons.join(),
  );
});

t.test('who closes its producer while it is being made leaves nothing behind', async (t) => {
  const { sidecar, good, bad, producer, connection } = await neighbours(t);
  sidecar.cluster.broker().hold('PRODUCER');
  bad.post('PRODUCER', { topic: TOPIC, producerId: 9n }).sent();
  t.match(await bad.ask('CLOSE_PRODUCER', { producerId: 9n }), { name: 'SUCCESS' });
  sidecar.cluster.broker().release();
  sidecar.pass(LATEST_SECONDS);
  t.equal(sidecar.cluster.open, 0, 'nothing is owed on it any more');
  t.ok(good.isOpen && bad.isOpen);
  t.equal(connection === undefined, false);
  await good.send(producer, 'after');
  const again = await bad.producer(TOPIC, { id: 9n, epoch: 1n });
  await bad.send(again, 'two');
  t.strictSame(sidecar.cluster.faults, []);
});

t.test('who sends for a producer that is not ready waits for it, and so does nobody else', async (t) => {
  const { sidecar, good, bad, producer, connection } = await neighbours(t);
  sidecar.cluster.broker().holdAnswers('PRODUCER');
  bad.post('PRODUCER', { topic: TOPIC, producerId: 9n }).sent();
  bad.write(bad.message({ id: 9n, name: 'early' }, 'x').bytes);
  t.equal(await isUndisturbed(sidecar, good, producer, connection), '');
  t.strictSame(sidecar.cluster.topic(TOPIC).bodies, []);
  sidecar.cluster.broker().release();
  sidecar.pump();
  t.strictSame(sidecar.cluster.topic(TOPIC).bodies, ['x']);
});
