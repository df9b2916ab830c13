import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('a request is carried to the broker and its answer back', async (t) => {
  const core = await startCore(t);
  t.equal(core.openTo(), 0, 'nothing is open before anybody asks');
  const app = core.connect();
  const id = app.send('pool');
  t.strictSame(core.broker().ids, [id]);
  t.strictSame(app.ids, [id]);
  t.equal(core.openTo(), 1);
});
