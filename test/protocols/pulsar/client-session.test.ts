import t from 'tap';
import { Verdict } from '../../../src/contract/protocol.ts';
import { BOOTSTRAP } from '../../../src/contract/topology.ts';
import { frame, payloadOf, rawFrame } from '../../support/pulsar/frames.ts';
import { Client, CONNECTED, commandsIn, Fixture, FLAGS, HUGE } from './session-fixture.ts';

const TOPIC = 'persistent://public/default/orders';
const CONNECT = frame('CONNECT', { clientVersion: 'test', protocolVersion: 21, flags: FLAGS });

t.test('CONNECT waits until a broker has said what it can, and is answered with that', async (t) => {
  const fixture = new Fixture();
  const client = new Client(fixture.route.client(BOOTSTRAP));
  t.equal(client.verdict(CONNECT), Verdict.learn);
  t.match(client.session.routing, { node: BOOTSTRAP, purpose: 'lookup' });
  fixture.link('lookup');
  t.equal(client.verdict(CONNECT, false), Verdict.learn, 'the broker may be dead by now');
  t.equal(client.verdict(CONNECT), Verdict.answer);
  t.equal(client.session.size, CONNECT.length);
  t.match(commandsIn(client.session.answer()), [{ name: 'CONNECTED', fields: CONNECTED }]);
});

t.test('the next client is told the same, in the version that it speaks, and no more than we can carry', async (t) => {
  const fixture = new Fixture({ maxFrameBytes: 1_000_000 });
  fixture.client();
  const older = fixture.client({ protocolVersion: 17 });
  t.match(commandsIn(older.answered!), [{ fields: { protocolVersion: 17, maxMessageSize: 1_000_000 - 10_240 } }]);
});

t.test('a CONNECT in pieces is waited for, piece by piece, and inspected as often as one likes', async (t) => {
  const fixture = new Fixture();
  fixture.client();
  const client = new Client(fixture.route.client(BOOTSTRAP));
  for (let length = 0; length < CONNECT.length; length += 1)
    t.equal(client.verdict(CONNECT.subarray(0, length)), Verdict.incomplete, `${length} bytes`);
  t.equal(client.verdict(CONNECT), Verdict.answer);
  t.equal(client.verdict(CONNECT), Verdict.answer);
});

