import t from 'tap';
import { BOOTSTRAP } from '../../src/contract/topology.ts';
import { startCore } from '../support/core-fixture.ts';

t.test('a connection never changes its pool', async (t) => {
  const core = await startCore(t, { brokers: 2, random: () => 0.9 });
  const app = core.connect(BOOTSTRAP);
  app.send('odd'); // keeps a connection of its own to broker 2
  t.equal(core.openTo(2), 1);
  const other = core.connect(1);
  other.send('pool');
  core.network.refuse(core.broker(2).address);
  core.connect(2).send('pool');
  core.clock.advance(20);
  t.strictSame(core.disconnected, ['upstream_unavailable']);
  core.network.silence(core.broker(1).address);
  core.broker(1).open[0]?.peer.close();
  core.pump();
  app.send('hi'); // broker 2 is down, broker 1 in doubt: it waits for broker 1
  t.equal(app.answers.length, 1);
  app.reset();
  const id = other.send('pool');
  core.pump();
  t.notOk(core.broker(2).ids.includes(id), 'for broker 1');
  core.broker(1).start();
  core.pass(1);
  t.ok(core.broker(1).ids.includes(id));
});
