/** What an operator does: reap, with and without doing it, condemn, and close. */
import t, { type Test } from 'tap';
import { type CoreFixture, startCore } from '../support/core-fixture.ts';
import type { FakeApp } from '../support/fake-app.ts';

/** Five connections: `u2` pinned, `u3` in use, `u4` quiet for 100 s, `u5` quiet for 10 s, all of broker 1. */
async function four(t: Test): Promise<{ core: CoreFixture; apps: FakeApp[] }> {
  const core = await startCore(t);
  core.broker().manual = true;
  const apps = ['odd', 'hold', 'hold', 'hold'].map((word) => {
    const app = core.connect();
    app.send(word);
    return app;
  });
  const [pinned, , old, young] = core.broker().open;
  pinned?.answer();
  old?.answer();
  core.pump();
  core.pass(90);
  young?.answer();
  core.pump();
  core.pass(10);
  return { core, apps };
}

const byReason = (skipped: readonly { id: string; reason: string }[]): string[] =>
  skipped.map(({ id, reason }) => `${id} ${reason}`).sort();

t.test('a dry run says what would go, and does nothing', async (t) => {
  const { core } = await four(t);
  const before = core.control.upstreams();
  const report = await core.control.reap({ olderThanSeconds: 50, dryRun: true });
  t.match(report, { matched: 1, released: 0, failed: 0 });
  t.strictSame(byReason(report.skipped), ['u2 pinned', 'u3 in use', 'u5 too young']);
  t.strictSame(core.control.upstreams(), before);
  core.pass(1);
  t.strictSame(core.released, []);
});

t.test('a reap releases what is quiet for so long, and says why the others stay', async (t) => {
  const { core } = await four(t);
  const reaping = core.control.reap({ olderThanSeconds: 50, dryRun: false });
  t.strictSame(core.released, [], 'not before the sockets were read');
  core.clock.readInput();
  const report = await reaping;
  t.match(report, { matched: 1, released: 1, failed: 0 });
  t.strictSame(byReason(report.skipped), ['u2 pinned', 'u3 in use', 'u5 too young']);
  t.strictSame(core.released, ['operator']);
  t.equal(core.route.reaped, 0, 'only what the detector let go is counted');
});

t.test('a reap without an age takes everything that is quiet', async (t) => {
  const { core, apps } = await four(t);
  const reaping = core.control.reap({ olderThanSeconds: 0, dryRun: false });
  core.clock.readInput();
  t.match(await reaping, { matched: 2, released: 2 });
  for (const app of apps) t.ok(app.isOpen, 'nobody notices');
});

t.test('work that arrives while it reaps rescues, and is told', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('pool');
  core.pass(10);
  const reaping = core.control.reap({ olderThanSeconds: 0, dryRun: false });
  app.peer.send(app.frame('pool').bytes);
  core.clock.readInput();
  const report = await reaping;
  t.match(report, { matched: 1, released: 0, skipped: [{ reason: 'work arrived' }] });
  t.strictSame(core.released, []);
  t.equal(app.answers.length, 2);
});

t.test('a quiet connection that is condemned goes at once', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('pool');
  t.ok(core.control.condemnUpstream(core.control.upstreams()[0]!.id, false));
  t.strictSame(core.released, ['operator']);
  core.pump();
  t.ok(app.isOpen);
  t.ok(core.broker().connections[0]?.peer.ended && !core.broker().connections[0]?.peer.wasReset, 'with a FIN');
});

t.test('a condemned connection in use goes once it is free, and its client stays', async (t) => {
  const core = await startCore(t);
  core.broker().manual = true;
  const app = core.connect();
  app.send('pool');
  const { id } = core.control.upstreams()[0]!;
  t.ok(core.control.condemnUpstream(id, false));
  t.strictSame(core.released, []);
  t.match(core.control.upstreams()[0], { id, condemned: true, state: 'using' });
  core.broker().open[0]?.answer();
  core.pump();
  t.strictSame(core.released, ['operator']);
  t.equal(app.answers.length, 1);
  t.ok(app.isOpen);
});

t.test('by force it goes at once, and its client sees what it would see of a broker that resets', async (t) => {
  const core = await startCore(t);
  core.broker().manual = true;
  const app = core.connect();
  app.send('pool');
  t.ok(core.control.condemnUpstream(core.control.upstreams()[0]!.id, true));
  core.pump();
  t.strictSame(core.released, ['operator']);
  t.ok(app.wasReset);
  t.strictSame(core.disconnected, ['upstream_lost']);
});

t.test('a connection that is condemned while it is dialled goes once it is open, and that is no failure', async (t) => {
  const core = await startCore(t);
  core.broker().greets = false;
  const app = core.connect();
  app.send('pool');
  t.ok(core.control.condemnUpstream(core.control.upstreams()[0]!.id, false));
  core.broker().greets = true;
  core.broker().open[0]?.answer();
  core.pump();
  t.strictSame(core.eventsOf('upstream.dial_failed'), []);
  core.clock.advance(100);
  t.equal(app.answers.length, 1);
  t.ok(core.released.every((reason) => reason === 'operator'));
  t.ok(app.isOpen);
});

t.test('what is not there cannot be condemned or closed', async (t) => {
  const core = await startCore(t);
  core.connect().send('pool');
  const { id } = core.control.upstreams()[0]!;
  t.notOk(core.control.condemnUpstream('u99', false));
  t.notOk(core.control.closeClient('c99'));
  core.control.condemnUpstream(id, false);
  t.notOk(core.control.condemnUpstream(id, false), 'one that is leaving is no longer there');
});

t.test('a client that an operator closes ends with a FIN behind what it was sent', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  const id = app.send('pool');
  t.ok(core.control.closeClient('c1'));
  core.pump();
  t.strictSame(app.ids, [id]);
  t.ok(app.wasEnded);
});

t.test('looking dials nothing and moves no clock', async (t) => {
  const core = await startCore(t);
  core.connect().send('pool');
  for (let second = 0; second < 180; second += 1) {
    core.pass(1);
    core.control.view();
    core.control.figures();
    core.control.upstreams();
    core.control.clients();
  }
  t.strictSame(core.control.upstreams()[0]?.lastWorkSecondsAgo, 180);
  core.pass(65);
  t.strictSame(core.released, ['idle']);
  const dials = core.network.dials.length;
  t.equal(core.control.view().clients.parked, 1);
  core.pass(100);
  t.equal(core.network.dials.length, dials);
});
