import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('what is owed is delivered before a refused request closes the client', async (t) => {
  const core = await startCore(t);
  core.broker().manual = true;
  const app = core.connect();
  const id = app.send('pool');
  app.send('bad');
  core.broker().open[0]?.answer();
  core.pump();
  t.strictSame(app.ids, [id]);
  t.strictSame(core.disconnected, ['refused_api']);
  t.strictSame(core.released, []);
});
