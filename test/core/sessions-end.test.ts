/** A broker serves an authenticated connection for a limited time (KIP-368): it is replaced before, and nobody notices. */
import t from 'tap';
import { type CoreFixture, startCore } from '../support/core-fixture.ts';
import { FakeIdentities } from '../support/fake-identities.ts';
import { seeded } from '../support/seeded.ts';

const LIFETIME_SECONDS = 10;

interface Scope {
  teardown(task: () => Promise<void>): unknown;
}

function startLimited(t: Scope, random?: () => number): Promise<CoreFixture> {
  return startCore(t, {
    identities: new FakeIdentities({ '': 'secret' }),
    ...(random === undefined ? {} : { random }),
    prepare: ({ cluster }) => {
      cluster.users = new Map([['app', 'secret']]);
      cluster.sessionMilliseconds = LIFETIME_SECONDS * 1000;
    },
  });
}

for (const word of ['pool', 'hold', 'shot'] as const) {
  t.test(`steady load (${word}) meets no connection behind its end, and no client is closed`, async (t) => {
    const core = await startLimited(t, seeded(7));
    const apps = [core.connect(), core.connect(), core.connect()];
    let sent = 0;
    for (let tick = 0; tick < 5 * 60 * 100; tick += 1) {
      for (const app of apps) if ((tick + app.number) % 3 === 0) app.send(word);
      sent += 1;
      core.clock.advance(10);
    }
    core.pass(3);
    t.equal(core.cluster.late, 0);
    t.strictSame(core.disconnected, []);
    t.equal(core.broker().ids.length, sent);
    t.ok(core.released.every((reason) => reason === 'session_expired'));
    t.ok(core.released.length >= 30, `${core.released.length} connections in five minutes`);
  });
}

t.test('a client that always has something in flight leaves in time', async (t) => {
  const core = await startLimited(t);
  core.broker().manual = true;
  const app = core.connect();
  const ids = [app.send('pool'), app.send('pool')];
  for (let passed = 0; passed < 60_000; passed += 50) {
    core.clock.advance(50);
    for (const connection of core.broker().open) if (connection.waiting.length > 0) connection.answer();
    core.pump();
    ids.push(app.send('pool'));
  }
  for (let round = 0; round < 10; round += 1) {
    for (const connection of core.broker().open) while (connection.waiting.length > 0) connection.answer();
    core.pass(0.2);
  }
  t.strictSame(app.ids, ids, 'each once and in order');
  t.equal(core.cluster.late, 0);
});

t.test('an answer that is owed at the end is waited for, and nothing is sent behind it', async (t) => {
  const core = await startLimited(t);
  core.broker().manual = true;
  const app = core.connect();
  const first = app.send('hold');
  const [old] = core.broker().open;
  core.pass(20);
  const second = app.send('pool');
  core.pass(1);
  t.equal(core.cluster.late, 0);
  old?.answer();
  core.pass(0.1);
  core.broker().manual = false;
  for (const connection of core.broker().open) while (connection.waiting.length > 0) connection.answer();
  core.pass(0.5);
  t.strictSame(app.ids, [first, second]);
  t.strictSame(core.released, ['session_expired']);
});

t.test('whoever is bound to the very connection is closed before the broker does it', async (t) => {
  const core = await startLimited(t);
  const app = core.connect();
  app.send('odd');
  core.pass(8.4);
  t.ok(app.isOpen);
  core.pass(1.3);
  t.ok(app.wasEnded || app.wasReset);
  t.equal(core.cluster.late, 0);
  t.strictSame(core.released, ['session_expired']);
  t.strictSame(core.disconnected, ['upstream_lost']);
});

t.test(
  'a session that we end is no loss: nothing is dialled for it, and what is known of the broker stays',
  async (t) => {
    const core = await startLimited(t);
    const [sleeper, bound] = [core.connect(), core.connect()];
    sleeper.send('hi');
    bound.send('odd');
    core.network.dials.length = 0;
    core.pass(12);
    t.strictSame(core.disconnected, ['upstream_lost']);
    t.equal(sleeper.send('hi'), sleeper.ids.at(-1));
    t.strictSame(core.network.dials, []);
  },
);

t.test('after a standstill of the process nothing is sent on a connection whose time is over', async (t) => {
  const core = await startLimited(t);
  const app = core.connect();
  const first = app.send('pool');
  const { id: second, bytes } = app.frame('pool');
  app.peer.send(bytes);
  core.clock.stall(30_000);
  core.pass(0.5);
  t.strictSame(app.ids, [first, second]);
  t.equal(core.cluster.late, 0);
});
