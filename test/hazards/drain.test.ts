/** H38: the end of a sidecar whose application is still there, or ends together with it. */
import t from 'tap';
import { shutDown } from '../../src/core/shutdown.ts';
import { type CoreFixture, startCore } from '../support/core-fixture.ts';

interface Ending {
  readonly over: () => boolean;
  readonly promise: Promise<void>;
}

function end(core: CoreFixture): Ending {
  let over = false;
  const promise = shutDown([core.route], core.clock).then(() => {
    over = true;
  });
  return { over: () => over, promise };
}

/** Time passes; what awaits goes on. */
async function pass(core: CoreFixture, seconds: number): Promise<void> {
  for (let tenth = 0; tenth < seconds * 10; tenth += 1) {
    core.pass(0.1);
    await core.settle();
  }
}

t.test('while clients are there it goes on accepting and serving', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  const ending = end(core);
  for (let second = 0; second < 19; second += 1) {
    await pass(core, 1);
    app.send('pool');
    const flushing = core.connect();
    flushing.send('pool');
    core.pump();
    t.equal(flushing.answers.length, 1, `served after ${second} s`);
    flushing.fin();
  }
  t.equal(app.answers.length, 19);
  t.ok(app.isOpen);
  t.notOk(ending.over());
  app.fin();
  await pass(core, 2);
  t.ok(ending.over(), 'over as soon as the last client has gone');
  t.notOk(core.disconnected.some((reason) => reason !== 'client_closed'));
});

t.test('without clients it is over at once, and the brokers are told goodbye', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('pool');
  app.fin();
  t.equal(core.openTo(), 1);
  const ending = end(core);
  await pass(core, 0.5);
  t.ok(ending.over());
  t.strictSame(core.released, ['shutdown']);
  t.equal(core.openTo(), 0);
  const [connection] = core.broker().connections;
  t.ok(connection?.peer.ended);
  t.notOk(connection?.peer.wasReset);
});

t.test(
  'clients that stay are told goodbye five seconds before the end, whoever is owed an answer gets it first',
  async (t) => {
    const core = await startCore(t);
    core.broker().manual = true;
    const [idle, busy, late] = [core.connect(), core.connect(), core.connect()];
    busy.send('pool');
    const { bytes } = late.frame('pool', { body: Buffer.alloc(1000) });
    late.write(bytes.subarray(0, 500));
    const ending = end(core);
    await pass(core, 19.8);
    t.ok(idle.isOpen);
    await pass(core, 0.4);
    t.ok(idle.wasEnded, 'with a FIN');
    t.ok(core.connect().peer.refused, 'nobody new is let in');
    t.ok(busy.isOpen && late.isOpen);
    late.write(bytes.subarray(500));
    await pass(core, 1);
    for (const connection of core.broker().open) connection.answer();
    await pass(core, 1);
    t.equal(busy.answers.length, 1);
    t.equal(late.answers.length, 1);
    t.ok(busy.wasEnded && late.wasEnded);
    await pass(core, 1);
    t.ok(ending.over());
    t.strictSame(core.disconnected, ['shutdown', 'shutdown', 'shutdown']);
    t.strictSame(new Set(core.released), new Set(['shutdown']));
  },
);

t.test('an answer that never comes does not keep it beyond its grace', async (t) => {
  const core = await startCore(t);
  core.broker().manual = true;
  const app = core.connect();
  app.send('hold');
  const ending = end(core);
  await pass(core, 24.5);
  t.notOk(ending.over());
  t.ok(app.isOpen);
  await pass(core, 2.5);
  t.ok(ending.over());
  t.notOk(app.isOpen);
  t.equal(core.openTo(), 0);
});
