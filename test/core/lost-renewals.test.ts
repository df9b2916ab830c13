import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test(
  'a broker that closes every connection on which metadata is renewed is not dialled without a pause',
  async (t) => {
    const core = await startCore(t);
    const broker = core.broker();
    const sleeper = core.connect();
    sleeper.send('meta', { keys: [['topic', 'a']] });
    core.pass(5);
    broker.answersPings = false;
    core.network.serve(broker.address, (peer) => {
      broker.accept(peer);
      const connection = broker.connections.at(-1);
      const take = peer.onBytes;
      peer.onBytes = (bytes) => {
        take(bytes);
        if ((connection?.waiting.length ?? 0) > 0) peer.close();
      };
    });
    sleeper.peer.send('house s 0\n');
    t.doesNotThrow(() => core.pump());
    t.doesNotThrow(() => core.pass(10));
    t.ok(core.network.dials.length < 60, `${core.network.dials.length} dials`);
  },
);
