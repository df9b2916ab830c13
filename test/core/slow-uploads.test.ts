import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('a request that is still on its way is not an answer owed', async (t) => {
  const core = await startCore(t, { limits: { wholeFrameBytes: 100 } });
  const app = core.connect();
  const { id, bytes } = app.frame('pool', { body: Buffer.alloc(1400) });
  for (let at = 0; at < bytes.length; at += 100) {
    app.write(bytes.subarray(at, at + 100));
    core.pass(10);
  }
  t.strictSame(core.released, []);
  t.strictSame(app.ids, [id]);
});

t.test('the broker has responseTimeoutSeconds from the last byte of the request', async (t) => {
  const core = await startCore(t, { limits: { wholeFrameBytes: 100 } });
  core.broker().manual = true;
  const app = core.connect();
  const { id, bytes } = app.frame('pool', { body: Buffer.alloc(1000) });
  for (let at = 0; at < bytes.length; at += 100) {
    app.write(bytes.subarray(at, at + 100));
    core.pass(10);
  }
  core.pass(30);
  core.broker().open[0]?.answer();
  core.pump();
  t.strictSame(app.ids, [id]);
});
