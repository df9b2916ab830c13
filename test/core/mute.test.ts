/** A broker that throttles does not read from a connection for a while: only its own client is kept waiting. */
import t, { type Test } from 'tap';
import { type CoreFixture, type Overrides, startCore } from '../support/core-fixture.ts';
import type { FakeApp } from '../support/fake-app.ts';

/** How late the end of a mute may be noticed: one look of the pool. */
const WATCH_MILLISECONDS = 100;

/** A client whose connection is muted for so long from now on. */
async function muted(
  t: Test,
  milliseconds: number,
  overrides: Overrides = {},
): Promise<{ core: CoreFixture; app: FakeApp }> {
  const core = await startCore(t, overrides);
  core.broker().manual = true;
  const app = core.connect();
  app.send('pool');
  core.broker().open[0]?.answer({ mute: milliseconds });
  core.pump();
  core.broker().manual = false;
  return { core, app };
}

t.test('a throttled client uses its muted connection and no other', async (t) => {
  const { core, app } = await muted(t, 2000);
  t.match(core.control.upstreams()[0], { state: 'using', budget: 'muted', client: 'c1' });
  core.clock.advance(500);
  const id = app.send('pool');
  t.equal(core.network.dials.length, 1);
  t.equal(core.broker().received.at(-1)?.id, id);
});

t.test('nobody else uses a muted connection, and it is outside the cap', async (t) => {
  const { core } = await muted(t, 2000, { pool: { maxConnectionsPerBroker: 1 } });
  core.broker().manual = true;
  core.connect().send('pool');
  core.clock.advance(20);
  t.equal(core.network.dials.length, 2);
  core.connect().send('pool');
  core.clock.advance(300);
  t.equal(core.network.dials.length, 2, 'the cap holds for the others');
});

t.test('when the mute is over the connection is lent to others again', async (t) => {
  const { core } = await muted(t, 2000);
  core.clock.advance(1999);
  t.equal(core.control.upstreams()[0]?.state, 'using');
  core.clock.advance(1 + WATCH_MILLISECONDS);
  t.equal(core.control.upstreams()[0]?.state, 'idle_marked');
  core.connect().send('pool');
  t.equal(core.network.dials.length, 1);
});

t.test('one who waits gets a connection within one look of the end of its mute', async (t) => {
  const { core } = await muted(t, 2000, { pool: { maxConnectionsPerBroker: 1, slowAnswerMilliseconds: 60_000 } });
  core.broker().manual = true;
  core.connect().send('pool');
  core.clock.advance(20);
  const id = core.connect().send('pool');
  core.clock.advance(1979);
  t.notOk(core.broker().ids.includes(id));
  core.clock.advance(12);
  t.ok(core.broker().ids.includes(id));
});

t.test('a muted connection whose client has gone waits for the end of the mute too', async (t) => {
  const { core, app } = await muted(t, 2000);
  app.reset();
  t.strictSame(core.released, [], 'nothing is owed: it is as good as new');
  core.connect().send('pool');
  core.clock.advance(20);
  t.equal(core.network.dials.length, 2, 'not lent while muted');
  core.clock.advance(2000);
  core.broker().manual = true;
  core.connect().send('pool');
  core.connect().send('pool');
  t.equal(core.network.dials.length, 2, 'lent afterwards');
});

t.test(
  'a mute longer than connectionMaxIdleSeconds is not reaped before its end, and then like any other',
  async (t) => {
    const { core } = await muted(t, 400_000);
    core.pass(399);
    t.strictSame(core.released, []);
    t.match(core.control.upstreams()[0], { state: 'using', budget: 'muted' });
    core.pass(1 + 65);
    t.strictSame(core.released, ['idle']);
  },
);

t.test('a long mute whose client has gone is not reaped before its end, and then like any other', async (t) => {
  const { core, app } = await muted(t, 400_000);
  app.reset();
  core.pass(399);
  t.strictSame(core.released, []);
  core.pass(1 + 65);
  t.strictSame(core.released, ['idle']);
});

t.test('a broker that closes a muted connection takes nobody along', async (t) => {
  const { core, app } = await muted(t, 2000);
  core.broker().open[0]?.peer.close();
  core.pump();
  t.ok(app.isOpen);
  app.send('pool');
  t.equal(app.answers.length, 2);
});

t.test('the longest of several mutes counts from the answer that told it', async (t) => {
  const core = await startCore(t);
  core.broker().manual = true;
  const app = core.connect();
  app.send('pool');
  app.send('pool');
  core.broker().open[0]?.answer({ mute: 3000 });
  core.broker().open[0]?.answer({ mute: 1000 });
  core.pump();
  core.clock.advance(2900);
  t.equal(core.control.upstreams()[0]?.budget, 'muted');
  core.clock.advance(100 + WATCH_MILLISECONDS);
  t.equal(core.control.upstreams()[0]?.budget, 'pool');
});
