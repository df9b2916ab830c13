import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('once all connections to a broker are lost, nothing is answered for it before a dial succeeded', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('pool');
  const other = core.connect();
  other.send('hi');
  t.equal(other.answers.length, 1, 'answered without the broker while all is well');
  const broker = core.broker();
  core.network.silence(broker.address);
  for (const connection of broker.open) connection.peer.close();
  core.pump();
  other.send('hi');
  t.equal(other.answers.length, 1, 'the broker may be dead');
  broker.start();
  core.pump();
  t.equal(other.answers.length, 2);
});

t.test('as long as one connection is left, the broker is not in doubt', async (t) => {
  const core = await startCore(t);
  const broker = core.broker();
  broker.manual = true;
  const apps = [core.connect(), core.connect()];
  for (const app of apps) app.send('hold');
  t.equal(core.openTo(), 2);
  broker.open[0]?.peer.close();
  core.pump();
  core.network.silence(broker.address);
  const other = core.connect();
  other.send('hi');
  t.equal(other.answers.length, 1);
});
