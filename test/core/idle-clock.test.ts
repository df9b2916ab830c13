import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('the clock of a connection runs from the last byte of its last request, however long that took', async (t) => {
  const core = await startCore(t, { limits: { wholeFrameBytes: 100 } });
  const app = core.connect();
  const { bytes } = app.frame('shot', { body: Buffer.alloc(1000) });
  for (let from = 0; from < bytes.length; from += 100) {
    app.write(bytes.subarray(from, from + 100));
    core.pass(20);
  }
  const end = core.clock.now() - 20_000;
  while (core.openTo() > 0) core.pass(1);
  t.ok(core.clock.now() - end >= 180_000, `${core.clock.now() - end} ms after the last byte`);
});
