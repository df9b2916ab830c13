/** The broker and the client that the tests of Pulsar are made with, against each other: they say what Pulsar's would. */
import t from 'tap';
import { UNASKED } from '../../support/pulsar/commands.ts';
import { frame } from '../../support/pulsar/frames.ts';
import { openClient, startCluster } from '../../support/pulsar/sockets.ts';
import { until } from '../../support/until.ts';

const TOPIC = 'persistent://public/default/orders';

t.test('PING is on the wire as Pulsar has it', async (t) => {
  t.equal(frame('PING', {}).toString('hex'), '00000009000000050812920100');
  t.equal(frame('PONG', {}).toString('hex'), '000000090000000508139a0100');
  const close = frame('CLOSE_PRODUCER', { producerId: 1n, requestId: UNASKED });
  t.ok(close.toString('hex').endsWith('10ffffffffffffffffff01'), '-1 is a varint of ten bytes');
});

t.test('a message is stored with its sound checksum, and its receipt says where', async (t) => {
  const { cluster, ports } = await startCluster(t);
  const client = await openClient(t, ports[0]?.port ?? 0);
  t.equal((await client.connect()).maxMessageSize, 5 * 1024 * 1024);
  const producer = await client.producer(TOPIC);
  t.equal(producer.name, 'fake-0-1');
  t.equal((await client.send(producer, 'one')).messageId?.entryId, 0n);
  t.equal((await client.send(producer, 'two')).messageId?.entryId, 1n);
  t.strictSame(cluster.topic(TOPIC).bodies, ['one', 'two']);
  const { bytes } = client.message(producer, 'three');
  bytes[bytes.length - 1] = 0;
  const refused = client.nextOf('SEND_ERROR');
  client.write(bytes);
  await refused;
  t.equal(cluster.topic(TOPIC).entries.length, 2);
});

t.test('a message for a producer that is not there closes the connection for all of them', async (t) => {
  const { cluster, ports } = await startCluster(t);
  const client = await openClient(t, ports[0]?.port ?? 0);
  await client.connect();
  await client.producer(TOPIC);
  client.write(client.message({ id: 77n, name: 'nobody' }, 'x').bytes);
  await client.ending;
  t.match(cluster.faults, [/producer 77/]);
  t.equal(cluster.topic(TOPIC).producers.size, 0);
});

t.test('a second CONNECT, a command before the first one, and no frame at all close the connection', async (t) => {
  const { cluster, ports } = await startCluster(t);
  for (const bytes of [frame('LOOKUP', { topic: TOPIC, requestId: 1n }), Buffer.from('GET / HTTP/1.1\r\n')]) {
    const client = await openClient(t, ports[0]?.port ?? 0);
    client.write(bytes);
    await client.ending;
  }
  const client = await openClient(t, ports[0]?.port ?? 0);
  await client.connect();
  client.hello();
  await client.ending;
  t.equal(cluster.faults.length, 3);
});

t.test('a name is connected once, and free again when it was closed or its connection went', async (t) => {
  const { cluster, ports } = await startCluster(t);
  const [first, second] = [await openClient(t, ports[0]?.port ?? 0), await openClient(t, ports[0]?.port ?? 0)];
  await first.connect();
  await second.connect();
  const mine = await first.producer(TOPIC, { name: 'mine' });
  await t.rejects(second.producer(TOPIC, { name: 'mine' }), /16/);
  t.match(await first.ask('CLOSE_PRODUCER', { producerId: mine.id }), { name: 'SUCCESS' });
  t.match(await first.ask('CLOSE_PRODUCER', { producerId: mine.id }), { name: 'SUCCESS' }, 'and if it is not there');
  await second.producer(TOPIC, { name: 'mine' });
  second.end();
  await until('the name is free', () => cluster.topic(TOPIC).producers.size === 0);
  await first.producer(TOPIC, { name: 'mine' });
});

t.test('a topic that moves closes its producers, and what is still sent for them is ignored', async (t) => {
  const { cluster, ports } = await startCluster(t, 2, { redirects: true });
  const [client, other] = [await openClient(t, ports[0]?.port ?? 0), await openClient(t, ports[1]?.port ?? 0)];
  await client.connect();
  await other.connect();
  const producer = await client.producer(TOPIC, { name: 'mine' });
  await t.rejects(other.producer(TOPIC), /not served/);
  const closed = client.nextOf('CLOSE_PRODUCER');
  cluster.unload(TOPIC, 1, true);
  t.match((await closed).command, { fields: { requestId: UNASKED, url: cluster.broker(1).url } });
  client.write(client.message(producer, 'late').bytes);
  t.match(await client.lookup(TOPIC), { response: 0, url: cluster.broker(1).url }, 'asked again elsewhere');
  t.match(await other.lookup(TOPIC), { response: 1, url: cluster.broker(1).url });
  await other.producer(TOPIC, { name: 'mine', epoch: 1n });
  t.equal(cluster.topic(TOPIC).entries.length, 0);
});

