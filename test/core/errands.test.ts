import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('who waits for a sign of life takes a connection that becomes free meanwhile', async (t) => {
  const core = await startCore(t);
  const broker = core.broker();
  broker.manual = true;
  const [a, b, c] = [core.connect(), core.connect(), core.connect()];
  a.send('hold');
  b.send('hold');
  const [first, second] = broker.open;
  first?.answer();
  core.pump();
  core.pass(31);
  t.equal(core.openTo(), 2);
  if (first !== undefined) first.deaf = true;
  const id = c.send('pool'); // the first is asked for a sign of life, and is dead
  second?.answer();
  core.pump();
  t.ok(broker.ids.includes(id), 'the second is free');
});

t.test('several dead connections do not use up the patience of one who waits', async (t) => {
  const core = await startCore(t);
  const broker = core.broker();
  broker.manual = true;
  const apps = [core.connect(), core.connect(), core.connect(), core.connect()];
  for (const app of apps) app.send('hold');
  for (const connection of broker.open) connection.answer();
  core.pump();
  broker.manual = false;
  core.pass(31);
  t.equal(core.openTo(), 4);
  for (const connection of broker.open) connection.deaf = true;
  const id = apps[0]?.send('pool');
  core.pass(10);
  t.strictSame(core.disconnected, []);
  t.strictSame(apps[0]?.ids.at(-1), id);
});

t.test('a renewal of metadata that takes long keeps nobody waiting', async (t) => {
  const core = await startCore(t);
  const broker = core.broker();
  const sleeper = core.connect();
  sleeper.send('meta', { keys: [['topic', 'a']] });
  core.pass(5);
  t.equal(core.openTo(), 0);
  broker.answersPings = false;
  sleeper.send('house');
  t.equal(core.openTo(), 1);
  const id = core.connect().send('pool');
  core.pass(6);
  t.ok(broker.ids.includes(id));
  t.strictSame(core.disconnected, []);
});
