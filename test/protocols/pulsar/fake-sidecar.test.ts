/** The tests' brokers and clients on a network in memory: first with a sidecar that only passes bytes on. */
import t from 'tap';
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