t.test('what is no Pulsar is told by name, and closes its own socket alone', async (t) => {
  const fixture = new Fixture();
  const cases: [string, Buffer, string, RegExp][] = [
    ['TLS', Buffer.from('16030102000100', 'hex'), 'tls_on_plaintext', /pulsar:\/\//],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n'), 'protocol_error', /HTTP/],
    ['a frame that no client begins with', Buffer.from('7fffffff00000005', 'hex'), 'protocol_error', /2147483647/],
    ['an empty frame', Buffer.from('0000000000000000', 'hex'), 'protocol_error', /0 bytes/],
    ['a command longer than its frame', Buffer.from('0000000900000006', 'hex'), 'protocol_error', /6 bytes/],
    ['no command', rawFrame(Buffer.from([0xff, 0xff])), 'protocol_error', /./],
    ['anything before CONNECT', frame('PING', {}), 'protocol_error', /CONNECT/],
    ['a CONNECT without a version', rawFrame(Buffer.from([8, 2, 18, 0])), 'protocol_error', /version/],
  ];
  for (const [name, bytes, reason, detail] of cases) {
    const client = new Client(fixture.route.client(BOOTSTRAP));
    t.equal(client.verdict(bytes), Verdict.close, name);
    t.equal(client.session.closeReason, reason, name);
    t.match(client.session.closeDetail, detail, name);
  }
});

t.test('a client that was greeted is held to the protocol', async (t) => {
  const cases: [string, Buffer, string][] = [
    ['a second CONNECT', CONNECT, 'protocol_error'],
    ['what only brokers say', frame('SUCCESS', { requestId: 1n }), 'protocol_error'],
    ['a receipt', frame('SEND_RECEIPT', { producerId: 1n, sequenceId: 1n }), 'protocol_error'],
    ['a lookup without a request id', frame('LOOKUP', { topic: TOPIC }), 'protocol_error'],
    ['more than the largest message', Buffer.from('0050280100000005', 'hex'), 'frame_too_large'],
    ['a huge command', Buffer.from('0020000000110000', 'hex'), 'protocol_error'],
    ['a lookup of 70 KB', frame('LOOKUP', { topic: 'x'.repeat(70_000), requestId: 1n }), 'protocol_error'],
    [
      'an AUTH_RESPONSE of 200 KB',
      frame('AUTH_RESPONSE', { response: { method: 'x'.repeat(200_000) } }),
      'protocol_error',
    ],
    ['what would lead past us', rawFrame(Buffer.from('0846b2040408011200', 'hex')), 'refused_api'],
  ];
  for (const [name, bytes, reason] of cases) {
    const client = new Fixture().client();
    t.equal(client.verdict(bytes), Verdict.close, name);
    t.equal(client.session.closeReason, reason, name);
  }
});

t.test('CONNECT is answered once all of its frame is there, whatever stands behind its command', async (t) => {
  const connect = Buffer.concat([CONNECT, Buffer.alloc(3)]);
  connect.writeUInt32BE(connect.length - 4, 0);
  const client = new Client(new Fixture().route.client(BOOTSTRAP));
  t.equal(client.verdict(connect.subarray(0, CONNECT.length)), Verdict.incomplete);
  t.equal(client.verdict(connect), Verdict.learn);
  t.equal(client.session.size, connect.length);
});

t.test('PING is answered at once, and PONG goes nowhere', async (t) => {
  const client = new Fixture().client();
  t.equal(client.asks('PING', {}), Verdict.answer);
  t.match(commandsIn(client.session.answer()), [{ name: 'PONG' }]);
  t.notOk(client.session.work);
  t.equal(client.asks('PONG', {}), Verdict.discard);
  t.equal(client.session.size, 13);
});

t.test('a broker that no lookup has named is not dialled, and the client hears why', async (t) => {
  const fixture = new Fixture();
  const connect = frame('CONNECT', {
    clientVersion: 'test',
    protocolVersion: 21,
    proxyToBrokerUrl: '169.254.169.254:80',
  });
  const client = new Client(fixture.route.client(BOOTSTRAP));
  t.equal(client.verdict(connect), Verdict.dismiss);
  t.equal(client.session.closeReason, 'broker_not_allowed');
  t.match(commandsIn(client.session.answer()), [
    { name: 'ERROR', fields: { requestId: 2n ** 64n - 1n, message: /allowedBrokers/ } },
  ]);
});

t.test('a broker that is allowed, or was named, is where the client’s requests go', async (t) => {
  const allowing = new Fixture({ isAllowedBroker: (host, port) => host === 'b' && port === 6650 });
  t.equal(allowing.client({ proxyToBrokerUrl: 'b:6650' }).session.homeNode, 'b:6650');
  const fixture = new Fixture();
  fixture.route.brokers.learn({ node: 'b:6650', host: 'b', port: 6650 }, null);
  const client = fixture.client({ proxyToBrokerUrl: 'b:6650' });
  t.equal(
    client.asks('SUBSCRIBE', { topic: TOPIC, subscription: 's', subType: 0, consumerId: 0n, requestId: 1n }),
    Verdict.forward,
  );
  t.match(client.session.routing, { node: 'b:6650', purpose: /^own:/ });
});

t.test('a proxy that speaks for others is turned away: they would share what is not theirs', async (t) => {
  for (const field of [{ originalPrincipal: 'alice' }, { proxyVersion: '4.0' }]) {
    const client = new Client(new Fixture().route.client(BOOTSTRAP));
    t.equal(client.verdict(frame('CONNECT', { clientVersion: 'proxy', ...field })), Verdict.dismiss);
    t.equal(client.session.closeReason, 'refused_api');
  }
});

t.test(
  'questions of all clients of an identity share a connection, all else goes over one of the client’s own',
  async (t) => {
    const fixture = new Fixture();
    const client = fixture.client();
    const other = fixture.client();
    t.equal(client.asks('LOOKUP', { topic: TOPIC, requestId: HUGE }), Verdict.forward);
    t.match(client.session.routing, { node: BOOTSTRAP, purpose: 'lookup', previous: null });
    t.equal(client.session.requestId, HUGE, 'all of its 64 bits');
    t.notOk(client.session.work);
    client.asks('PARTITIONED_METADATA', { topic: TOPIC, requestId: 1n });
    t.equal(client.session.purpose, 'lookup');
    client.asks('SUBSCRIBE', { topic: TOPIC, subscription: 's', subType: 0, consumerId: 0n, requestId: 1n });
    const { purpose } = client.session;
    t.match([purpose, client.session.work, client.session.pin], [/^own:/, true, 'consumer']);
    other.asks('SUBSCRIBE', { topic: TOPIC, subscription: 's', subType: 0, consumerId: 0n, requestId: 1n });
    t.not(other.session.purpose, purpose);
  },
);

t.test('what later protocols add is in use, and never refused', async (t) => {
  const client = new Fixture().client();
  t.equal(client.verdict(rawFrame(Buffer.from('08c801c20c020801', 'hex'))), Verdict.forward);
  t.match([client.session.purpose, client.session.work, client.session.pin], [/^own:/, true, 'unknown_api']);
});

t.test('a large message is judged by its command, before all of it is there', async (t) => {
  const fixture = new Fixture();
  const client = fixture.client();
  const link = fixture.link(client.session.ownPurpose);
  link.session.lend('a');
  link.asks(client, 'a', 'PRODUCER', { topic: TOPIC, producerId: 3n, requestId: 1n });
  const payload = payloadOf({ producerName: 'p', sequenceId: 0n, publishTime: 1n }, Buffer.alloc(200_000));
  const send = frame('SEND', { producerId: 3n, sequenceId: 0n, numMessages: 1 }, payload);
  t.equal(client.verdict(send.subarray(0, 10)), Verdict.incomplete);
  t.equal(client.verdict(send.subarray(0, 1000)), Verdict.forward);
  t.equal(client.session.size, send.length);
  t.equal(client.session.resource, 3n);
});

t.test('each client that shows its own credential is somebody, for as long as it is there', async (t) => {
  const held: string[] = [];
  const name = (text: string) => `id-${text}`;
  const fixture = new Fixture({
    passed: {
      hold: (credential) => {
        if (credential.mechanism !== 'PASSED') throw new Error('another credential');
        held.push(`${credential.method} ${credential.data.reveal()}`);
        return name(credential.data.reveal());
      },
      letGo: (identity) => held.push(`let go of ${identity}`),
      renew: () => undefined,
      onEnded: () => undefined,
    },
  });
  const client = fixture.client({ authMethodName: 'token', authData: Buffer.from('secret') });
  t.equal(client.session.identity, 'id-secret');
  const other = new Client(fixture.route.client(BOOTSTRAP));
  const connect = frame('CONNECT', { clientVersion: 'x', authMethodName: 'token', authData: Buffer.from('other') });
  t.equal(other.verdict(connect), Verdict.learn, 'what one was told is not for the other');
  t.equal(other.verdict(connect), Verdict.learn);
  t.strictSame(held, ['token secret', 'token other'], 'held once, however often it is inspected');
  client.session.close();
  other.session.close();
  t.strictSame(held.slice(2), ['let go of id-secret', 'let go of id-other']);
});
