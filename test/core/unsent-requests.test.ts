import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('a request that its broker has not taken stays as it is when the broker sends its FIN', async (t) => {
  const core = await startCore(t, { limits: { wholeFrameBytes: 100 } });
  const broker = core.broker();
  broker.manual = true;
  const app = core.connect();
  app.send('pool');
  broker.open[0]?.answer();
  core.pump();
  const [connection] = broker.open;
  connection?.peer.clog(10);
  const { bytes } = app.frame('pool', { body: Buffer.alloc(2000, 'x') });
  app.write(bytes.subarray(0, 1000));
  app.write(bytes.subarray(1000));
  connection?.peer.fin();
  core.pump();
  connection?.peer.unclog();
  core.pump();
  t.strictSame(core.network.faults, []);
});
