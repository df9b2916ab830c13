/** H36: what came while the process stood still is read before anything is judged. */
import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

const STANDSTILL = 10 * 60 * 1000;

t.test('an answer that came while the process stood still is delivered, however late', async (t) => {
  const core = await startCore(t);
  core.broker().manual = true;
  const app = core.connect();
  const id = app.send('pool');
  core.broker().open[0]?.answer();
  core.clock.stall(STANDSTILL);
  core.pass(1);
  t.strictSame(app.ids, [id]);
  t.strictSame(core.released, []);
  t.strictSame(core.disconnected, []);
});

t.test('half a request whose rest came while the process stood still is no stalled client', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  const { id, bytes } = app.frame('pool', { body: Buffer.alloc(100) });
  app.write(bytes.subarray(0, 50));
  app.peer.send(bytes.subarray(50));
  core.clock.stall(STANDSTILL);
  core.pass(1);
  t.strictSame(app.ids, [id]);
  t.strictSame(core.disconnected, []);
});

t.test('a dial that succeeded while the process stood still has not failed', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  const { id, bytes } = app.frame('pool');
  app.peer.send(bytes);
  for (const { wire } of core.network.deliverable()) wire.deliverIn();
  t.equal(core.network.dials.length, 1);
  core.clock.stall(STANDSTILL);
  core.pass(1);
  t.strictSame(app.ids, [id]);
  t.strictSame(core.disconnected, []);
});

t.test('who waited while the process stood still is served if he can be', async (t) => {
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 1, slowAnswerMilliseconds: 3_600_000 } });
  core.broker().manual = true;
  const holder = core.connect();
  holder.send('pool');
  const waiter = core.connect();
  const id = waiter.send('pool');
  core.broker().open[0]?.answer();
  core.broker().manual = false;
  core.clock.stall(STANDSTILL);
  core.pass(1);
  t.strictSame(waiter.ids, [id]);
  t.strictSame(core.disconnected, []);
});
