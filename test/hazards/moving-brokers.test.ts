/** H41: brokers that move, swap their places, are replaced or leave. */
import t from 'tap';
import { metadata } from '../../src/demo/kafka/messages/metadata.ts';
import { produce } from '../../src/demo/kafka/messages/produce.ts';
import { type CoreFixture, startCore } from '../support/core-fixture.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import type { FakeApp } from '../support/fake-app.ts';
import { HandClock } from '../support/hand-clock.ts';
import { createTopic, produceTo, valuesOf } from './requests.ts';
import { connect, startSidecar } from './sidecar.ts';

/** Requests that name the node that they are meant for, and what arrived at another one. */
function send(app: FakeApp, node: string): string {
  return app.send('pool', { keys: [['for', node]] });
}

function misled(core: CoreFixture): string[] {
  return [...core.cluster.brokers.values()].flatMap(({ node, received }) =>
    received.flatMap(({ id, keys }) =>
      (keys.get('for') ?? node) === node ? [] : [`${id} for ${keys.get('for')} at ${node}`],
    ),
  );
}

function swap(core: CoreFixture): void {
  const [one, two] = [core.broker(1), core.broker(2)];
  const [first, second] = [one.address, two.address];
  one.moveTo('nowhere:1');
  two.moveTo(first);
  one.moveTo(second);
}

t.test('when two brokers swap their addresses no request reaches the wrong one', async (t) => {
  for (const connected of [true, false]) {
    const core = await startCore(t, { brokers: 3 });
    const apps = [core.connect(1), core.connect(2)];
    const expected = new Map(apps.map((app) => [app, [] as string[]]));
    const work = (): void => {
      for (const [index, app] of apps.entries()) expected.get(app)?.push(send(app, `${index + 1}`));
      core.pass(1);
    };
    if (connected) work();
    if (connected) for (const node of [1, 2]) core.broker(node).stop();
    swap(core);
    await core.settle();
    for (let round = 0; round < 5; round += 1) work();
    t.strictSame(misled(core), []);
    for (const app of apps) t.strictSame(app.ids, app.isOpen ? expected.get(app) : app.ids);
    const again = [core.connect(1), core.connect(2)];
    const ids = again.map((app, index) => send(app, `${index + 1}`));
    core.pass(1);
    t.strictSame(
      again.map(({ ids: [id] }) => id),
      ids,
      'both are served where they are now',
    );
    t.strictSame(misled(core), []);
  }
});

t.test(
  'connections to an address that is no longer the broker’s go as soon as they are free, and clients stay',
  async (t) => {
    const core = await startCore(t, { brokers: 2 });
    core.broker(1).manual = true;
    const [busy, idle] = [core.connect(1), core.connect(1)];
    const first = send(busy, '1');
    const [old] = core.broker(1).open;
    core.broker(1).moveTo('broker-1b:9092');
    // Any answer that names brokers tells it.
    core.connect(2).send('meta');
    core.pump();
    t.strictSame(core.released, [], 'an answer is owed on it');
    const second = send(idle, '1');
    core.pass(0.1);
    t.ok(core.network.dials.includes('broker-1b:9092'));
    t.equal(old?.received.filter(({ id }) => id === second).length, 0);
    old?.answer();
    core.pump();
    t.strictSame(core.released, ['condemned']);
    core.broker(1).manual = false;
    for (const connection of core.broker(1).open) connection.answer();
    core.pass(1);
    t.strictSame([...busy.ids, ...idle.ids], [first, second]);
    const third = send(busy, '1');
    core.pass(1);
    t.equal(busy.ids.at(-1), third);
    t.strictSame(core.disconnected, []);
  },
);

