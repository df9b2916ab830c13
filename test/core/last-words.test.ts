import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('a client that is told goodbye and ends too still gets what it was sent before', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.peer.clog(100);
  const id = app.send('pool', { keys: [['answer', '1000']] });
  app.send('bad');
  core.control.closeClient('c1');
  app.fin();
  app.peer.unclog();
  core.pump();
  t.strictSame(app.ids, [id]);
  t.ok(app.wasEnded);
});
