import t from 'tap';
import { recognise } from '../../../src/protocols/pulsar/foreign.ts';

t.test('a TLS ClientHello on a plaintext listener is told by name, and which URL to use', async (t) => {
  const foreign = recognise(Buffer.from('1603010200', 'hex'), 0);
  t.equal(foreign?.reason, 'tls_on_plaintext');
  t.match(foreign?.detail, /pulsar:\/\//);
});

t.test('HTTP is told by name, whichever the method', async (t) => {
  for (const method of ['GET /', 'POST /', 'PUT /', 'HEAD /', 'DELETE /', 'OPTIONS /', 'PRI * HTTP/2.0'])
    t.match(recognise(Buffer.from(method), 0)?.detail, /HTTP/, method);
});

t.test('a frame of Pulsar is none of these, wherever it begins', async (t) => {
  const ping = Buffer.from('ffffffff0000000900000005081292010 0'.replaceAll(' ', ''), 'hex');
  t.equal(recognise(ping, 4), null);
});