t.test('an id that comes back on another machine is served there', async (t) => {
  const core = await startCore(t, { brokers: 2 });
  const app = core.connect(2);
  send(app, '2');
  core.broker(2).stop();
  core.pass(1);
  core.broker(2).moveTo('replacement:9092');
  core.connect(1).send('meta');
  core.pass(15);
  const next = app.isOpen ? app : core.connect(2);
  const id = send(next, '2');
  core.pass(1);
  t.equal(next.ids.at(-1), id);
  t.ok(core.network.dials.includes('replacement:9092'));
  t.strictSame(misled(core), []);
});

t.test(
  'a broker that left for good takes its idle clients along, and only after it was missing for long',
  async (t) => {
    const core = await startCore(t, { brokers: 3, brokersOptions: { removeAfterSeconds: 300 } });
    const [app, other] = [core.connect(3), core.connect(1)];
    send(app, '3');
    core.broker(3).stop();
    core.cluster.brokers.delete('3');
    for (let minute = 0; minute < 4; minute += 1) {
      other.send('meta');
      core.pass(60);
      t.ok(app.isOpen, `after ${minute + 1} minutes`);
    }
    for (let minute = 0; minute < 2; minute += 1) {
      core.pass(61);
      other.send('meta');
    }
    core.pass(1);
    t.ok(app.wasEnded);
    t.strictSame(core.disconnected, ['broker_removed']);
    await core.settle();
    t.ok(core.connect(3).peer.refused);
  },
);

t.test('silence about a broker is not its removal', async (t) => {
  const core = await startCore(t, { brokers: 2 });
  const [app, other] = [core.connect(2), core.connect(1)];
  other.send('meta');
  core.cluster.brokers.delete('2');
  other.send('meta');
  core.pass(3600);
  t.ok(app.isOpen, 'it was missing in one answer, an hour ago');
  core.cluster.brokers.set('2', core.addBroker('2'));
  other.send('meta');
  core.pass(1);
  const id = send(app, '2');
  core.pass(1);
  t.strictSame(app.ids, [id]);
  core.cluster.brokers.delete('2');
  other.send('meta');
  core.pass(1);
  t.ok(app.isOpen, 'it was there in between');
});

t.test('Kafka brokers that swap their ports while everybody sleeps get none of each other’s requests', async (t) => {
  const cluster = await startCluster(t);
  createTopic(cluster);
  const clock = new HandClock();
  const sidecar = await startSidecar(t, cluster, { clock });
  const clients = [await connect(t, sidecar, 1), await connect(t, sidecar, 2)];
  for (const [index, client] of clients.entries()) await client.ask(produce, 9, produceTo(index + 1, ['before']));
  await sidecar.asleep(cluster);
  const [one, two] = [cluster.broker(1).port, cluster.broker(2).port];
  for (const node of [1, 2]) cluster.kill(node);
  await cluster.revive(1, two);
  await cluster.revive(2, one);
  for (const [index] of clients.entries()) cluster.moveLeader('orders', index, index + 1);
  for (const [index, client] of clients.entries()) {
    client.send(produce, 9, produceTo(index + 1, ['after']));
    await clock.passUntil('an answer', () => client.frames.length > 0 || client.ending !== 'open', 10);
    const [answer] = client.frames;
    t.ok(answer !== undefined, `client ${index + 1} ended with ${client.ending}`);
  }
  t.strictSame(valuesOf(cluster), ['before', 'after', 'before', 'after']);
  t.strictSame(sidecar.closes, []);
});

t.test('another cluster at a known address gets no request', async (t) => {
  const cluster = await startCluster(t, { brokers: 1 });
  createTopic(cluster);
  const sidecar = await startSidecar(t, cluster, { clock: new HandClock() });
  const client = await connect(t, sidecar, 1);
  await client.ask(metadata, 1, { topics: null });
  await sidecar.asleep(cluster);
  cluster.id = 'somebody else';
  client.send(produce, 9, produceTo(1, ['for the other one']));
  t.equal(await client.ended(), 'reset');
  t.strictSame(valuesOf(cluster), []);
  t.ok(sidecar.releases.includes('cluster_changed'));
});
