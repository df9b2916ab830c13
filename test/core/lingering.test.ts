/** Connections that stay for a short while: housekeeping, and age. */
import t from 'tap';
import { type CoreFixture, startCore } from '../support/core-fixture.ts';
import type { FakeApp } from '../support/fake-app.ts';

const LINGER_SECONDS = 1;
/** The coarse timer looks so often. */
const SWEEP_SECONDS = 0.5;

t.test('a connection for housekeeping alone goes after housekeepingLingerSeconds of quiet', async (t) => {
  const core = await startCore(t, { options: { housekeepingLingerSeconds: 5 } });
  core.pass(10); // the link over which the topology was learnt goes too
  core.events.length = 0;
  const app = core.connect();
  app.send('house');
  core.pass(4);
  app.send('house');
  core.pass(4.9);
  t.strictSame(core.released, [], 'counted from its last use');
  core.pass(0.1 + SWEEP_SECONDS);
  t.strictSame(core.released, ['housekeeping_done']);
  t.ok(app.isOpen);
});

t.test('once it has carried work it is like any other', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('house');
  app.send('pool');
  core.pass(170);
  t.strictSame(core.released, []);
  core.pass(75);
  t.strictSame(core.released, ['idle']);
});

t.test('a connection that was dialled for work and carried none goes like one for housekeeping', async (t) => {
  const core = await startCore(t);
  core.broker().greets = false;
  const app = core.connect();
  app.send('pool');
  app.reset();
  core.broker().greets = true;
  core.broker().open[0]?.answer();
  core.pump();
  t.equal(core.openTo(), 1);
  core.pass(LINGER_SECONDS + SWEEP_SECONDS);
  t.strictSame(core.released, ['housekeeping_done']);
});

/** Sleepers that each asked for a topic of its own, and a pool that is asleep. */
function sleepers(core: CoreFixture, count: number): FakeApp[] {
  const apps = Array.from({ length: count }, (_, index) => {
    const app = core.connect();
    app.send('meta', { keys: [['topic', `t${index}`]] });
    return app;
  });
  core.pass(10);
  core.broker().received.length = 0;
  core.network.dials.length = 0;
  return apps;
}

t.test('housekeeping that must dial renews at once what all sleepers will ask for, over one link', async (t) => {
  const core = await startCore(t);
  const apps = sleepers(core, 20);
  t.equal(core.openTo(), 0);
  for (const [index, app] of apps.entries()) {
    app.send('meta', { keys: [['topic', `t${index}`]] });
    core.pass(10);
  }
  for (const app of apps) t.equal(app.answers.length, 2);
  t.equal(core.network.dials.length, 1, 'in more than three minutes');
  t.strictSame(core.broker().words, [], 'no sleeper’s own question went to the broker');
});

t.test('all who came with housekeeping while the link was dialled are served by the renewal', async (t) => {
  const core = await startCore(t);
  const apps = sleepers(core, 20);
  core.broker().greets = false;
  for (const [index, app] of apps.entries()) app.send('meta', { keys: [['topic', `t${index}`]] });
  core.broker().open[0]?.answer();
  core.pump();
  for (const app of apps) t.equal(app.answers.length, 2);
  t.equal(core.network.dials.length, 1);
  t.strictSame(core.broker().words, []);
  core.pass(LINGER_SECONDS + SWEEP_SECONDS);
  t.equal(core.openTo(), 0);
});

t.test('a link that is dialled for work renews nothing before the work', async (t) => {
  const core = await startCore(t);
  const apps = sleepers(core, 5);
  apps[0]?.send('pool');
  t.strictSame(
    core
      .broker()
      .connections.at(-1)
      ?.received.map(({ word }) => word),
    ['hello', 'pool'],
  );
});

t.test('who comes with work while a link renews waits for no more than that', async (t) => {
  const core = await startCore(t);
  const apps = sleepers(core, 3);
  core.broker().answersPings = false; // nor anything else of ours
  apps[0]?.send('meta', { keys: [['topic', 't0']] });
  const id = apps[1]?.send('pool');
  core.clock.advance(100);
  core.broker().answersPings = true;
  core.broker().open[0]?.answer();
  core.pump();
  t.equal(apps[1]?.ids.at(-1), id);
  t.equal(apps[0]?.answers.length, 2);
  t.equal(core.network.dials.length, 1);
});

t.test('a connection beyond its age is not lent, and is released when it is asked for', async (t) => {
  const core = await startCore(t, { options: { connectionMaxIdleSeconds: 0 } });
  core.clock.advance(100); // it does not expire in the moment of a look
  const app = core.connect();
  app.send('pool');
  core.pass(3599.99);
  app.send('pool');
  t.equal(core.network.dials.length, 1);
  core.clock.advance(15);
  app.send('pool');
  t.strictSame(core.released, ['max_age']);
  t.equal(core.network.dials.length, 2);
  t.equal(app.answers.length, 3);
});

t.test('a connection that grows old in use goes once it is quiet', async (t) => {
  const core = await startCore(t, { limits: { responseTimeoutSeconds: 10_000 } });
  core.broker().manual = true;
  const app = core.connect();
  app.send('pool');
  core.pass(3700);
  t.strictSame(core.released, []);
  core.broker().open[0]?.answer();
  core.pump();
  t.strictSame(core.released, ['max_age']);
  t.equal(app.answers.length, 1);
});

t.test('ages differ by up to a tenth, so that not all go at once', async (t) => {
  for (const [draw, seconds] of [
    [0, 3240],
    [0.5, 3600],
    [0.999, 3959],
  ] as const) {
    const core = await startCore(t, { random: () => draw, options: { connectionMaxIdleSeconds: 0 } });
    core.connect().send('pool');
    core.pass(seconds - 1);
    t.strictSame(core.released, []);
    core.pass(2.5);
    t.strictSame(core.released, ['max_age']);
  }
});

t.test('a connection that was quiet for a while is told, once until it is used again', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('pool');
  core.pass(0.9);
  t.equal(core.eventsOf('upstream.idle_marked').length, 0);
  core.pass(100);
  t.equal(core.eventsOf('upstream.idle_marked').length, 1);
  app.send('pool');
  core.pass(5);
  t.equal(core.eventsOf('upstream.idle_marked').length, 2);
});
