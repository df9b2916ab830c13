import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('a fault of ours while a waiting client goes on closes that client and no other', async (t) => {
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 1 } });
  const broker = core.broker();
  broker.manual = true;
  const [holder, waiter] = [core.connect(), core.connect()];
  const first = holder.send('pool');
  waiter.send('pool');
  const [, session] = core.line.sessions;
  if (session === undefined) throw new Error('two clients have sessions');
  session.inspect = () => {
    throw new Error('a fault');
  };
  broker.open[0]?.answer();
  core.pump();
  t.strictSame(holder.ids, [first]);
  t.ok(holder.isOpen);
  t.ok(waiter.wasReset);
  t.equal(core.openTo(), 1, 'the connection of the other one is as it was');
  t.equal(core.eventsOf('invariant.violated').length, 1);
  t.strictSame(core.disconnected, ['protocol_error']);
});

t.test('a fault of ours in an answer that waited for listeners closes that connection and no other', async (t) => {
  const core = await startCore(t);
  const [other, app] = [core.connect(), core.connect()];
  core.broker().manual = true;
  other.send('hold');
  app.send('hold');
  core.broker().open[1]?.answer();
  core.pump();
  core.network.holdsBinds = true;
  core.addBroker('2');
  app.send('meta');
  const connection = core.broker().open.find(({ waiting }) => waiting[0]?.word === 'meta');
  connection?.answer();
  core.pump();
  const blocked = [...core.route.pools].flatMap((pool) => [...pool.open]).find(({ session }) => session.blocked);
  if (blocked === undefined) throw new Error('the answer waits for the listener of the new broker');
  blocked.session.resume = () => {
    throw new Error('a fault');
  };
  core.network.bindNow();
  await core.settle();
  t.notOk(app.isOpen);
  t.ok(other.isOpen);
  t.equal(core.eventsOf('invariant.violated').length, 1);
  core.broker().open[0]?.answer();
  core.pump();
  t.equal(other.answers.length, 1);
});
