/** H18: connections and brokers that fall silent without a word. */
import t, { type Test } from 'tap';
import { produce } from '../../src/demo/kafka/messages/produce.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import { HandClock } from '../support/hand-clock.ts';
import { until } from '../support/until.ts';
import { createTopic, produceTo, valuesOf } from './requests.ts';
import { connect, startSidecar } from './sidecar.ts';

async function start(t: Test) {
  const cluster = await startCluster(t, { brokers: 1 });
  createTopic(cluster);
  const clock = new HandClock();
  return { cluster, clock, sidecar: await startSidecar(t, cluster, { clock }) };
}

t.test('a connection that died in silence while it was idle costs a client a moment, not its request', async (t) => {
  const { cluster, clock, sidecar } = await start(t);
  const client = await connect(t, sidecar, 1);
  await client.ask(produce, 9, produceTo(1, ['before']));
  for (const connection of cluster.broker(1).connections) connection.freeze();
  await clock.pass(31);
  const asked = clock.now();
  client.send(produce, 9, produceTo(1, ['after']));
  await clock.passUntil('the answer', () => client.frames.length > 0);
  t.ok(clock.now() - asked < 2500, `answered after ${clock.now() - asked} ms`);
  t.equal(client.ending, 'open');
  t.strictSame(valuesOf(cluster), ['before', 'after']);
  // The probe has two seconds; the goodbye that nobody answers, one.
  await clock.pass(4);
  t.ok(sidecar.releases.includes('response_timeout'));
  t.strictSame(sidecar.closes, []);
});

t.test('an answer that never comes ends the wait of that client, and of no other', async (t) => {
  const { cluster, clock, sidecar } = await start(t);
  const [victim, other] = [await connect(t, sidecar, 1), await connect(t, sidecar, 1)];
  cluster.onRequest = (_, { api, clientId }) => (api === 'Produce' && clientId === 'raw' ? 'stall' : 'answer');
  victim.send(produce, 9, produceTo(1, ['lost']));
  await until('it is being served', () => cluster.requests.some(({ api }) => api === 'Produce'));
  cluster.onRequest = undefined;
  other.send(produce, 9, produceTo(1, ['from another']));
  await clock.passUntil('the other one is served', () => other.frames.length > 0, 2);
  // What the request itself allows, and the time that any answer has.
  await clock.pass(118);
  t.equal(victim.ending, 'open', 'it waits');
  await clock.pass(5);
  t.not(await victim.ended(), 'open');
  t.strictSame(sidecar.closes, ['upstream_lost']);
  t.ok(sidecar.releases.includes('response_timeout'), String(sidecar.releases));
  other.send(produce, 9, produceTo(1, ['and again']));
  await clock.passUntil('and once more', () => other.frames.length > 1);
  t.strictSame(valuesOf(cluster), ['from another', 'and again']);
});

t.test('a broker that accepts and is silent looks dead, and when it answers again it is used again', async (t) => {
  const { cluster, clock, sidecar } = await start(t);
  const client = await connect(t, sidecar, 1);
  await sidecar.asleep(cluster);
  cluster.broker(1).freeze();
  client.send(produce, 9, produceTo(1, ['too early']));
  await clock.passUntil('its end', () => client.ending !== 'open', 4);
  t.equal(client.ending, 'reset', 'as if it had been connected to a dead broker');
  t.strictSame(sidecar.closes, ['upstream_unavailable']);
  await until('new clients are refused', () => sidecar.route.listeners.addressOf('1') === null);
  await t.rejects(connect(t, sidecar, 1), { code: 'ECONNREFUSED' });
  cluster.broker(1).thaw();
  await clock.passUntil('it is reachable again', () => sidecar.route.listeners.addressOf('1') !== null, 12);
  const again = await connect(t, sidecar, 1);
  const answer = await again.ask(produce, 9, produceTo(1, ['in time']));
  t.equal(answer.topics[0]?.partitions[0]?.errorCode, 0);
  t.strictSame(valuesOf(cluster), ['in time']);
});
