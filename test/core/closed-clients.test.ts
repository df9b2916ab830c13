import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('a client that has closed while it was being told to ask again is closed once', async (t) => {
  const core = await startCore(t);
  const broker = core.broker();
  const sleeper = core.connect();
  sleeper.send('meta', { keys: [['topic', 'a']] });
  core.pass(5);
  const app = core.connect();
  app.send('odd'); // keeps a connection of its own
  core.network.refuse(broker.address);
  core.connect().send('pool'); // and is refused
  core.clock.advance(20);
  t.strictSame(core.disconnected, ['upstream_unavailable']);
  broker.answersPings = false;
  broker.start();
  app.send('hi'); // waits for a dial
  core.clock.advance(600);
  t.equal(app.answers.length, 1, 'metadata is renewed first');
  app.fin();
  core.pump();
  t.strictSame(core.eventsOf('invariant.violated'), []);
  t.strictSame(core.disconnected, ['upstream_unavailable', 'client_closed']);
  t.equal(core.route.clients.size, 1);
});
