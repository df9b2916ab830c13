import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('a hard pin lasts whatever its client sends next, and its connection goes with it', async (t) => {
  // H30
  const core = await startCore(t);
  const app = core.connect();
  app.send('share');
  app.send('pool');
  core.pass(1);
  app.reset();
  t.strictSame(core.released, ['client_closed']);
  const other = core.connect();
  other.send('pool');
  t.equal(core.broker().connections.length, 2, 'nobody else ever gets it');
});
