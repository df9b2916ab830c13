/** The tests' brokers and clients on a network in memory: first with a sidecar that only passes bytes on. */
import t from 'tap';
import { Application } from '../../support/pulsar/application.ts';
import { startPulsar } from '../../support/pulsar/memory.ts';

const TOPIC = 'persistent://public/default/orders';

t.test('a client and a broker talk through a sidecar that understands nothing of it', async (t) => {
  const sidecar = await startPulsar(t, { protocolName: 'tcp' });
  const client = sidecar.open();
  await client.connect();
  const producer = await client.producer(TOPIC);
  await client.send(producer, 'one');
  t.strictSame(sidecar.cluster.topic(TOPIC).bodies, ['one']);
  sidecar.pass(61);
  t.equal(client.heard('PING').length, 2, 'time passes for brokers too');
  sidecar.cluster.broker().only.pause();
  client.write(client.message(producer, 'two').bytes);
  t.strictSame(sidecar.cluster.topic(TOPIC).bodies, ['one']);
  sidecar.cluster.broker().only.resume();
  sidecar.pump();
  t.strictSame(sidecar.cluster.topic(TOPIC).bodies, ['one', 'two']);
  sidecar.kill(0);
  t.notOk(client.isOpen);
  t.equal(sidecar.cluster.topic(TOPIC).producers.size, 0);
  sidecar.serve(0);
  sidecar.pass(10);
  await sidecar.open().connect();
});

t.test('an application opens its producers again and sends what was not acknowledged, in order and once', async (t) => {
  const sidecar = await startPulsar(t, {
    protocolName: 'tcp',
    cluster: { standaloneLookups: true, deduplication: true },
  });
  const { cluster } = sidecar;
  const application = new Application(() => sidecar.open());
  const producer = application.producer(TOPIC);
  producer.send('one');
  sidecar.pump();
  t.strictSame(producer.acknowledged, ['one']);
  t.equal(cluster.open, 2, 'a connection for lookups, and one for the broker');
  cluster.broker().holdAnswers('SEND');
  producer.send('two');
  sidecar.pump();
  cluster.unload(TOPIC, 0, true);
  cluster.broker().release();
  producer.send('three');
  sidecar.pump();
  t.strictSame(producer.acknowledged, ['one', 'two', 'three']);
  t.equal(producer.opened, 2);
  sidecar.kill(0);
  producer.send('four');
  sidecar.serve(0);
  sidecar.pass(10);
  application.retry();
  sidecar.pump();
  t.strictSame(producer.acknowledged, ['one', 'two', 'three', 'four']);
  t.strictSame(cluster.topic(TOPIC).bodies, producer.acknowledged);
  t.strictSame(application.errors, []);
  application.end();
  sidecar.pump();
  t.equal(cluster.open, 0);
});
