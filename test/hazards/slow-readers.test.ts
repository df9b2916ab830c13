/** H25, H45: peers that do not read, or read slowly. */
import t from 'tap';
import { fetch } from '../../src/demo/kafka/messages/fetch.ts';
import { metadata } from '../../src/demo/kafka/messages/metadata.ts';
import { produce } from '../../src/demo/kafka/messages/produce.ts';
import { type CoreFixture, startCore } from '../support/core-fixture.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import { HandClock } from '../support/hand-clock.ts';
import { until } from '../support/until.ts';
import { createTopic, fetchFrom, produceTo, valuesOf } from './requests.ts';
import { connect, startSidecar } from './sidecar.ts';

const BUFFER = 4096;

/** Bytes that the product has read from brokers. */
function readFromBrokers(core: CoreFixture): () => number {
  let bytes = 0;
  core.network.spy = {
    dialled: () => undefined,
    wrote: () => undefined,
    read: (wire, read) => {
      if (wire.remote.startsWith('broker')) bytes += read.length;
    },
  };
  return () => bytes;
}

t.test('of an answer that its client does not read, one read is held, and nobody else waits', async (t) => {
  // H25
  const core = await startCore(t);
  core.network.bufferBytes = BUFFER;
  const read = readFromBrokers(core);
  const slow = core.connect();
  slow.peer.clog(100);
  slow.send('pool', { keys: [['answer', '1000000']] });
  t.ok(read() <= 3 * BUFFER, `${read()} bytes were read`);
  core.pass(30);
  t.ok(read() <= 3 * BUFFER, `${read()} bytes were read`);
  const other = core.connect();
  for (let request = 0; request < 20; request += 1) {
    const asked = core.clock.now();
    const id = other.send('pool');
    while (other.ids.at(-1) !== id) core.clock.advance(1);
    t.ok(core.clock.now() - asked <= 20);
  }
  t.strictSame(core.released, []);
  slow.peer.unclog();
  core.pump();
  t.equal(slow.answers[0]?.body.length, 1_000_000);
});

t.test('a connection whose client reads slowly is in use, and neither idle nor overdue', async (t) => {
  // H25
  const core = await startCore(t, { limits: { responseTimeoutSeconds: 10 } });
  core.network.bufferBytes = BUFFER;
  const slow = core.connect();
  slow.peer.clog(0);
  slow.send('pool', { keys: [['answer', '200000']] });
  // A buffer's worth every 20 s takes it longer than the idle time and the time for an answer together.
  for (let round = 0; round < 60 && slow.answers.length === 0; round += 1) {
    core.pass(20);
    slow.peer.unclog(BUFFER);
    core.pump();
  }
  t.equal(slow.answers[0]?.body.length, 200_000);
  t.strictSame(core.released, []);
  t.strictSame(core.disconnected, []);
});

t.test('a client that reads nothing at all is given up after its time, with its connection', async (t) => {
  // H25
  const core = await startCore(t);
  core.network.bufferBytes = BUFFER;
  const stuck = core.connect();
  stuck.peer.clog(0);
  stuck.send('pool', { keys: [['answer', '200000']] });
  core.pass(59);
  t.strictSame(core.disconnected, []);
  core.pass(3);
  t.strictSame(core.disconnected, ['stalled']);
  t.strictSame(core.released, ['abandoned']);
  const next = core.connect();
  const id = next.send('pool');
  t.strictSame(next.ids, [id]);
});

t.test('a client that sends a little every second is not silent', async (t) => {
  // H25
  const core = await startCore(t);
  const slow = core.connect();
  const { bytes } = slow.frame('pool', { body: Buffer.alloc(300) });
  for (const byte of bytes) {
    slow.write(Buffer.from([byte]));
    core.pass(1);
  }
  t.equal(slow.answers.length, 1);
  t.strictSame(core.disconnected, []);
});

