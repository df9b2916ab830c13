import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('an answer that names a new broker is delivered while the route drains', async (t) => {
  const core = await startCore(t);
  core.broker().manual = true;
  const app = core.connect();
  const id = app.send('meta', { keys: [['topic', 'a']] });
  core.addBroker('2');
  await core.route.drain();
  core.broker(1).open[0]?.answer();
  await core.settle();
  t.strictSame(app.ids, [id]);
});
