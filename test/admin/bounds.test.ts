import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import t, { type Test } from 'tap';
import { authority, certify } from '../support/certificates.ts';
import { until } from '../support/until.ts';
import { adminOn, healthOn } from './listeners.ts';

/** Short, so that a test need not wait; what holds here holds for longer times. */
const SHORT = {
  headersMilliseconds: 150,
  requestMilliseconds: 300,
  silenceMilliseconds: 600,
  keepAliveMilliseconds: 150,
  checkMilliseconds: 20,
};

class Peer {
  readonly socket: Socket;
  readonly closed: Promise<unknown>;
  got = '';

  constructor(t: Test, url: string) {
    const { hostname, port } = new URL(url);
    this.socket = connect(Number(port), hostname).setEncoding('latin1');
    // A reset is one way to end a connection.
    this.socket.on('error', () => undefined);
    this.socket.on('data', (text: string) => {
      this.got += text;
    });
    this.closed = once(this.socket, 'close');
    t.teardown(() => this.socket.destroy());
  }

  say(text: string): this {
    this.socket.write(text);
    return this;
  }
}

const HEAD = 'HTTP/1.1\r\nhost: localhost\r\n';
const GET = `GET /v1/version ${HEAD}\r\n`;

t.test('who says nothing, or never ends a request, is let go in time', async (t) => {
  const { url } = await adminOn(t, undefined, { bounds: SHORT });
  const begun: [string, string][] = [
    ['nothing', ''],
    ['half a request line', 'GET /v1/ver'],
    ['headers without an end', `GET /v1/version ${HEAD}x-a: b\r\n`],
    ['half a body', `POST /v1/reap ${HEAD}content-type: application/json\r\ncontent-length: 9\r\n\r\n{"dry`],
    [
      'a chunked body without an end',
      `POST /v1/reap ${HEAD}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{"\r\n`,
    ],
  ];
  for (const [what, text] of begun) {
    const peer = new Peer(t, url).say(text);
    await peer.closed;
    t.match(peer.got, what === 'nothing' ? /^$|^HTTP\/1\.1 408 / : /^HTTP\/1\.1 408 /, what);
  }
});

t.test('who sends a header a little at a time is let go all the same', async (t) => {
  const { url } = await adminOn(t, undefined, { bounds: SHORT });
  const peer = new Peer(t, url).say(`GET /v1/version ${HEAD}`);
  const drip = setInterval(() => peer.say('x-a: b\r\n'), 20);
  t.teardown(() => clearInterval(drip));
  await peer.closed;
  t.match(peer.got, /^HTTP\/1\.1 408 [\s\S]*"code":"REQUEST_TIMEOUT"/);
});

t.test('who begins no TLS handshake is let go in time', async (t) => {
  const ca = authority();
  const { certificate: cert, key } = certify({ name: 'sidecar', by: ca, hosts: ['127.0.0.1'] });
  const tls = { current: () => ({ cert, key }), onChange: () => undefined };
  const { url } = await adminOn(t, undefined, { tls, bounds: SHORT });
  const silent = new Peer(t, url);
  await silent.closed;
  const { port } = new URL(url);
  const secured = connectTls({ port: Number(port), host: '127.0.0.1', ca: ca.certificate });
  t.teardown(() => secured.destroy());
  await once(secured.on('error', () => undefined).resume(), 'close');
  t.pass('nor who begins no request after it');
});

t.test('a connection serves several requests, and is let go between them', async (t) => {
  const { url } = await adminOn(t, undefined, { bounds: SHORT });
  const peer = new Peer(t, url).say(GET);
  const answers = () => peer.got.split('HTTP/1.1 200').length - 1;
  await until('the first answer', () => answers() === 1);
  peer.say(GET + GET);
  await until('two more', () => answers() === 3);
  await peer.closed;
  t.equal(answers(), 3);
});

t.test('who asks and does not read is let go in time', async (t) => {
  const bounds = { ...SHORT, connections: 1 };
  const { url } = await adminOn(t, undefined, { bounds, config: () => ({ text: 'x'.repeat(20_000_000) }) });
  const peer = new Peer(t, url);
  peer.socket.pause();
  peer.say(`GET /v1/config ${HEAD}\r\n`);
  await once(peer.socket, 'connect');
  // Whoever does not read does not see the end either: it is seen by the place that has become free.
  for (let served = false; !served; ) {
    const next = new Peer(t, url).say(GET);
    await until('an answer or none', () => next.got !== '' || next.socket.closed);
    served = next.got.includes('200 OK');
  }
  peer.socket.resume();
  await peer.closed;
  t.ok(peer.got.length < 20_000_000, 'the answer was cut off');
});