t.test('of a request that its broker does not read, little is held', async (t) => {
  // H25, H26
  const core = await startCore(t);
  core.network.bufferBytes = BUFFER;
  core.broker().manual = true;
  const app = core.connect();
  app.send('pool');
  const [connection] = core.broker().open;
  connection?.answer();
  connection?.peer.clog(0);
  let read = 0;
  core.network.spy = {
    dialled: () => undefined,
    wrote: () => undefined,
    read: (_wire, bytes) => {
      read += bytes.length;
    },
  };
  const body = Buffer.alloc(500_000, 'b');
  app.send('pool', { body });
  core.pass(20);
  t.ok(read <= 2 * BUFFER + core.route.options.limits.wholeFrameBytes, `${read} bytes were read`);
  const other = core.connect();
  core.broker().manual = false;
  const id = other.send('pool');
  core.pass(0.1);
  t.strictSame(other.ids, [id]);
  connection?.peer.unclog();
  core.pump();
  t.ok(connection?.received.at(-1)?.body.equals(body));
  t.equal(app.answers.length, 2);
});

t.test('when neither side reads nothing is lost, and when they do again everything arrives', async (t) => {
  // H45
  const core = await startCore(t);
  core.network.bufferBytes = BUFFER;
  const broker = core.broker();
  const apps = Array.from({ length: 5 }, () => core.connect());
  for (const app of apps) app.send('odd'); // keeps a connection of its own
  const ids = new Map(apps.map((app) => [app, [...app.ids]]));
  for (let round = 0; round < 6; round += 1) {
    for (const app of apps) app.peer.clog(0);
    for (const { peer } of broker.open) peer.clog(0);
    for (const app of apps)
      for (let request = 0; request < 4; request += 1)
        ids.get(app)?.push(app.send('pool', { body: Buffer.alloc(20_000), keys: [['answer', '30000']] }));
    core.pass(5);
    // In drops at first, each side in turn, then freely.
    for (let drop = 0; drop < 20; drop += 1) {
      for (const { peer } of broker.open) peer.unclog(500 * (drop % 3));
      for (const app of apps) app.peer.unclog(700 * (drop % 2));
      core.clock.advance(50);
    }
    for (const app of apps) app.peer.unclog();
    for (const { peer } of broker.open) peer.unclog();
    core.pass(1);
    for (const app of apps) t.strictSame(app.ids, ids.get(app));
  }
  t.equal(broker.open.length, 5);
  t.strictSame(core.disconnected, []);
});

t.test('a broker that stops reading and a client that stops too go on where they were', async (t) => {
  // H45, H25: real sockets, with more in both directions than the kernel holds.
  const cluster = await startCluster(t, { brokers: 1 });
  createTopic(cluster);
  const clock = new HandClock();
  const sidecar = await startSidecar(t, cluster, { clock });
  const client = await connect(t, sidecar, 1);
  await client.ask(produce, 9, produceTo(1, ['r'.repeat(100_000)]));
  cluster.broker(1).freeze();
  client.socket.pause();
  const value = 'v'.repeat(40_000);
  for (let number = 0; number < 80; number += 1) {
    client.send(produce, 9, produceTo(1, [value]));
    client.send(fetch, 12, { ...fetchFrom(1, 0), maxBytes: 100_000 });
  }
  await new Promise((resolve) => setImmediate(resolve));
  cluster.broker(1).thaw();
  const { bytesOut } = cluster;
  await until('answers pile up', () => cluster.bytesOut > bytesOut + 1_000_000, 20_000);
  const other = await connect(t, sidecar, 1);
  other.send(metadata, 1, { topics: [] });
  await clock.passUntil('another one is served', () => other.frames.length > 0);
  client.socket.resume();
  await until('everything came', () => client.frames.length >= 160, 20_000);
  const ids = client.frames.map((frame) => frame.readInt32BE());
  t.strictSame(
    ids,
    Array.from({ length: 160 }, (_, index) => 1 + index),
  );
  t.equal(valuesOf(cluster).length, 81);
  t.strictSame(sidecar.closes, []);
});
