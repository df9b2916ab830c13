/** The end of a sidecar, DESIGN 12: it serves on, then finishes, then says goodbye. */
import t, { type Test } from 'tap';
import { shutDown } from '../../src/core/shutdown.ts';
import { type CoreFixture, type Overrides, startCore } from '../support/core-fixture.ts';

interface Ending {
  readonly core: CoreFixture;
  /** The signal has come. */
  begin(): Promise<void>;
  pass(seconds: number): Promise<void>;
  readonly hasEnded: boolean;
}

async function ending(t: Test, overrides: Overrides = {}): Promise<Ending> {
  const core = await startCore(t, overrides);
  let hasEnded = false;
  return {
    core,
    begin: async () => {
      void shutDown([core.route], core.clock).then(() => {
        hasEnded = true;
      });
      await core.settle();
    },
    pass: async (seconds) => {
      for (let tenth = 0; tenth < seconds * 10; tenth += 1) {
        core.pass(0.1);
        await core.settle();
      }
    },
    get hasEnded() {
      return hasEnded;
    },
  };
}

t.test('without a client it ends at once, with a FIN to each broker', async (t) => {
  const run = await ending(t);
  const app = run.core.connect();
  app.send('pool');
  app.fin();
  await run.begin();
  t.ok(run.hasEnded);
  t.strictSame(run.core.released, ['shutdown']);
  t.equal(run.core.openTo(), 0);
  const peer = run.core.broker().connections[0]?.peer;
  t.ok(peer?.ended && !peer.wasReset);
  t.strictSame(run.core.network.listening, []);
});

t.test('with clients it goes on to accept and to serve, until five seconds before the end of the grace', async (t) => {
  const run = await ending(t);
  const { core } = run;
  const app = core.connect();
  app.send('pool');
  await run.begin();
  for (let second = 0; second < 19; second += 1) {
    await run.pass(1);
    app.send('pool');
    const another = core.connect();
    another.send('pool');
    t.equal(another.answers.length, 1, 'an application may flush over new sockets during its own shutdown');
    another.fin();
  }
  t.equal(app.answers.length, 20);
  await run.pass(1.1);
  t.ok(app.wasEnded);
  t.ok(core.connect().peer.refused);
  t.ok(run.hasEnded);
  t.strictSame([...new Set(core.disconnected)].sort(), ['client_closed', 'shutdown']);
});

t.test('it ends as soon as the last client has gone', async (t) => {
  const run = await ending(t);
  const [one, other] = [run.core.connect(), run.core.connect()];
  one.send('pool');
  await run.begin();
  await run.pass(2);
  one.fin();
  await run.pass(2);
  t.notOk(run.hasEnded);
  other.fin();
  await run.core.settle();
  t.ok(run.hasEnded);
});

t.test('what is in flight is finished before its client is told goodbye', async (t) => {
  const run = await ending(t);
  const { core } = run;
  core.broker().manual = true;
  const app = core.connect();
  const id = app.send('pool');
  await run.begin();
  await run.pass(22);
  t.ok(app.isOpen);
  t.notOk(run.hasEnded);
  core.broker().open[0]?.answer();
  await run.pass(0.6);
  t.strictSame(app.ids, [id]);
  t.ok(app.wasEnded);
  t.ok(run.hasEnded);
});

t.test('at the end of the grace everything ends, whatever is in flight', async (t) => {
  const run = await ending(t);
  const { core } = run;
  core.broker().manual = true;
  const app = core.connect();
  app.send('pool');
  await run.begin();
  await run.pass(24.9);
  t.ok(app.isOpen);
  await run.pass(0.3);
  t.ok(app.wasEnded);
  t.strictSame(core.disconnected, ['shutdown']);
  t.ok(run.hasEnded);
});

t.test('applications are told before brokers', async (t) => {
  const run = await ending(t);
  const { core } = run;
  for (const app of [core.connect(), core.connect()]) app.send('pool');
  const order: string[] = [];
  for (const wire of core.network.wires) {
    const end = wire.end.bind(wire);
    wire.end = () => {
      order.push(wire.remote.startsWith('broker') ? 'broker' : 'application');
      end();
    };
  }
  await run.begin();
  await run.pass(26);
  t.strictSame(order, ['application', 'application', 'broker']);
  t.ok(run.hasEnded);
});

