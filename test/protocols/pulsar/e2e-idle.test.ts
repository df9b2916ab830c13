/** Applications that are silent cost their brokers nothing, and notice nothing: producers are parked and come back. */
import t from 'tap';
import { Application } from '../../support/pulsar/application.ts';
import { type PulsarSidecar, type SidecarOptions, startPulsar } from '../../support/pulsar/memory.ts';

const TOPIC = 'persistent://public/default/orders';
/** Max idle, the detector's interval, its spread, and a second. */
const LATEST_SECONDS = 180 + 60 + 5 + 1;

interface Scope {
  teardown(task: () => Promise<void>): unknown;
}

async function parked(t: Scope, count = 3, options: SidecarOptions = {}) {
  const sidecar = await startPulsar(t, { cluster: { deduplication: true }, ...options });
  const all = Array.from({ length: count }, () => new Application(() => sidecar.open()));
  const producers = all.map((each, index) => each.producer(index === 0 ? TOPIC : `${TOPIC}-${index}`));
  for (const each of producers) each.send('before');
  const { clients } = all[0] as Application;
  sidecar.pass(LATEST_SECONDS);
  return { sidecar, all, producers, clients };
}

function noticedNothing(sidecar: PulsarSidecar, all: readonly Application[]): readonly string[] {
  return [
    ...sidecar.closeReasons,
    ...sidecar.cluster.faults,
    ...all.flatMap(({ errors, strayed }) => [...errors, ...strayed]),
  ];
}

t.test('silent producers are closed at their broker, every connection goes, and clients stay connected', async (t) => {
  const { sidecar, all } = await parked(t);
  const { cluster } = sidecar;
  t.equal(cluster.open, 0);
  t.equal(cluster.broker().count('CLOSE_PRODUCER'), 3, 'each of them was closed politely');
  for (let index = 0; index < 3; index += 1)
    t.equal(cluster.topic(index === 0 ? TOPIC : `${TOPIC}-${index}`).producers.size, 0);
  t.ok(all.every(({ clients }) => clients.length > 0 && clients.every(({ isOpen }) => isOpen)));
  for (const client of all.flatMap(({ clients }) => clients)) {
    const pong = client.nextOf('PONG');
    client.say('PING', {});
    await pong;
  }
  t.equal(cluster.open, 0, 'PINGs are answered here');
  t.strictSame(noticedNothing(sidecar, all), []);
});

t.test(
  'the next message brings its producer back under its name, and nothing is lost, doubled or out of order',
  async (t) => {
    const { sidecar, all, producers } = await parked(t);
    const names = producers.map(({ name }) => name);
    const [first] = producers;
    for (const text of ['one', 'two', 'three']) first?.send(text);
    sidecar.pass(2);
    t.strictSame(first?.acknowledged, ['before', 'one', 'two', 'three']);
    t.strictSame(sidecar.cluster.topic(TOPIC).bodies, ['before', 'one', 'two', 'three']);
    t.equal(sidecar.cluster.topic(TOPIC).producers.size, 1, 'its siblings stay parked until they send');
    t.equal(sidecar.cluster.topic(`${TOPIC}-1`).producers.size, 0);
    for (const each of producers) each.send('after');
    sidecar.pass(2);
    for (const each of producers) t.equal(each.acknowledged.at(-1), 'after');
    t.strictSame(
      producers.map(({ name }) => name),
      names,
    );
    const entries = [...sidecar.cluster.topics.values()].map((topic) =>
      topic.entries.map(({ sequenceId }) => sequenceId),
    );
    for (const ids of entries)
      t.strictSame(
        ids,
        ids.map((_, index) => BigInt(index)),
      );
    t.strictSame(noticedNothing(sidecar, all), []);
  },
);

