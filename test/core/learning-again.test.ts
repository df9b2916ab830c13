import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('a loss that follows another within a second is learnt from as well', async (t) => {
  const core = await startCore(t, { brokers: 2 });
  core.connect(2);
  const broker = core.broker(1);
  broker.manual = true;
  const apps = [core.connect(), core.connect(), core.connect()];
  for (const app of apps) app.send('hold');
  const dialsOfBootstrap = (): number => core.eventsOf('upstream.connected').filter(isOfBootstrap).length;
  broker.open[0]?.peer.close();
  core.pump();
  t.equal(dialsOfBootstrap(), 1);
  core.clock.advance(500);
  // What the cluster says now, the answer of half a second ago did not say.
  core.broker(2).moveTo('elsewhere:9092');
  broker.open[0]?.peer.close();
  core.pump();
  core.clock.advance(600);
  t.equal(dialsOfBootstrap(), 2);
  t.equal(core.route.cluster.find('2')?.host, 'elsewhere');
});

t.test('one dial is enough for all connections that are lost at once', async (t) => {
  const core = await startCore(t);
  const broker = core.broker();
  broker.manual = true;
  for (let client = 0; client < 4; client += 1) core.connect().send('hold');
  const idle = core.connect();
  const doomed = broker.open.slice(1);
  core.events.length = 0;
  for (const connection of doomed) connection.peer.close();
  core.pump();
  core.clock.advance(5000);
  t.equal(core.eventsOf('upstream.connected').filter(isOfBootstrap).length, 1);
  t.ok(idle.isOpen);
});

t.test('nothing is learnt again once the last client is gone', async (t) => {
  const core = await startCore(t);
  const broker = core.broker();
  broker.manual = true;
  const apps = [core.connect(), core.connect(), core.connect()];
  for (const app of apps) app.send('hold');
  broker.open[0]?.peer.close();
  core.pump();
  broker.open[0]?.peer.close();
  core.pump();
  for (const app of apps) if (app.isOpen) app.reset();
  core.network.dials.length = 0;
  core.clock.advance(5000);
  t.strictSame(core.network.dials, []);
});

function isOfBootstrap({ broker }: { readonly broker: string }): boolean {
  return broker === 'bootstrap';
}
