import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

for (const word of ['pool', 'hold', 'meta']) {
  t.test(`a broker that throttles our greeting is given its time, and not dialled again: ${word}`, async (t) => {
    const core = await startCore(t);
    const broker = core.broker();
    broker.greets = false;
    const app = core.connect();
    const id = app.send(word);
    const [connection] = broker.connections;
    connection?.answer({ mute: 2000 });
    broker.greets = true;
    core.pump();
    core.pass(1.9);
    t.strictSame(broker.ids, [], 'nothing is sent before it is over');
    core.pass(0.3);
    t.strictSame(broker.ids, [id]);
    t.strictSame(app.ids, [id]);
    t.equal(broker.connections.length, 1);
    t.equal(broker.received[0]?.connection, connection);
  });
}

t.test('a throttled client that is gone keeps nobody from another connection', async (t) => {
  const core = await startCore(t);
  const broker = core.broker();
  broker.manual = true;
  const throttled = core.connect();
  throttled.send('pool');
  broker.open[0]?.answer({ mute: 20_000 });
  core.pump();
  throttled.fin();
  broker.manual = false;
  const app = core.connect();
  const id = app.send('pool');
  core.clock.advance(50);
  t.strictSame(app.ids, [id]);
});
