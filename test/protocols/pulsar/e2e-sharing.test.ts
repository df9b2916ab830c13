/** Many applications, few connections: what brokers see of them, and what becomes of each one's messages. */
import t from 'tap';
import { Application } from '../../support/pulsar/application.ts';
import { type PulsarSidecar, startPulsar } from '../../support/pulsar/memory.ts';

const TOPIC = 'persistent://public/default/orders';

function applications(sidecar: PulsarSidecar, count: number): Application[] {
  return Array.from({ length: count }, () => new Application(() => sidecar.open()));
}

t.test(
  'twenty applications with four producers each share a few connections, and every message arrives once',
  async (t) => {
    const sidecar = await startPulsar(t, { brokers: 2 });
    const { cluster } = sidecar;
    const topics = [0, 1, 2, 3].map((index) => `${TOPIC}-${index}`);
    for (const [index, name] of topics.entries()) cluster.topic(name, index % 2);
    const all = applications(sidecar, 20);
    const producers = all.flatMap((each) => topics.map((topic) => each.producer(topic)));
    t.ok(producers.every(({ isReady }) => isReady));
    for (let round = 0; round < 5; round += 1) for (const each of producers) each.send(`${each.name} ${round}`);
    for (const { acknowledged, name } of producers)
      t.strictSame(
        acknowledged,
        [0, 1, 2, 3, 4].map((round) => `${name} ${round}`),
      );
    for (const name of topics) t.equal(new Set(cluster.topic(name).bodies).size, 100);
    for (const broker of cluster.brokers) t.ok(broker.open.length <= 4, `${broker.open.length} connections`);
    t.equal(new Set(producers.map(({ name }) => name)).size, 80);
    t.strictSame(cluster.faults, []);
    t.strictSame(sidecar.closeReasons, []);
    t.strictSame(
      all.flatMap(({ errors, strayed }) => [...errors, ...strayed]),
      [],
    );
  },
);

t.test('lookups of all applications go over one connection', async (t) => {
  const sidecar = await startPulsar(t);
  const clients = Array.from({ length: 8 }, () => sidecar.open());
  for (const client of clients) {
    await client.connect();
    t.match(await client.lookup(TOPIC), {
      ...{ response: 1, url: 'pulsar://broker-1:6650', urlTls: 'pulsar://broker-1:6650' },
      proxyThroughServiceUrl: true,
    });
    t.match(await client.ask('PARTITIONED_METADATA', { topic: TOPIC }), { name: 'PARTITIONED_METADATA_RESPONSE' });
    t.match(await client.ask('GET_TOPICS_OF_NAMESPACE', { namespace: 'public/default' }), {
      fields: { topics: [TOPIC] },
    });
    t.match(await client.ask('GET_SCHEMA', { topic: TOPIC }), { name: 'GET_SCHEMA_RESPONSE' });
  }
  const connections = sidecar.cluster.broker().connections;
  t.equal(connections.filter((each) => each.commands('LOOKUP').length > 0).length, 1);
  t.equal(connections.flatMap((each) => each.commands('LOOKUP')).length, 8);
});

t.test('a redirect is followed here, and no client ever hears of one', async (t) => {
  const sidecar = await startPulsar(t, { brokers: 3, cluster: { redirects: true } });
  sidecar.cluster.topic(TOPIC, 2);
  const application = new Application(() => sidecar.open());
  const producer = application.producer(TOPIC);
  producer.send('one');
  t.strictSame(producer.acknowledged, ['one']);
  t.equal(sidecar.cluster.broker(2).connections.flatMap((each) => each.commands('SEND')).length, 1);
  t.strictSame(application.strayed, []);
});

t.test('what a client says of itself keeps it apart: protocol versions and feature flags are not mixed', async (t) => {
  const sidecar = await startPulsar(t);
  const kinds = [{}, { protocolVersion: 19 }, { flags: { authRefresh: true, partialProducer: true } }];
  const all = kinds.flatMap((options) => [0, 1].map(() => new Application(() => sidecar.open(), options)));
  for (const [index, each] of all.entries()) each.producer(`${TOPIC}-${index}`).send('x');
  const withProducers = sidecar.cluster.broker().open.filter(({ producers }) => producers.size > 0);
  t.equal(withProducers.length, 3);
  t.strictSame(
    withProducers.map(({ connect }) => [connect?.protocolVersion, connect?.flags?.partialProducer ?? false]).sort(),
    [
      [19, false],
      [21, false],
      [21, true],
    ],
  );
});

t.test('ids beyond what a float holds come back as they went', async (t) => {
  const sidecar = await startPulsar(t);
  const client = sidecar.open();
  client.nextRequest = 2n ** 62n + 12345n;
  await client.connect();
  await client.lookup(TOPIC);
  const carrier = sidecar.open();
  carrier.nextRequest = 2n ** 63n - 3n;
  await carrier.connect({ proxyToBrokerUrl: 'broker-1:6650' });
  const producer = await carrier.producer(TOPIC, { id: 2n ** 53n + 1n });
  const receipt = await carrier.send(producer, 'one');
  t.equal(receipt.producerId, 2n ** 53n + 1n);
  const other = await carrier.producer(`${TOPIC}-2`, { id: 2n ** 64n - 2n });
  t.equal((await carrier.send(other, 'two')).producerId, 2n ** 64n - 2n);
  t.match(await carrier.ask('CLOSE_PRODUCER', { producerId: other.id }), { name: 'SUCCESS' });
});
