/** Routes that may not ask for the topology: they hear of it from their clients' answers, and remember it. */
import t from 'tap';
import type { Protocol } from '../../src/contract/protocol.ts';
import type { Topology } from '../../src/contract/topology.ts';
import { CoreFixture } from '../support/core-fixture.ts';
import { lineProtocol } from '../support/line-protocol.ts';

/** Its greeting names no broker that anybody listens to. */
const discreet: Protocol = {
  name: 'line',
  createRoute: (context) =>
    Object.defineProperty(lineProtocol.createRoute(context), 'asksForTopology', { value: false }),
};

const LAST_MAP: Topology = { clusterId: 'lake', nodes: [{ node: '7', host: 'broker-7', port: 9092 }], complete: true };

t.test('such a route is ready once a bootstrap broker was reached, and does not ask again', async (t) => {
  const core = new CoreFixture({ protocol: discreet });
  t.teardown(() => core.route.stop());
  core.broker().stop();
  await core.route.start();
  await core.settle();
  t.notOk(core.route.learnt);
  core.broker().start();
  core.pass(15);
  t.ok(core.route.learnt);
  const dials = core.network.dials.length;
  core.connect();
  core.route.pools.learn();
  core.pass(60);
  t.equal(core.network.dials.length, dials);
});

t.test('the ports of the last map are there again at once, and the map is told whenever it changes', async (t) => {
  const told: Topology[] = [];
  const core = new CoreFixture({ protocol: discreet, remembered: LAST_MAP, remember: (map) => told.push(map) });
  t.teardown(() => core.route.stop());
  core.broker().stop();
  await core.route.start();
  await core.settle();
  t.ok(core.network.listening.includes('127.0.0.1:29099'));
  core.broker().start();
  core.pass(15);
  await core.settle();
  t.match(told.at(-1), { clusterId: 'lake', nodes: [{ node: '7' }, { node: '1' }] });
});

t.test('what is remembered is where a broker was, and does not make a route ready', async (t) => {
  const core = new CoreFixture({ remembered: LAST_MAP });
  t.teardown(() => core.route.stop());
  core.broker().stop();
  await core.route.start();
  await core.settle();
  t.notOk(core.route.learnt);
});
