import t, { type Test } from 'tap';
import { type CoreFixture, startCore } from '../support/core-fixture.ts';
import type { FakeApp } from '../support/fake-app.ts';

/** Two connections, both quiet for longer than validateAfterIdleSeconds. */
async function twoStale(t: Test): Promise<{ core: CoreFixture; apps: FakeApp[] }> {
  const core = await startCore(t);
  const apps = [core.connect(), core.connect()];
  core.broker().manual = true;
  for (const app of apps) app.send('hold');
  for (const connection of core.broker().open) connection.answer();
  core.broker().manual = false;
  core.pass(31);
  t.equal(core.openTo(), 2);
  return { core, apps };
}

const pings = (core: CoreFixture): number =>
  core.broker().connections.flatMap(({ received }) => received.filter(({ word }) => word === 'ping')).length;

t.test('a connection that was quiet for long gives a sign of life before it is lent', async (t) => {
  // H6, H18
  const { core, apps } = await twoStale(t);
  core.broker().answersPings = false;
  const id = apps[0]?.send('pool');
  t.equal(pings(core), 1);
  t.notOk(core.broker().ids.includes(`${id}`), 'not lent yet');
  for (const connection of core.broker().open) if (connection.waiting.length > 0) connection.answer();
  core.pump();
  t.ok(core.broker().ids.includes(`${id}`));
  t.equal(core.network.dials.length, 2, 'nobody dialled');
});

t.test('a connection that was quiet for a short time is lent at once', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('pool');
  core.pass(29);
  app.send('pool');
  t.equal(pings(core), 0);
});

t.test('a dead connection never gets a request', async (t) => {
  // H6, H18: no answer to the probe for 2 s
  const { core, apps } = await twoStale(t);
  const dead = [...core.broker().connections];
  for (const connection of dead) connection.deaf = true;
  const id = apps[0]?.send('pool');
  core.clock.advance(1900);
  t.strictSame(core.released, []);
  core.clock.advance(200);
  t.equal(core.released[0], 'response_timeout');
  core.pass(3);
  t.strictSame(apps[0]?.ids.at(-1), id);
  for (const { received } of dead) t.notOk(received.some((request) => request.id === id));
});

t.test('as many are asked as there are clients that wait', async (t) => {
  const { core, apps } = await twoStale(t);
  core.broker().answersPings = false;
  for (const app of apps) app.send('pool');
  t.equal(pings(core), 2);
  for (const connection of core.broker().open) connection.answer();
  core.pump();
  for (const app of apps) t.equal(app.answers.length, 2);
  t.equal(core.network.dials.length, 2, 'nobody dialled');
});
