/** `pool.minWarmConnectionsPerBroker`: so many are kept while a client is open. */
import t, { type Test } from 'tap';
import { type CoreFixture, startCore } from '../support/core-fixture.ts';
import type { FakeApp } from '../support/fake-app.ts';

/** Three quiet connections, of which one is kept warm. */
async function threeQuiet(t: Test, word = 'hold'): Promise<{ core: CoreFixture; apps: FakeApp[] }> {
  const core = await startCore(t, { pool: { minWarmConnectionsPerBroker: 1 } });
  const apps = [core.connect(), core.connect(), core.connect()];
  core.broker().manual = true;
  for (const app of apps) app.send(word);
  core.clock.advance(100);
  while (core.broker().open.some(({ waiting }) => waiting.length > 0)) {
    for (const connection of core.broker().open) if (connection.waiting.length > 0) connection.answer();
    core.clock.advance(100);
  }
  core.broker().manual = false;
  return { core, apps };
}

t.test('the detector keeps one that is warm, the one used last', async (t) => {
  const { core, apps } = await threeQuiet(t);
  t.equal(core.openTo(), 3);
  core.pass(20);
  apps[0]?.send('pool');
  const last = core.broker().received.at(-1)?.connection;
  core.pass(1000);
  t.strictSame(core.released, ['idle', 'idle']);
  t.strictSame(
    core.broker().open.map((connection) => connection === last),
    [true],
  );
});

t.test('an operator reaps all but the warm one, and is told why', async (t) => {
  const { core } = await threeQuiet(t);
  const report = core.control.reap({ olderThanSeconds: 0, dryRun: false });
  core.clock.readInput();
  t.match(await report, { matched: 2, released: 2, skipped: [{ reason: 'kept warm' }], failed: 0 });
  core.pump();
  t.equal(core.openTo(), 1);
});

t.test('without a client nothing is kept warm', async (t) => {
  const { core, apps } = await threeQuiet(t);
  core.pass(1000);
  t.equal(core.openTo(), 1);
  for (const app of apps) app.fin();
  core.pass(66);
  t.equal(core.openTo(), 0);
});

t.test('one that served housekeeping alone is kept if it is the warm one', async (t) => {
  const core = await startCore(t, { pool: { minWarmConnectionsPerBroker: 1 } });
  const app = core.connect();
  app.send('house');
  core.pass(600);
  t.equal(core.openTo(), 1);
  app.fin();
  core.pass(2);
  t.strictSame(core.released, ['housekeeping_done']);
});

t.test('being kept warm keeps no connection beyond its age', async (t) => {
  const core = await startCore(t, { pool: { minWarmConnectionsPerBroker: 1, maxConnectionAgeSeconds: 500 } });
  core.connect().send('pool');
  core.pass(499);
  t.strictSame(core.released, []);
  core.pass(2);
  t.strictSame(core.released, ['max_age']);
  t.equal(core.network.dials.length, 1, 'and nothing is dialled without demand');
});

t.test('one in use counts as the warm one', async (t) => {
  const { core, apps } = await threeQuiet(t);
  core.broker().manual = true;
  apps[0]?.send('hold', { keys: [['wait', '900000']] });
  core.broker().answersPings = true;
  core.pass(600);
  t.strictSame(core.released, ['idle', 'idle']);
  t.equal(core.control.upstreams()[0]?.state, 'using');
});

t.test('one that was chosen stays if it has become the last', async (t) => {
  const core = await startCore(t, { pool: { minWarmConnectionsPerBroker: 1 } });
  const apps = [core.connect(), core.connect()];
  core.broker().manual = true;
  for (const app of apps) app.send('hold');
  for (const connection of core.broker().open) connection.answer();
  core.pump();
  core.pass(207.1);
  const states = new Map(core.control.upstreams().map(({ id, state }) => [state, id]));
  t.strictSame([...states.keys()].sort(), ['before_release', 'idle_marked']);
  core.control.condemnUpstream(`${states.get('idle_marked')}`, false);
  core.pass(10);
  t.strictSame(core.released, ['operator']);
  t.match(core.control.upstreams(), [{ id: states.get('before_release'), state: 'idle_marked' }]);
});
