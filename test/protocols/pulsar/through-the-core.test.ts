/** Sessions, core and the tests' brokers together. */
import t from 'tap';
import { Application } from '../../support/pulsar/application.ts';
import { startPulsar } from '../../support/pulsar/memory.ts';

const TOPIC = 'persistent://public/default/orders';

t.test('an application that looks a topic up is led to its broker by way of us, and its messages arrive', async (t) => {
  const sidecar = await startPulsar(t, {});
  const application = new Application(() => sidecar.open());
  const producer = application.producer(TOPIC);
  producer.send('one');
  sidecar.pump();
  t.strictSame(producer.acknowledged, ['one']);
  t.strictSame(sidecar.cluster.topic(TOPIC).bodies, ['one']);
  t.strictSame(application.errors, []);
  t.strictSame(sidecar.closeReasons, []);
  application.end();
  sidecar.pump();
});
