/** A client for whom brokers refuse to open a connection: it may be told so, and nobody else notices. */
import t from 'tap';
import type { CoreFixture } from '../support/core-fixture.ts';
import type { FakeApp } from '../support/fake-app.ts';
import { isServed, join, routeOf, startLanes, startLanesOfTwo } from '../support/lanes-fixture.ts';

/** One that has a word for it. */
function joinWithWords(core: CoreFixture, user: string | null): FakeApp {
  const app = join(core, user);
  const session = routeOf(core).sessions.at(-1);
  if (session !== undefined) session.complains = true;
  return app;
}

t.test('it hears its word and goes, whatever it has sent besides, and nobody else notices', async (t) => {
  const { core } = await startLanesOfTwo(t);
  const bob = join(core, 'bob');
  t.ok(isServed(bob));
  core.cluster.users?.set('alice', 'another');
  const alice = joinWithWords(core, 'alice');
  const id = alice.send('ask');
  alice.send('ask');
  core.pass(1);
  t.strictSame(alice.ids, [id], 'once');
  t.ok(alice.wasEnded);
  t.notOk(alice.wasReset);
  t.strictSame(core.disconnected, ['authentication_failed']);
  t.ok(isServed(bob));
});

t.test('whoever comes while no dial is made hears it as well, and the broker nothing', async (t) => {
  const { core } = await startLanesOfTwo(t);
  core.cluster.users?.set('alice', 'another');
  joinWithWords(core, 'alice').send('ask');
  core.pass(1);
  const { refusals } = core.cluster;
  const late = joinWithWords(core, 'alice');
  const id = late.send('ask');
  core.pass(1);
  t.strictSame(late.ids, [id]);
  t.strictSame(core.disconnected, ['authentication_failed', 'authentication_failed']);
  t.equal(core.cluster.refusals, refusals);
  core.cluster.users?.set('alice', 'a1');
  core.pass(600);
  t.ok(isServed(joinWithWords(core, 'alice')), 'and once brokers take it again, it is served');
});

t.test('one without a word for it is reset', async (t) => {
  const { core } = await startLanesOfTwo(t);
  core.cluster.users?.set('alice', 'another');
  const alice = join(core, 'alice');
  alice.send('ask');
  core.pass(1);
  t.strictSame(alice.ids, []);
  t.ok(alice.wasReset);
  t.strictSame(core.disconnected, ['upstream_unavailable']);
});

t.test('a broker that is dead refuses nobody: who waits for it is reset', async (t) => {
  const core = await startLanes(t);
  core.broker().stop();
  const app = joinWithWords(core, null);
  app.send('ask');
  core.pass(1);
  t.ok(app.wasReset);
  t.strictSame(core.disconnected, ['upstream_unavailable']);
});
