import t from 'tap';
import { recognise as recogniseInKafka } from '../../../src/protocols/kafka/foreign.ts';
import { recognise } from '../../../src/protocols/pulsar/foreign.ts';
import { frame } from '../../support/pulsar/frames.ts';

t.test('a TLS ClientHello on a plaintext listener is told by name, and which URL to use', async (t) => {
  const foreign = recognise(Buffer.from('1603010200', 'hex'), 0, 5);
  t.equal(foreign?.reason, 'tls_on_plaintext');
  t.match(foreign?.detail, /pulsar:\/\//);
});

t.test('HTTP is told by name, whichever the method', async (t) => {
  for (const method of ['GET /', 'POST /', 'PUT /', 'HEAD /', 'DELETE /', 'OPTIONS /', 'PRI * HTTP/2.0'])
    t.match(recognise(Buffer.from(method), 0, method.length)?.detail, /HTTP/, method);
});

t.test('a frame of Pulsar is none of these, wherever it begins', async (t) => {
  const ping = Buffer.from('ffffffff0000000900000005081292010 0'.replaceAll(' ', ''), 'hex');
  t.equal(recognise(ping, 4, ping.length), null);
});

t.test('Kafka and Pulsar know each other by what their clients say first', async (t) => {
  const kafka = Buffer.from('0000002400120004000000010007722d6b61666b61', 'hex');
  t.match(recognise(kafka, 0, kafka.length)?.detail, /speaks Kafka to a Pulsar listener/);
  t.equal(recognise(kafka, 0, 7), null, 'not before it can be told');
  const pulsar = frame('CONNECT', { clientVersion: 'Pulsar-Java-v4.0.8', protocolVersion: 21 });
  t.equal(recognise(pulsar, 0, pulsar.length), null);
  t.match(recogniseInKafka(pulsar, 0, pulsar.length)?.detail, /speaks Pulsar to a Kafka listener/);
  t.equal(recogniseInKafka(pulsar, 0, 9), null);
  t.equal(recogniseInKafka(kafka, 0, kafka.length), null);
});
