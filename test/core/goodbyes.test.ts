import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('a quiet client with a connection of its own is told goodbye at the drain', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('odd');
  await core.route.drain();
  core.pass(1);
  t.strictSame(core.disconnected, ['shutdown']);
});

t.test('a muted client is told goodbye at the drain', async (t) => {
  const core = await startCore(t);
  core.broker().manual = true;
  const app = core.connect();
  app.send('pool');
  core.broker().open[0]?.answer({ mute: 100_000 });
  core.pump();
  await core.route.drain();
  core.pass(1);
  t.strictSame(core.disconnected, ['shutdown']);
});