t.test('a request that has begun to arrive may be completed', async (t) => {
  const run = await ending(t);
  const { core } = run;
  const app = core.connect();
  const { id, bytes } = app.frame('pool', { body: Buffer.alloc(100) });
  app.write(bytes.subarray(0, 50));
  await run.begin();
  await run.pass(21);
  t.ok(app.isOpen);
  app.write(bytes.subarray(50));
  await run.pass(0.6);
  t.strictSame(app.ids, [id]);
  t.ok(app.wasEnded);
});

t.test('a client that waits for a connection is served', async (t) => {
  const run = await ending(t);
  const { core } = run;
  const app = core.connect();
  await run.begin();
  await run.pass(19.5);
  core.broker().greets = false;
  const id = app.send('pool');
  await run.pass(1);
  t.ok(app.isOpen);
  core.broker().greets = true;
  core.broker().open[0]?.answer();
  await run.pass(1);
  t.strictSame(app.ids, [id]);
  t.ok(app.wasEnded);
});

t.test('a client that has ended its half gets what is owed to it, and does not hold up the end', async (t) => {
  const run = await ending(t);
  const { core } = run;
  core.broker().manual = true;
  const app = core.connect();
  const id = app.send('pool');
  app.fin();
  await run.begin();
  await run.pass(3);
  t.notOk(run.hasEnded);
  core.broker().open[0]?.answer();
  await run.pass(0.1);
  t.strictSame(app.ids, [id]);
  t.ok(app.wasEnded);
  t.ok(run.hasEnded);
});

t.test('a client that never answers a goodbye does not hold up the end', async (t) => {
  const run = await ending(t);
  const app = run.core.connect();
  app.send('pool');
  app.peer.onEnd = () => undefined; // it keeps its half open
  await run.begin();
  await run.pass(20.2);
  t.ok(app.wasEnded);
  t.ok(run.hasEnded);
});

t.test('a broker that never answers a goodbye holds up the end for a second', async (t) => {
  const run = await ending(t);
  const app = run.core.connect();
  app.send('pool');
  const connection = run.core.broker().open[0];
  if (connection !== undefined) connection.peer.onEnd = () => undefined;
  app.fin();
  await run.begin();
  t.notOk(run.hasEnded);
  await run.pass(1.6);
  t.ok(run.hasEnded);
  t.equal(run.core.network.open, 0);
});

t.test('a dial that is under way is given up, and no timer is left', async (t) => {
  const run = await ending(t);
  const { core } = run;
  core.broker().greets = false;
  const app = core.connect();
  app.send('pool');
  app.reset();
  await run.begin();
  t.ok(run.hasEnded);
  t.match(core.eventsOf('upstream.released'), [{ reason: 'shutdown', opened: false }]);
  t.strictSame(core.eventsOf('upstream.dial_failed'), [], 'that is no failure');
  t.equal(core.clock.timers, 0);
});

t.test('a grace shorter than five seconds is all for what is in flight', async (t) => {
  const run = await ending(t, { options: { shutdownGraceSeconds: 3 } });
  const { core } = run;
  core.broker().manual = true;
  const [busy, idle] = [core.connect(), core.connect()];
  busy.send('pool');
  await run.begin();
  await run.pass(0.1);
  t.ok(idle.wasEnded);
  t.ok(core.connect().peer.refused);
  t.ok(busy.isOpen);
  await run.pass(2.8);
  t.ok(busy.isOpen);
  await run.pass(0.3);
  t.notOk(busy.isOpen);
  t.ok(run.hasEnded);
});

t.test('without any grace it ends at once', async (t) => {
  const run = await ending(t, { options: { shutdownGraceSeconds: 0 } });
  const app = run.core.connect();
  app.send('pool');
  await run.begin();
  await run.pass(0.1);
  t.ok(app.wasEnded);
  t.ok(run.hasEnded);
});

t.test('several routes end side by side, each at its own pace', async (t) => {
  const [one, other] = [await startCore(t), await startCore(t)];
  const app = other.connect();
  app.send('pool');
  let hasEnded = false;
  void shutDown([one.route, other.route], other.clock).then(() => {
    hasEnded = true;
  });
  await one.settle();
  await other.settle();
  t.strictSame(one.network.listening, [], 'one has nobody to wait for');
  t.notOk(hasEnded);
  app.fin();
  await other.settle();
  t.ok(hasEnded);
});
