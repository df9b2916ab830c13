import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('a broker that closes every connection once it was greeted is not dialled without a pause', async (t) => {
  const core = await startCore(t);
  const broker = core.broker();
  const app = core.connect();
  app.send('pool');
  broker.greets = false; // greeted by hand below
  core.network.serve(broker.address, (peer) => {
    broker.accept(peer);
    const connection = broker.connections.at(-1);
    const take = peer.onBytes;
    peer.onBytes = (bytes) => {
      take(bytes);
      connection?.answer();
      peer.close();
    };
  });
  broker.connections[0]?.peer.close();
  t.doesNotThrow(() => core.pump());
  t.doesNotThrow(() => core.pass(10));
  t.ok(core.network.dials.length < 60, `${core.network.dials.length} dials`);
});
