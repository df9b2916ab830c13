import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('the end of a route sends no request of those who wait', async (t) => {
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 1 } });
  const broker = core.broker();
  const keeper = core.connect();
  keeper.send('odd');
  broker.manual = true;
  core.network.silence(broker.address);
  const waiting = core.connect();
  const id = waiting.send('pool');
  await core.route.stop();
  core.pump();
  t.notOk(broker.ids.includes(id));
});
