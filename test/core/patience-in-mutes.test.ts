import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('a broker that does not read from a throttled connection owes no answer on it', async (t) => {
  const core = await startCore(t);
  core.broker().manual = true;
  const app = core.connect();
  app.send('pool');
  core.broker().open[0]?.answer({ mute: 130_000 });
  core.pump();
  const id = app.send('pool');
  core.pass(131);
  core.broker().open[0]?.answer();
  core.pump();
  t.strictSame(app.ids.at(-1), id);
  t.strictSame(core.disconnected, []);
});
