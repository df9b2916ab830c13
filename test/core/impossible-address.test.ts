import t from 'tap';
import { tcpNetwork } from '../../src/core/socket-wire.ts';
import { startCore } from '../support/core-fixture.ts';

t.test('a broker that advertises no possible port looks dead, and nothing is thrown', async (t) => {
  const core = await startCore(t);
  const dial = core.network.dial.bind(core.network);
  core.network.dial = (host, port, handler, connected) =>
    port > 65_535 ? tcpNetwork.dial(host, port, handler, connected) : dial(host, port, handler, connected);
  core.addBroker('2').address = 'broker-2:99092';
  core.connect().send('meta');
  await core.settle();
  const app = core.connect(2);
  t.doesNotThrow(() => app.send('pool'));
  t.doesNotThrow(() => core.pass(10));
  t.strictSame(core.disconnected, ['upstream_unavailable']);
});
