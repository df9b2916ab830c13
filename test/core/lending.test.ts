/** Who is lent which connection: sharing, growth by waiting, and the cap. */
import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('the connection used last is lent first, so that the others grow cold', async (t) => {
  const core = await startCore(t);
  const apps = [core.connect(), core.connect(), core.connect()];
  core.broker().manual = true;
  for (const app of apps) app.send('hold');
  const connections = core.broker().open;
  const usedLast = (): number => connections.indexOf(core.broker().received.at(-1)!.connection);
  for (const turn of [0, 2, 1]) {
    connections[turn]?.answer();
    core.pump();
  }
  core.broker().manual = false;
  for (const app of apps) {
    app.send('pool');
    t.equal(usedLast(), 1, 'one after the other all use the same');
  }
  core.broker().manual = true;
  apps[0]?.send('pool');
  t.equal(usedLast(), 1);
  apps[1]?.send('pool');
  t.equal(usedLast(), 2, 'while that is in use, the one used before it');
  t.equal(core.network.dials.length, 3);
});

t.test('seventy clients that send once a second share one connection', async (t) => {
  const core = await startCore(t);
  const apps = Array.from({ length: 70 }, () => core.connect());
  for (let second = 0; second < 20; second += 1) {
    for (const app of apps) {
      app.send('pool');
      core.clock.advance(1000 / 70);
    }
  }
  t.equal(core.network.dials.length, 1);
  for (const app of apps) t.equal(app.answers.length, 20);
});

t.test('a connection that carries something is never lent to anybody else', async (t) => {
  const core = await startCore(t);
  core.broker().manual = true;
  const [one, other] = [core.connect(), core.connect()];
  one.send('pool');
  other.send('pool');
  core.pass(0.2);
  const [first, second] = core.broker().open;
  t.strictSame(
    first?.waiting.map(({ id }) => id),
    ['a1-1'],
  );
  t.strictSame(
    second?.waiting.map(({ id }) => id),
    ['a2-1'],
  );
  one.send('pool');
  t.strictSame(
    first?.waiting.map(({ id }) => id),
    ['a1-1', 'a1-2'],
    'its own client goes on with it',
  );
});

t.test('a waiter gets a connection of its own only after growAfterWaitMilliseconds', async (t) => {
  const core = await startCore(t);
  core.broker().manual = true;
  core.connect().send('pool');
  core.connect().send('pool');
  core.clock.advance(9.9);
  t.equal(core.network.dials.length, 1, 'not yet');
  core.clock.advance(0.2);
  t.equal(core.network.dials.length, 2);
  t.strictSame(core.broker().ids, ['a1-1', 'a2-1']);
});

t.test('a waiter that is served in time costs no connection', async (t) => {
  const core = await startCore(t);
  core.broker().manual = true;
  core.connect().send('pool');
  core.connect().send('pool');
  core.clock.advance(9);
  core.broker().open[0]?.answer();
  core.pump();
  core.clock.advance(100);
  t.strictSame(core.broker().ids, ['a1-1', 'a2-1']);
  t.equal(core.network.dials.length, 1);
});

t.test('leased work dials one at a time, however many wait', async (t) => {
  const core = await startCore(t);
  core.broker().manual = true;
  core.connect().send('pool');
  core.broker().greets = false;
  for (let waiter = 0; waiter < 20; waiter += 1) core.connect().send('pool');
  core.clock.advance(400);
  t.equal(core.network.dials.length, 2);
  core.broker().open[1]?.answer();
  core.pump();
  core.clock.advance(400);
  t.equal(core.network.dials.length, 3);
});

t.test('waiters never dial beyond the cap, and get what becomes free in the order of their coming', async (t) => {
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 2, slowAnswerMilliseconds: 60_000 } });
  core.broker().manual = true;
  for (let client = 0; client < 6; client += 1) core.connect().send('pool');
  core.pass(3);
  t.equal(core.openTo(), 2);
  t.strictSame(core.broker().ids, ['a1-1', 'a2-1']);
  for (const turn of [0, 1, 1, 0]) {
    core.broker().open[turn]?.answer();
    core.pump();
  }
  t.strictSame(core.broker().ids, ['a1-1', 'a2-1', 'a3-1', 'a4-1', 'a5-1', 'a6-1']);
  t.equal(core.network.dials.length, 2);
});