t.test('who is not known is told so and closed; who is asked again and shows nothing good, too', async (t) => {
  const { cluster, ports } = await startCluster(t, 1, { credentials: new Set(['good', 'better']) });
  const stranger = await openClient(t, ports[0]?.port ?? 0);
  await t.rejects(stranger.connect({ token: 'bad' }), /Unable to authenticate/);
  await stranger.ending;
  const client = await openClient(t, ports[0]?.port ?? 0);
  await client.connect({ token: 'good' });
  for (const data of ['better', 'worse']) {
    const asked = client.nextOf('AUTH_CHALLENGE');
    cluster.broker().only.challenge();
    t.match((await asked).command, { fields: { challenge: { method: 'token' } } });
    client.say('AUTH_RESPONSE', { response: { method: 'token', data: Buffer.from(data) } });
  }
  await client.ending;
  t.strictSame(cluster.broker().connections[1]?.shown, ['token:good', 'token:better', 'token:worse']);
});

t.test('what was stored is stored once with deduplication, and the duplicate has its receipt too', async (t) => {
  const { cluster, ports } = await startCluster(t, 1, { deduplication: true });
  const client = await openClient(t, ports[0]?.port ?? 0);
  await client.connect();
  const producer = await client.producer(TOPIC, { name: 'mine' });
  const { bytes } = client.message(producer, 'once');
  const both = client.next('the second receipt', () => client.heard('SEND_RECEIPT').length === 2);
  client.write(Buffer.concat([bytes, bytes]));
  await both;
  t.strictSame(cluster.topic(TOPIC).bodies, ['once']);
  t.equal(client.heard('SEND_RECEIPT')[1]?.messageId?.entryId, UNASKED);
});

t.test('who subscribed gets what is there and what comes, and unacknowledged messages come again', async (t) => {
  const { ports } = await startCluster(t);
  const [sender, reader] = [await openClient(t, ports[0]?.port ?? 0), await openClient(t, ports[0]?.port ?? 0)];
  await sender.connect();
  await reader.connect();
  const producer = await sender.producer(TOPIC);
  await sender.send(producer, 'before');
  await reader.consumer(TOPIC, 'audit');
  await sender.send(producer, 'after');
  await until('both came', () => reader.bodies.length === 2);
  t.strictSame(reader.bodies, ['before', 'after']);
  const [first] = reader.heard('MESSAGE');
  reader.say('ACK', {
    consumerId: 0n,
    ackType: 0,
    messageIds: first?.messageId === undefined ? [] : [first.messageId],
  });
  reader.say('REDELIVER_UNACKNOWLEDGED_MESSAGES', { consumerId: 0n });
  await until('one came again', () => reader.bodies.length === 3);
  t.equal(reader.bodies[2], 'after');
});

t.test('a connection that answers no PING is closed, one that does stays', async (t) => {
  const { cluster, ports } = await startCluster(t);
  const [good, bad] = [await openClient(t, ports[0]?.port ?? 0), await openClient(t, ports[0]?.port ?? 0)];
  await good.connect();
  await bad.connect();
  bad.answersPings = false;
  const asked = [good.nextOf('PING'), bad.nextOf('PING')];
  cluster.broker().keepAlive();
  await Promise.all(asked);
  await until('it was answered', () => cluster.broker().count('PONG') === 1);
  cluster.broker().keepAlive();
  await bad.ending;
  t.ok(good.isOpen);
  t.match(cluster.faults, [/PING/]);
});

t.test('a broker that is told to hold its answers holds them, and one that is killed comes back', async (t) => {
  const { cluster, ports } = await startCluster(t);
  const [port] = ports;
  const client = await openClient(t, port?.port ?? 0);
  await client.connect();
  cluster.broker().hold('PRODUCER');
  const opening = client.producer(TOPIC);
  await until('it was asked', () => cluster.broker().count('PRODUCER') === 1);
  t.strictSame(client.names, ['CONNECTED']);
  cluster.broker().release();
  await opening;
  await port?.close();
  await client.ending;
  await port?.open();
  const again = await openClient(t, port?.port ?? 0);
  await again.connect();
  await again.producer(TOPIC);
});

t.test('a producer that has to wait is told so twice, and topics that nobody uses are deleted', async (t) => {
  const { cluster, ports } = await startCluster(t);
  const client = await openClient(t, ports[0]?.port ?? 0);
  await client.connect();
  cluster.broker().keepsProducersWaiting = true;
  const opening = client.producer(TOPIC);
  await until('told the first time', () => client.heard('PRODUCER_SUCCESS').length === 1);
  t.equal(client.heard('PRODUCER_SUCCESS')[0]?.ready, false);
  cluster.broker().makeReady();
  await opening;
  t.strictSame(cluster.deleteInactive(), []);
  client.end();
  await until('the broker noticed', () => cluster.open === 0);
  t.strictSame(cluster.deleteInactive(), [TOPIC]);
});