t.test('more connections than allowed are refused, and those that are there go on', async (t) => {
  const { url } = await adminOn(t, undefined, { bounds: { connections: 2 } });
  const [one, two] = [new Peer(t, url).say(GET), new Peer(t, url).say(GET)];
  await until('both are served', () => [one, two].every(({ got }) => got.includes('200 OK')));
  const third = new Peer(t, url).say(GET);
  await third.closed;
  t.equal(third.got, '');
  one.socket.destroy();
  two.say(GET);
  await until('the second goes on', () => two.got.split('200 OK').length === 3);
});

t.test('what is too large is told as that, and costs no more than its bound', async (t) => {
  const { url } = await adminOn(t);
  const cases: [string, string, RegExp][] = [
    ['a long URL', `GET /v1/version?${'x'.repeat(3000)} ${HEAD}\r\n`, /^HTTP\/1\.1 414 [\s\S]*"URL_TOO_LONG"/],
    [
      'a long part of a path',
      `DELETE /v1/clients/${'x'.repeat(500)} ${HEAD}\r\n`,
      /^HTTP\/1\.1 414 [\s\S]*"URL_TOO_LONG"/,
    ],
    ['a very long URL', `GET /${'x'.repeat(9000)} ${HEAD}\r\n`, /^HTTP\/1\.1 431 [\s\S]*"HEADERS_TOO_LARGE"/],
    ['a long header', `GET /v1/version ${HEAD}x-a: ${'x'.repeat(9000)}\r\n\r\n`, /^HTTP\/1\.1 431 [\s\S]*"HEADERS_TOO/],
    ['many headers', `GET /v1/version ${HEAD}${'a: b\r\n'.repeat(2000)}\r\n`, /^HTTP\/1\.1 431 [\s\S]*"HEADERS_TOO/],
    [
      'a long body',
      `POST /v1/reap ${HEAD}content-type: application/json\r\ncontent-length: 99999999\r\n\r\n`,
      /^HTTP\/1\.1 413 [\s\S]*"BODY_TOO_LARGE"/,
    ],
    [
      'a body that does not say how long it is',
      `POST /v1/reap ${HEAD}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${`1000\r\n${' '.repeat(4096)}\r\n`.repeat(5)}`,
      /^HTTP\/1\.1 413 [\s\S]*"BODY_TOO_LARGE"/,
    ],
  ];
  for (const [what, text, wanted] of cases) {
    const peer = new Peer(t, url).say(text);
    await until(what, () => peer.got.includes('"remedy"'));
    t.match(peer.got, wanted, what);
    peer.socket.destroy();
  }
});

t.test('what HTTP knows and the listener does not is refused', async (t) => {
  const { url } = await adminOn(t);
  const cases: [string, RegExp][] = [
    [`CONNECT 10.0.0.1:9092 ${HEAD}\r\n`, /^$|^HTTP\/1\.1 4/],
    [`GET http://10.0.0.1/v1/version HTTP/1.1\r\nhost: 10.0.0.1\r\n\r\n`, /^HTTP\/1\.1 403/],
    [`GET /v1/version HTTP/1.1\r\n\r\n`, /^HTTP\/1\.1 400/],
    [`GET /v1/version HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\r\n`, /^HTTP\/1\.1 (200|400)/],
    [`GET /v1/version HTTP/3.7\r\nhost: localhost\r\n\r\n`, /^HTTP\/1\.1 400/],
    [`POST /v1/reap ${HEAD}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}`, /^HTTP\/1\.1 400/],
    [`POST /v1/reap ${HEAD}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`, /^HTTP\/1\.1 400/],
    [`GET /v1/version ${HEAD}upgrade: websocket\r\nconnection: upgrade\r\n\r\n`, /^HTTP\/1\.1 200/],
    [`POST /v1/reap ${HEAD}expect: the-impossible\r\n\r\n`, /^HTTP\/1\.1 417/],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', /^HTTP\/1\.1 400/],
  ];
  for (const [text, wanted] of cases) {
    const peer = new Peer(t, url).say(text);
    await until(text, () => peer.got !== '' || peer.socket.closed);
    t.match(peer.got, wanted, JSON.stringify(text));
    peer.socket.destroy();
  }
});

t.test('the health listener, which anybody reaches, has the same bounds', async (t) => {
  const { url } = await healthOn(t, [], { bounds: SHORT });
  for (const text of ['', 'GET /liv', `GET /livez ${HEAD}x: y\r\n`]) await new Peer(t, url).say(text).closed;
  const long = new Peer(t, url).say(`GET /livez?${'x'.repeat(3000)} ${HEAD}\r\n`);
  await until('it is refused', () => long.got.includes('"remedy"'));
  t.match(long.got, /^HTTP\/1\.1 414/);
});
