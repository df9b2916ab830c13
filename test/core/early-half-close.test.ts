import t from 'tap';
import { tcp } from '../../src/protocols/tcp/tcp.ts';
import { CoreFixture } from '../support/core-fixture.ts';
import type { FakePeer } from '../support/fake-peer.ts';

t.test('an opaque client that ends its half before the server is connected is served', async (t) => {
  const core = new CoreFixture({ protocol: tcp });
  t.teardown(() => core.route.stop());
  const got: string[] = [];
  const servers: FakePeer[] = [];
  let ended = 0;
  core.network.silence('broker-1:9092');
  const serve = (): void =>
    core.network.serve('broker-1:9092', (peer) => {
      servers.push(peer);
      peer.onBytes = (bytes) => got.push(bytes.toString());
      peer.onEnd = () => {
        ended += 1;
        peer.send('pong');
        peer.fin();
      };
    });
  await core.route.start();
  const app = core.network.connect('127.0.0.1', 9092);
  const back: string[] = [];
  app.onBytes = (bytes) => back.push(bytes.toString());
  app.send('ping');
  app.fin();
  core.pump();
  serve();
  core.pump();
  t.strictSame(got, ['ping']);
  t.equal(ended, 1);
  t.strictSame(back, ['pong']);
});
