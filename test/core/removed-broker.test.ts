import t from 'tap';
import { type CoreFixture, startCore } from '../support/core-fixture.ts';

/** Broker 2 leaves the cluster, and enough answers say so. */
function remove2(core: CoreFixture): void {
  const broker = core.broker(2);
  core.cluster.brokers.delete('2');
  core.network.silence(broker.address);
  const asker = core.connect(1);
  asker.send('meta');
  core.clock.advance(301_000);
  asker.send('meta');
}

t.test('who waits for a broker that leaves the cluster is told at once', async (t) => {
  const core = await startCore(t, { brokers: 2, upstream: { dialTimeoutMilliseconds: 4000 } });
  const broker = core.broker(2);
  core.cluster.brokers.delete('2');
  const asker = core.connect(1);
  asker.send('meta');
  core.clock.advance(301_000);
  core.network.silence(broker.address);
  const app = core.connect(2);
  app.send('pool');
  t.ok(app.isOpen, 'it waits for the dial');
  asker.send('meta');
  t.ok(app.wasReset);
  t.strictSame(core.disconnected, ['broker_removed']);
});

t.test('a request for a broker that just left the cluster waits for nothing', async (t) => {
  const core = await startCore(t, { brokers: 2 });
  const app = core.connect(2);
  remove2(core);
  t.ok(app.isOpen, 'it was idle');
  app.send('pool');
  t.ok(app.wasReset);
  t.strictSame(core.disconnected, ['broker_removed']);
});
