import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('a client that ended its half still gets the answers that are owed, and then a FIN', async (t) => {
  // H47
  const core = await startCore(t);
  const broker = core.broker();
  broker.manual = true;
  const app = core.connect();
  const ids = [app.send('pool'), app.send('pool')];
  app.fin();
  t.ok(app.isOpen);
  broker.open[0]?.answer();
  broker.open[0]?.answer();
  core.pump();
  t.strictSame(app.ids, ids);
  t.ok(app.wasEnded);
  t.strictSame(core.disconnected, ['client_closed']);
  t.equal(core.openTo(), 1, 'its connection goes back to the pool');
});

t.test('a client that ended while it waited for an upstream is still served', async (t) => {
  const core = await startCore(t);
  core.broker().greets = false;
  const app = core.connect();
  const id = app.send('pool');
  app.fin();
  core.broker().greets = true;
  core.broker().open[0]?.answer();
  core.pump();
  t.strictSame(app.ids, [id]);
  t.ok(app.wasEnded);
});

t.test('a client that ends in the middle of a request is gone at once, and its connection with it', async (t) => {
  // H21
  const core = await startCore(t, { limits: { wholeFrameBytes: 100 } });
  const app = core.connect();
  const { bytes } = app.frame('pool', { body: Buffer.alloc(1000) });
  app.write(bytes.subarray(0, 500));
  t.equal(core.openTo(), 1);
  app.fin();
  t.strictSame(core.released, ['abandoned']);
  t.ok(app.wasEnded);
  t.equal(core.openTo(), 0);
});

t.test('a client that ends in the middle of a small request costs nobody a connection', async (t) => {
  // H21
  const core = await startCore(t);
  const app = core.connect();
  app.send('pool');
  const { bytes } = app.frame('pool', { body: Buffer.alloc(1000) });
  app.write(bytes.subarray(0, 500));
  app.fin();
  t.ok(app.wasEnded);
  t.strictSame(core.released, []);
  t.strictSame(core.broker().words, ['pool']);
});