t.test('twice, and again: parking does not wear out', async (t) => {
  const { sidecar, all, producers } = await parked(t);
  for (let round = 0; round < 3; round += 1) {
    for (const each of producers) each.send(`round ${round}`);
    sidecar.pass(2);
    t.ok(producers.every(({ pending }) => pending.length === 0));
    sidecar.pass(LATEST_SECONDS);
    t.equal(sidecar.cluster.open, 0);
  }
  t.strictSame(sidecar.cluster.topic(TOPIC).bodies, ['before', 'round 0', 'round 1', 'round 2']);
  t.strictSame(noticedNothing(sidecar, all), []);
});

t.test('a topic that moved while its producer was parked is found by the client, and nothing is lost', async (t) => {
  const { sidecar, all, producers } = await parked(t, 1, { brokers: 2 });
  sidecar.cluster.unload(TOPIC, 1);
  const [producer] = producers;
  producer?.send('after');
  sidecar.pass(2);
  for (const each of all) each.retry();
  sidecar.pass(2);
  t.strictSame(producer?.acknowledged, ['before', 'after']);
  t.strictSame(sidecar.cluster.topic(TOPIC).bodies, ['before', 'after']);
  t.equal(sidecar.cluster.topic(TOPIC).entries[1]?.connection, sidecar.cluster.broker(1).only.number);
  t.strictSame(noticedNothing(sidecar, all), []);
});

t.test('a topic that was deleted while its producer was parked is made again', async (t) => {
  const { sidecar, all, producers } = await parked(t, 1);
  t.strictSame(sidecar.cluster.deleteInactive(), [TOPIC]);
  producers[0]?.send('after');
  sidecar.pass(2);
  t.strictSame(producers[0]?.acknowledged, ['before', 'after']);
  t.strictSame(noticedNothing(sidecar, all), []);
});

t.test('where topics are kept alive, nothing is parked', async (t) => {
  const { sidecar, all } = await parked(t, 2, { multiplexing: { keepsTopicsAlive: true } });
  t.ok(sidecar.cluster.open > 0);
  t.strictSame(sidecar.cluster.deleteInactive(), []);
  t.strictSame(noticedNothing(sidecar, all), []);
});

t.test('a parked producer is closed without its broker', async (t) => {
  const { sidecar, clients, producers } = await parked(t, 1);
  const carrier = clients.find((client) => client.heard('PRODUCER_SUCCESS').length > 0);
  t.match(await carrier?.ask('CLOSE_PRODUCER', { producerId: producers[0]?.id ?? -1n }), { name: 'SUCCESS' });
  t.equal(sidecar.cluster.open, 0);
});

t.test('what is owed keeps a connection, however long the broker takes for it', async (t) => {
  const sidecar = await startPulsar(t, { limits: { responseTimeoutSeconds: 3600 } });
  const application = new Application(() => sidecar.open());
  const producer = application.producer(TOPIC);
  sidecar.cluster.broker().holdAnswers('SEND');
  producer.send('slow');
  sidecar.pass(2 * LATEST_SECONDS);
  t.ok(sidecar.cluster.open > 0);
  sidecar.cluster.broker().release();
  sidecar.pump();
  t.strictSame(producer.acknowledged, ['slow']);
  sidecar.pass(LATEST_SECONDS);
  t.equal(sidecar.cluster.open, 0);
  t.strictSame(noticedNothing(sidecar, [application]), []);
});

t.test('consumers keep a connection of their own, which goes with them', async (t) => {
  const sidecar = await startPulsar(t);
  const client = sidecar.open();
  await client.connect();
  await client.lookup(TOPIC);
  const carrier = sidecar.open();
  await carrier.connect({ proxyToBrokerUrl: 'broker-1:6650' });
  await carrier.consumer(TOPIC, 'audit');
  sidecar.pass(3 * LATEST_SECONDS);
  t.equal(sidecar.cluster.open, 1);
  t.equal(sidecar.cluster.topic(TOPIC).subscriptions.get('audit')?.consumers.size, 1);
  carrier.end();
  sidecar.pass(2);
  t.equal(sidecar.cluster.open, 0);
});
