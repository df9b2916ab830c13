/** Requests without an answer: nobody else gets the connection before it is proven that the broker has read them. */
import t from 'tap';
import { type CoreFixture, startCore } from '../support/core-fixture.ts';

const pings = (core: CoreFixture): number =>
  core.broker().connections.flatMap(({ received }) => received.filter(({ word }) => word === 'ping')).length;

t.test('a fence follows after 100 ms of silence, and the connection is lent again once it was answered', async (t) => {
  const core = await startCore(t);
  core.broker().answersPings = false;
  core.connect().send('shot');
  t.match(core.control.upstreams()[0], { budget: 'pinned', pins: ['acks_zero'] });
  core.clock.advance(99);
  t.equal(pings(core), 0);
  core.clock.advance(101);
  t.equal(pings(core), 1);
  const other = core.connect();
  other.send('pool');
  core.clock.advance(50);
  t.equal(core.network.dials.length, 2, 'not lent before the answer');
  core.broker().open[0]?.answer();
  core.pump();
  t.match(core.control.upstreams()[0], { state: 'idle_marked', pins: [] });
  core.connect().send('hold');
  t.equal(core.network.dials.length, 2);
});

t.test('a client that goes on puts the fence off', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  for (let shot = 0; shot < 40; shot += 1) {
    app.send('shot');
    core.clock.advance(60);
  }
  t.equal(pings(core), 0);
  core.clock.advance(200);
  t.equal(pings(core), 1);
  t.equal(core.network.dials.length, 1);
});

t.test('the answer to a later request of the same client is as good as a fence', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('shot');
  app.send('pool');
  t.equal(core.control.upstreams()[0]?.state, 'idle_marked');
  core.clock.advance(500);
  t.equal(pings(core), 0);
});

t.test('the answer to an earlier request proves nothing of a later one', async (t) => {
  const core = await startCore(t);
  core.broker().manual = true;
  const app = core.connect();
  app.send('pool');
  app.send('shot');
  core.broker().open[0]?.answer();
  core.pump();
  t.equal(app.answers.length, 1);
  t.match(core.control.upstreams()[0], { state: 'using', budget: 'pinned' });
});

t.test('a request behind the fence is carried on the same connection', async (t) => {
  const core = await startCore(t);
  core.broker().answersPings = false;
  const app = core.connect();
  app.send('shot');
  core.clock.advance(200);
  const id = app.send('pool');
  t.equal(core.network.dials.length, 1);
  core.broker().answersPings = true;
  core.broker().open[0]?.answer();
  core.pump();
  t.strictSame(app.ids, [id]);
});

t.test('a close before the fence was answered closes the client, for its requests may be lost', async (t) => {
  const core = await startCore(t);
  core.broker().answersPings = false;
  const app = core.connect();
  app.send('shot');
  core.clock.advance(200);
  core.broker().open[0]?.peer.close();
  core.pump();
  t.ok(app.wasEnded);
  t.strictSame(core.disconnected, ['upstream_lost']);
});

t.test("a close after the fence was answered is nobody's", async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('shot');
  core.clock.advance(200);
  core.broker().open[0]?.peer.close();
  core.pump();
  t.ok(app.isOpen);
  t.strictSame(core.disconnected, []);
});

t.test('a client that ends is let go once its fence was answered, and the connection stays', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('shot');
  app.fin();
  t.ok(app.isOpen);
  core.clock.advance(200);
  t.ok(app.wasEnded);
  t.strictSame(core.disconnected, ['client_closed']);
  t.strictSame(core.released, []);
});

t.test(
  'a client that dies before its fence was answered takes the connection along, behind what it sent',
  async (t) => {
    const core = await startCore(t);
    const app = core.connect();
    const body = Buffer.alloc(500, 'x');
    app.send('shot', { body });
    app.reset();
    t.strictSame(core.released, ['abandoned']);
    t.strictSame(core.broker().received[0]?.body, body, 'what it sent has arrived');
    const peer = core.broker().connections[0]?.peer;
    t.ok(peer?.ended && !peer.wasReset, 'and then a FIN');
  },
);

t.test('a fence is no valid data', async (t) => {
  const core = await startCore(t);
  core.connect().send('shot');
  core.pass(60);
  t.equal(pings(core), 1);
  t.equal(core.control.upstreams()[0]?.lastWorkSecondsAgo, 60);
});

t.test('a broker that never answers the fence is given up', async (t) => {
  const core = await startCore(t);
  core.broker().answersPings = false;
  const app = core.connect();
  app.send('shot');
  core.pass(121);
  t.strictSame(core.released, ['response_timeout']);
  t.notOk(app.isOpen);
});
