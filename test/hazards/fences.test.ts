/** H2, H10, H35: connections that are busy although nothing is owed: unanswered requests before them, or a mute. */
import t from 'tap';
import { produce } from '../../src/demo/kafka/messages/produce.ts';
import { type CoreFixture, startCore } from '../support/core-fixture.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import type { FakeApp } from '../support/fake-app.ts';
import type { FakeConnection } from '../support/fake-broker.ts';
import { HandClock } from '../support/hand-clock.ts';
import { createTopic, produceTo, valuesOf } from './requests.ts';
import { connect, startSidecar } from './sidecar.ts';

function hasRead(connection: FakeConnection | undefined, app: FakeApp): boolean {
  return connection?.received.some(({ id }) => id.startsWith(`a${app.number}-`)) ?? false;
}

t.test('behind a request without an answer nobody else comes before the fence was answered', async (t) => {
  // H2
  const core = await startCore(t);
  const broker = core.broker();
  broker.manual = true;
  broker.answersPings = false;
  const [silent, other] = [core.connect(), core.connect()];
  silent.send('shot');
  const [connection] = broker.open;
  other.send('pool');
  core.pass(2);
  t.notOk(hasRead(connection, other), 'the broker is still busy with it');
  t.strictSame(
    connection?.received.map(({ word }) => word),
    ['hello', 'shot', 'ping'],
  );
  t.ok(broker.ids.includes('a2-1'), 'the other one was served elsewhere');
  connection?.answer();
  core.pass(2);
  for (const { waiting } of broker.open.slice(1)) t.equal(waiting.length, 1, 'and holds that connection');
  const third = core.connect();
  third.send('pool');
  core.pass(0.1);
  t.notOk(hasRead(connection, third), 'work on it has begun, and the fence is not answered');
  connection?.answer();
  const fourth = core.connect();
  fourth.send('pool');
  core.pass(0.1);
  t.ok(hasRead(connection, third) || hasRead(connection, fourth), 'the fence was answered');
  t.strictSame(core.disconnected, []);
});

t.test('its own next answer is a fence too, and until then the client keeps its connection', async (t) => {
  // H2
  const core = await startCore(t);
  const broker = core.broker();
  broker.manual = true;
  const app = core.connect();
  app.send('shot');
  app.send('pool');
  app.send('shot');
  const [connection] = broker.open;
  connection?.answer();
  connection?.answer();
  core.pump();
  t.strictSame(app.ids, ['a1-2']);
  const other = core.connect();
  other.send('pool');
  core.pass(0.05);
  t.notOk(hasRead(connection, other), 'a shot came behind it');
  app.send('pool');
  t.equal(connection?.received.at(-1)?.id, 'a1-4');
  connection?.answer();
  connection?.answer();
  core.pump();
  core.connect().send('pool');
  core.pump();
  t.equal(connection?.waiting.length, 1, 'it is lent again, and no fence of ours was needed');
  t.notOk(connection?.received.some(({ word }) => word === 'ping'));
});

t.test('a client that leaves behind a request without an answer leaves its connection to nobody', async (t) => {
  // H2
  for (const leave of ['fin', 'reset'] as const) {
    const core = await startCore(t);
    const broker = core.broker();
    broker.manual = true;
    const app = core.connect();
    app.send('shot');
    const [connection] = broker.open;
    app[leave]();
    const other = core.connect();
    other.send('pool');
    core.pass(0.05);
    t.notOk(hasRead(connection, other));
    t.equal(broker.ids[0], 'a1-1', 'what it had sent arrived');
  }
});

t.test('a throttled client goes on alone where it is, and nobody else inherits the mute', async (t) => {
  // H10
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 1 } });
  const broker = core.broker();
  broker.manual = true;
  const [throttled, other] = [core.connect(), core.connect()];
  throttled.send('pool');
  const [connection] = broker.open;
  connection?.answer({ mute: 2000 });
  core.pump();
  t.equal(throttled.answers.length, 1);
  const asked = core.clock.now();
  other.send('pool');
  while (!broker.ids.includes('a2-1')) core.clock.advance(1);
  t.ok(core.clock.now() - asked < 50, `${core.clock.now() - asked} ms`);
  t.notOk(hasRead(connection, other));
  throttled.send('pool');
  core.pass(0.1);
  t.equal(connection?.waiting[0]?.id, 'a1-2', 'no other way for the one that is throttled');
  connection?.answer();
  core.pump();
  // The other's connection is busy, the cap is one, and half of the mute is over.
  core.pass(1);
  const third = core.connect();
  third.send('pool');
  core.pass(0.5);
  t.notOk(hasRead(connection, third));
  core.pass(0.6);
  t.strictSame(core.disconnected, []);
  core.connect().send('pool');
  core.pass(0.1);
  t.equal(connection?.waiting.length, 1, 'after the mute it is lent again');
});

t.test('behind a Kafka broker’s throttle nobody waits but the client that it is for', async (t) => {
  // H10: the embedded broker says so and really reads nothing from that connection for a minute.
  const cluster = await startCluster(t, { brokers: 1 });
  createTopic(cluster);
  const clock = new HandClock();
  const sidecar = await startSidecar(t, cluster, { clock, pool: { maxConnectionsPerBroker: 1 } });
  const [throttled, other] = [await connect(t, sidecar, 1), await connect(t, sidecar, 1)];
  cluster.onRequest = (_, { api, clientId }) =>
    api === 'Produce' && clientId === 'raw' ? { throttleMilliseconds: 60_000 } : undefined;
  const { throttleTimeMs } = await throttled.ask(produce, 9, produceTo(1, ['too much']));
  t.equal(throttleTimeMs, 60_000);
  cluster.onRequest = undefined;
  throttled.send(produce, 9, produceTo(1, ['and more']));
  for (let round = 0; round < 5; round += 1) {
    other.send(produce, 9, produceTo(1, [`${round}`]));
    await clock.passUntil('the other one is served', () => other.frames.length > round, 0.1);
  }
  t.equal(throttled.frames.length, 0, 'it waits where it is');
  t.strictSame(valuesOf(cluster), ['too much', '0', '1', '2', '3', '4']);
});

t.test('a mute outlives the client that brought it', async (t) => {
  // H10
  for (const leave of ['fin', 'reset'] as const) {
    const core = await startCore(t);
    const broker = core.broker();
    broker.manual = true;
    const throttled = core.connect();
    throttled.send('pool');
    const [connection] = broker.open;
    connection?.answer({ mute: 2000 });
    core.pump();
    throttled[leave]();
    const other = core.connect();
    other.send('pool');
    core.pass(1.9);
    t.notOk(hasRead(connection, other), leave);
    t.ok(broker.ids.includes('a2-1'));
  }
});

t.test(
  'what was sent without wanting an answer arrives, though its client has left and the broker is slow',
  async (t) => {
    // H35
    const LEAVE: Readonly<Record<string, (core: CoreFixture, app: FakeApp) => void>> = {
      fin: (_core, app) => app.fin(),
      reset: (_core, app) => app.reset(),
      operator: (core) => void core.control.closeClient('c1'),
    };
    for (const [how, leave] of Object.entries(LEAVE)) {
      const core = await startCore(t);
      const app = core.connect();
      app.send('pool');
      const [connection] = core.broker().open;
      connection?.peer.clog(20);
      const body = Buffer.alloc(5000, 'b');
      app.send('shot', { body });
      leave(core, app);
      core.pass(0.5);
      connection?.peer.unclog();
      core.pump();
      t.strictSame(core.broker().words, ['pool', 'shot'], how);
      t.ok(core.broker().received.at(-1)?.body.equals(body));
    }
  },
);