t.test('who comes later waits behind those who wait already', async (t) => {
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 1 } });
  core.broker().manual = true;
  const app = core.connect();
  app.send('pool');
  core.connect().send('pool');
  core.connect().send('pool');
  core.broker().open[0]?.answer();
  core.pump();
  app.send('pool');
  for (let turn = 0; turn < 3; turn += 1) {
    core.broker().open[0]?.answer();
    core.pump();
  }
  t.strictSame(core.broker().ids, ['a1-1', 'a2-1', 'a3-1', 'a1-2']);
});

t.test('a connection that is closed but not gone still counts', async (t) => {
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 1 } });
  core.broker().manual = true;
  core.connect().send('pool');
  core.connect().send('pool');
  const [connection] = core.broker().open;
  if (connection !== undefined) connection.peer.onEnd = () => undefined;
  core.connect().send('hold');
  core.control.condemnUpstream('u2', false);
  connection?.answer();
  core.pump();
  t.equal(core.released.at(-1), 'operator');
  core.clock.advance(900);
  t.equal(core.network.dials.length, 2, 'its slot is not free: the broker has not closed its side');
  core.clock.advance(200);
  t.equal(core.network.dials.length, 3, 'it is gone after a second');
});

t.test('a client keeps one connection until nothing is owed, and the order of its requests', async (t) => {
  const core = await startCore(t);
  core.broker().manual = true;
  const [app, other] = [core.connect(), core.connect()];
  app.send('pool');
  other.send('pool');
  core.pass(0.1);
  other.send('pool');
  const [first, second] = core.broker().open;
  first?.answer();
  core.pump();
  app.send('pool');
  other.send('pool');
  t.strictSame(
    second?.waiting.map(({ id }) => id),
    ['a2-1', 'a2-2', 'a2-3'],
  );
  t.strictSame(
    first?.waiting.map(({ id }) => id),
    ['a1-2'],
  );
});

t.test('a connection whose answer came early stays with its client until the request is written', async (t) => {
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 1 }, limits: { wholeFrameBytes: 100 } });
  const app = core.connect();
  const { id, bytes } = app.frame('pool', { body: Buffer.alloc(1000) });
  app.write(bytes.subarray(0, 500));
  core.broker().open[0]?.peer.send(`ok ${id} 0\n`);
  core.pump();
  t.strictSame(app.ids, [id]);
  const other = core.connect().send('pool');
  core.clock.advance(200);
  t.strictSame(core.broker().ids, [], 'nothing is owed and yet it is not lent');
  core.broker().manual = true;
  app.write(bytes.subarray(500));
  t.strictSame(core.broker().ids, [id, other]);
});

t.test('a wait is told once it lasts for a while, once', async (t) => {
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 1, slowAnswerMilliseconds: 60_000 } });
  core.broker().manual = true;
  core.connect().send('pool');
  core.connect().send('pool');
  core.clock.advance(90);
  t.strictSame(core.eventsOf('lease.waiting'), []);
  core.clock.advance(2000);
  const [event, ...more] = core.eventsOf('lease.waiting');
  t.match(event, { client: 'c2', broker: '1', waiters: 1 });
  t.ok(event !== undefined && event.ageSeconds >= 0.1 && event.ageSeconds < 0.2);
  t.strictSame(more, []);
});

t.test('how long clients waited is measured', async (t) => {
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 1 } });
  core.broker().manual = true;
  core.connect().send('pool');
  core.connect().send('pool');
  const { count } = core.route.leaseWaitSeconds;
  core.clock.advance(300);
  core.broker().open[0]?.answer();
  core.pump();
  t.equal(core.route.leaseWaitSeconds.count, count + 1);
  t.ok(Math.abs(core.route.leaseWaitSeconds.sum - 0.3) < 0.02);
});
