import t from 'tap';
import { tcp } from '../../src/protocols/tcp/tcp.ts';
import { startCore } from '../support/core-fixture.ts';

t.test('a route that ends while it dials has let go of every broker at once', async (t) => {
  const core = await startCore(t);
  core.broker().vanish();
  core.connect().send('pool');
  await core.route.stop();
  core.pump();
  let emptied = false;
  void core.route.pools.emptied().then(() => {
    emptied = true;
  });
  await core.settle();
  t.ok(emptied);
});

t.test('a connection that was chosen is kept after all if the pool would fall below its warm ones', async (t) => {
  const core = await startCore(t, { pool: { minWarmConnectionsPerBroker: 1 }, random: () => 0.9 });
  const broker = core.broker();
  broker.manual = true;
  const apps = [core.connect(), core.connect()];
  for (const app of apps) app.send('hold');
  for (const connection of broker.open) connection.answer();
  core.pump();
  const states = (): string[] => core.control.upstreams().map(({ state }) => state);
  while (!states().includes('before_release')) core.clock.advance(100);
  const other = core.control.upstreams().find(({ state }) => state === 'idle_marked');
  core.control.condemnUpstream(other?.id ?? '', false);
  core.pass(10);
  t.strictSame(states(), ['idle_marked'], 'it may be lent, and it may be chosen again');
  t.strictSame(core.released, ['operator']);
  for (const app of apps) app.fin();
  core.pass(120);
  t.strictSame(core.released, ['operator', 'idle'], 'without clients nothing is kept warm');
});

t.test('opaque streams go over the spread of the detector, and only if they are still silent', async (t) => {
  let draws = 0;
  const core = await startCore(t, {
    protocol: tcp,
    options: { protocol: 'tcp' },
    upstream: { bootstrap: [{ host: 'broker-1', port: 9092 }] },
    random: () => (draws++ % 2 === 0 ? 0.1 : 0.9),
  });
  core.network.serve('broker-1:9092', () => undefined);
  const apps = [core.connect('bootstrap'), core.connect('bootstrap')];
  for (const app of apps) app.write('hello');
  core.events.length = 0;
  const goneAt = (): number[] => core.eventsOf('client.disconnected').map(({ ageSeconds }) => ageSeconds);
  while (goneAt().length === 0) core.clock.advance(100);
  t.ok(
    apps.some(({ isOpen }) => isOpen),
    'not all at once',
  );
  for (const app of apps) if (app.isOpen) app.write('more');
  core.pass(30);
  t.equal(goneAt().length, 1, 'the other one had something to say');
  core.pass(240);
  t.strictSame(core.disconnected, ['idle', 'idle']);
});
