import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('a pinned client that is silent in the middle of a request is stalled too', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('odd');
  app.write('pool a1-2 100\nxxx');
  core.pass(70);
  t.strictSame(core.disconnected, ['stalled']);
});

t.test('a client that takes its answer slowly is not stalled', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.peer.clog(0);
  const id = app.send('pool', { keys: [['answer', '1000']] });
  for (let seconds = 0; seconds < 120; seconds += 10) {
    app.peer.unclog(50);
    core.pass(10);
  }
  app.peer.unclog();
  core.pump();
  t.strictSame(core.disconnected, []);
  t.strictSame(app.ids, [id]);
});
