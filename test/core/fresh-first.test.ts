import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('a connection that was heard of lately is lent before one that must give a sign of life', async (t) => {
  const core = await startCore(t);
  const broker = core.broker();
  const [pinned, app, other] = [core.connect(), core.connect(), core.connect()];
  pinned.send('odd');
  app.send('hold');
  t.equal(core.openTo(), 2);
  core.pass(31);
  app.send('pool');
  pinned.fin();
  broker.answersPings = false;
  const id = other.send('pool');
  t.strictSame(other.ids, [id]);
});
