/** Who does not speak Kafka is told apart by his first bytes, so that the log can say what to change. */
import t from 'tap';
import { Verdict } from '../../../src/contract/protocol.ts';
import { KafkaBench } from './kafka-bench.ts';
import { anyRequest } from './requests.ts';
import { frame } from './wire.ts';

const TLS = ['16030100c8010000', '16030300', '1603ffff'].map((hex) => Buffer.from(hex, 'hex'));
const HTTP = [
  'GET / HT',
  'POST /',
  'PUT /',
  'HEAD /',
  'DELETE /',
  'OPTIONS *',
  'PATCH /',
  'CONNECT h',
  'TRACE /',
  'PRI * HTTP/2.0',
];

function closed(bytes: Buffer) {
  const client = new KafkaBench().client();
  const verdict = client.inspect(bytes, 0, bytes.length, true, false);
  return verdict === Verdict.close ? { reason: client.closeReason, detail: client.closeDetail } : verdict;
}

t.test('a client that speaks TLS is told to speak plaintext', async (t) => {
  for (const bytes of TLS)
    t.match(closed(bytes), { reason: 'tls_on_plaintext', detail: /security\.protocol=PLAINTEXT/ });
});

t.test('a client that speaks HTTP is told where that is spoken', async (t) => {
  for (const text of HTTP)
    t.match(closed(Buffer.from(text)), { reason: 'http_on_kafka', detail: /health\.listen.*admin\.listen/ }, text);
});

t.test('four bytes decide, and three are waited for', async (t) => {
  for (const bytes of [...TLS, ...HTTP.map((text) => Buffer.from(text))]) {
    t.equal(closed(bytes.subarray(0, 3)), Verdict.incomplete);
    t.match(closed(bytes.subarray(0, 4)), { reason: /tls_on_plaintext|http_on_kafka/ });
  }
});

t.test('requests whose length looks a little like either are requests', async (t) => {
  for (const length of [0x16_02, 0x16_03, 0x1603_00, 0x4745_54, 0x03_0000, 0x03_1603]) {
    const bytes = frame(anyRequest(12, 0, 1).subarray(4), Buffer.alloc(length)).subarray(0, 40);
    bytes.writeInt32BE(length);
    t.equal(closed(bytes), Verdict.forward, `${length} bytes`);
  }
});

t.test('a first byte alone is not TLS yet', async (t) => {
  t.match(closed(Buffer.from('1602010000000000', 'hex')), { reason: 'frame_too_large' });
});

t.test('behind a request nothing is taken for TLS or HTTP any more, only for a frame too large', async (t) => {
  for (const bytes of [...TLS, Buffer.from('GET / HTTP/1.1\r\n')]) {
    const client = new KafkaBench().client();
    const heartbeat = anyRequest(12, 0, 1);
    t.equal(client.inspect(heartbeat, 0, heartbeat.length, true, false), Verdict.forward);
    t.equal(client.inspect(bytes, 0, bytes.length, true, false), Verdict.close);
    t.equal(client.closeReason, 'frame_too_large');
  }
});

t.test('a broker that speaks TLS fails its dial with advice, whoever we are', async (t) => {
  // As a broker of Kafka 4.2 answers plaintext on its TLS port.
  const alert = Buffer.from('15030300020250', 'hex');
  for (const context of [{}, { saslPassThrough: true }]) {
    const connection = new KafkaBench(context).dial();
    connection.session.greeting(null);
    connection.read(alert);
    t.match(connection.sink.failure, { reason: 'dial_failed', failure: 'tls_failed', detail: /upstream\.tls/ });
  }
  const later = new KafkaBench().connect();
  later.read(alert);
  t.equal(later.sink.failure?.reason, 'unsolicited_bytes', 'on a connection that has spoken Kafka it means nothing');
});
