/** Held and pinned requests, and answers that are slow: beyond the cap, never queued, counted apart. */
import t from 'tap';
import { type CoreFixture, startCore } from '../support/core-fixture.ts';

const CAP = { pool: { maxConnectionsPerBroker: 1, slowAnswerMilliseconds: 60_000 } };

const budgets = (core: CoreFixture): string[] => core.control.upstreams().map(({ budget }) => budget);

for (const word of ['hold', 'shot', 'odd', 'share']) {
  t.test(`${word}: dials at once, though the cap is reached and another waits`, async (t) => {
    const core = await startCore(t, CAP);
    core.broker().manual = true;
    core.connect().send('pool');
    core.connect().send('pool');
    core.clock.advance(100);
    t.equal(core.network.dials.length, 1);
    const id = core.connect().send(word);
    t.equal(core.network.dials.length, 2);
    t.strictSame(core.broker().ids, ['a1-1', id], 'before the one that waits within the cap');
  });

  t.test(`${word}: takes a quiet connection if there is one`, async (t) => {
    const core = await startCore(t, CAP);
    const app = core.connect();
    app.send('pool');
    core.connect().send(word);
    t.equal(core.network.dials.length, 1);
  });
}

t.test('a group of twenty joins at once, eight dials at a time, and nobody of it waits for another', async (t) => {
  const core = await startCore(t, CAP);
  core.broker().manual = true;
  core.broker().greets = false;
  const members = Array.from({ length: 20 }, () => core.connect());
  for (const member of members) member.send('hold');
  t.equal(core.network.dials.length, 8);
  core.broker().greets = true;
  for (const connection of core.broker().open) connection.answer();
  core.pump();
  t.equal(core.broker().ids.length, 20, 'all requests are with the broker, none is answered');
  t.equal(core.openTo(), 20);
});

t.test('a held connection leaves its place within the cap to others', async (t) => {
  const core = await startCore(t, CAP);
  core.broker().manual = true;
  core.connect().send('hold');
  t.strictSame(budgets(core), ['held']);
  core.connect().send('pool');
  core.clock.advance(10);
  t.equal(core.network.dials.length, 2);
  t.strictSame(budgets(core), ['held', 'pool']);
  core.connect().send('pool');
  core.clock.advance(200);
  t.equal(core.network.dials.length, 2, 'and no more than the cap');
});

t.test('a pinned connection leaves its place within the cap to others', async (t) => {
  const core = await startCore(t, CAP);
  core.connect().send('odd');
  t.strictSame(budgets(core), ['pinned']);
  core.broker().manual = true;
  core.connect().send('pool');
  core.clock.advance(10);
  t.equal(core.openTo(), 2);
  t.strictSame(budgets(core), ['pinned', 'pool']);
});

t.test('a lease whose answer is slow counts as held until it is complete', async (t) => {
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 1 } });
  core.broker().manual = true;
  core.connect().send('pool');
  core.connect().send('pool');
  core.clock.advance(490);
  t.strictSame(budgets(core), ['pool']);
  t.equal(core.network.dials.length, 1);
  core.clock.advance(20);
  t.strictSame(budgets(core), ['held', 'pool']);
  t.equal(core.network.dials.length, 2, 'so the waiter gets another');
  core.broker().open[0]?.answer();
  core.pump();
  t.strictSame(budgets(core), ['pool', 'pool']);
});

t.test('the slowness of an answer counts from the answer before it', async (t) => {
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 1 } });
  core.broker().manual = true;
  const app = core.connect();
  for (let request = 0; request < 4; request += 1) app.send('pool');
  for (let request = 0; request < 3; request += 1) {
    core.clock.advance(450);
    t.strictSame(budgets(core), ['pool']);
    core.broker().open[0]?.answer();
    core.pump();
  }
  core.clock.advance(500);
  t.strictSame(budgets(core), ['held']);
});

t.test(
  'a connection that was held counts within the cap again, and goes after a while if it is one too many',
  async (t) => {
    const core = await startCore(t, CAP);
    core.broker().manual = true;
    for (let member = 0; member < 3; member += 1) core.connect().send('hold');
    for (const connection of core.broker().open) connection.answer();
    core.pump();
    t.strictSame(budgets(core), ['pool', 'pool', 'pool']);
    core.pass(9.9);
    t.strictSame(core.released, []);
    core.pass(0.6);
    t.strictSame(core.released, ['excess', 'excess']);
  },
);

t.test('a pin for a while gives the connection back', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('odd');
  core.pass(1);
  t.match(core.control.clients()[0], { state: 'attached', pins: ['unknown_api'] });
  core.connect().send('pool');
  core.clock.advance(20);
  t.equal(core.openTo(), 2, 'nobody else uses it meanwhile');
  app.fin();
  t.ok(app.wasEnded);
  t.strictSame(core.released, [], 'it is as good as new');
  core.broker().manual = true;
  core.connect().send('pool');
  core.connect().send('pool');
  t.equal(core.network.dials.length, 2);
});

t.test('one who waits gets the connection of a pinned client that dies, at once', async (t) => {
  const core = await startCore(t, CAP);
  const pinned = core.connect();
  pinned.send('odd');
  core.broker().manual = true;
  core.connect().send('pool');
  core.clock.advance(20);
  const id = core.connect().send('pool');
  t.equal(core.openTo(), 2);
  t.notOk(core.broker().ids.includes(id));
  pinned.reset();
  t.ok(core.broker().ids.includes(id));
});

t.test('a connection pinned for good closes with its client, that ends in order too', async (t) => {
  const core = await startCore(t);
  core.broker().manual = true;
  const app = core.connect();
  const id = app.send('share');
  app.fin();
  t.strictSame(core.released, [], 'its answer is still owed');
  core.broker().open[0]?.answer();
  core.pump();
  t.strictSame(app.ids, [id]);
  t.strictSame(core.released, ['client_closed']);
  t.strictSame(core.disconnected, ['client_closed']);
});

t.test('a client closes with the connection that it is pinned to for good', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('share');
  core.broker().open[0]?.peer.close();
  core.pump();
  t.ok(app.wasEnded);
  t.strictSame(core.disconnected, ['upstream_lost']);
});
