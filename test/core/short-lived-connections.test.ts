import t, { type Test } from 'tap';
import { type CoreFixture, startCore } from '../support/core-fixture.ts';
import type { FakeConnection } from '../support/fake-broker.ts';

/** From now on the broker ends a connection on which `isEnd` is true after something came. */
function closeWhen(core: CoreFixture, isEnd: (connection: FakeConnection | undefined) => boolean): void {
  const broker = core.broker();
  core.network.serve(broker.address, (peer) => {
    broker.accept(peer);
    const connection = broker.connections.at(-1);
    const take = peer.onBytes;
    peer.onBytes = (bytes) => {
      take(bytes);
      if (isEnd(connection)) peer.close();
    };
  });
}

function dialsWithPauses(t: Test, core: CoreFixture): void {
  t.doesNotThrow(() => core.pump());
  t.doesNotThrow(() => core.pass(10));
  t.ok(core.network.dials.length < 60, `${core.network.dials.length} dials`);
}

t.test('a broker that closes every connection once it was greeted is not dialled without a pause', async (t) => {
  const core = await startCore(t);
  const broker = core.broker();
  core.connect().send('pool');
  broker.greets = false; // greeted by hand below
  closeWhen(core, (connection) => {
    connection?.answer();
    return true;
  });
  broker.connections[0]?.peer.close();
  dialsWithPauses(t, core);
});

t.test('a broker that closes where metadata is renewed is not dialled without a pause', async (t) => {
  const core = await startCore(t);
  const sleeper = core.connect();
  sleeper.send('meta', { keys: [['topic', 'a']] });
  core.pass(5);
  core.broker().answersPings = false;
  closeWhen(core, (connection) => (connection?.waiting.length ?? 0) > 0);
  sleeper.peer.send('house s 0\n');
  dialsWithPauses(t, core);
});
