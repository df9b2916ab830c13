import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('a client that is served in the moment when it begins to wait is answered', async (t) => {
  const core = await startCore(t);
  const broker = core.broker();
  broker.manual = true;
  const throttled = [core.connect(), core.connect()];
  for (const app of throttled) app.send('hold');
  for (const connection of broker.open) connection.answer({ mute: 1000 });
  core.pump();
  for (const app of throttled) app.reset();
  t.equal(core.openTo(), 2);
  core.clock.advance(985);
  broker.manual = false;
  core.network.silence(broker.address);
  const first = core.connect();
  first.send('pool');
  core.clock.runTimers(12); // the pool looks at 995 ms, and at 1005 ms again; the mutes are over at 1000 ms
  core.pump();
  core.clock.runTimers(4);
  const second = core.connect();
  const id = second.send('pool');
  core.pass(10);
  t.equal(first.answers.length, 1);
  t.strictSame(second.ids, [id]);
  t.ok(second.isOpen);
});
