/** Dials over TLS: who is believed, what each fault is called, and sessions that are resumed. */
import dns from 'node:dns';
import { createServer as createPlainServer, type Server, type Socket } from 'node:net';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import t, { type Test } from 'tap';
import { dialFailureOf } from '../../src/core/dial-failure.ts';
import { authority, type Certified, certify } from '../support/certificates.ts';
import { AUTHORITY, dial, dialTls, listen, listenTls, NAME, SERVER } from '../support/tls.ts';
import { until } from '../support/until.ts';

async function portOf(t: Test, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => void sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

/** A broker of TLS, with whatever a test wants of it. */
async function broker(t: Test, options: TlsOptions = {}, each: (socket: TLSSocket) => void = () => undefined) {
  const server = createServer({ cert: SERVER.certificate, key: SERVER.key, ...options }, (socket) => {
    socket.on('error', () => undefined);
    each(socket);
  });
  server.on('tlsClientError', () => undefined);
  return portOf(t, server);
}

const plain = (t: Test, each: (socket: Socket) => void): Promise<number> => portOf(t, createPlainServer(each));
const serving = (server: Certified): TlsOptions => ({ cert: server.certificate, key: server.key });
const certified = (wishes: Partial<Parameters<typeof certify>[0]>): TlsOptions =>
  serving(certify({ name: 'broker', by: AUTHORITY, hosts: [NAME], ...wishes }));

interface Fault {
  readonly title: string;
  readonly port: (t: Test) => Promise<number>;
  readonly tls?: () => ReturnType<typeof dialTls>;
  readonly serverName?: string;
  readonly code: string;
  readonly failure: string;
}

const FAULTS: readonly Fault[] = [
  {
    title: 'a certificate of an authority that nobody here knows',
    port: (t) => broker(t, certified({ by: authority('a stranger') })),
    code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    failure: 'tls_untrusted',
  },
  {
    title: 'a certificate that its owner has signed',
    port: (t) => broker(t, serving(certify({ name: 'broker', hosts: [NAME] }))),
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    failure: 'tls_untrusted',
  },
  {
    title: 'a chain that ends at an unknown authority',
    port: (t) => {
      const stranger = authority('a stranger');
      const leaf = certify({ name: 'broker', by: stranger, hosts: [NAME] });
      return broker(t, { cert: leaf.certificate + stranger.certificate, key: leaf.key });
    },
    code: 'SELF_SIGNED_CERT_IN_CHAIN',
    failure: 'tls_untrusted',
  },
  {
    title: 'a certificate for other names',
    port: (t) => broker(t),
    serverName: 'another.test',
    code: "ERR_TLS_CERT_ALTNAME_INVALID: Host: another.test. is not in the cert's altnames: DNS:broker.test, IP Address:127.0.0.1",
    failure: 'tls_name_mismatch',
  },
  {
    title: 'a certificate for another address',
    port: (t) => broker(t),
    serverName: '127.0.0.2',
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    failure: 'tls_name_mismatch',
  },
  {
    title: 'a certificate that has expired',
    port: (t) => broker(t, certified({ from: -10, until: -1 })),
    code: 'CERT_HAS_EXPIRED',
    failure: 'tls_expired',
  },
  {
    title: 'a certificate that is not valid yet',
    port: (t) => broker(t, certified({ from: 1 })),
    code: 'CERT_NOT_YET_VALID',
    failure: 'tls_expired',
  },
  {
    title: 'a broker that hangs up on what it cannot read, as plaintext ones do',
    port: (t) => plain(t, (socket) => socket.once('data', () => socket.end())),
    code: 'ERR_TLS_HANDSHAKE_CLOSED',
    failure: 'tls_failed',
  },
  {
    title: 'a broker that resets in the handshake',
    port: (t) => plain(t, (socket) => socket.once('data', () => socket.resetAndDestroy())),
    code: 'ERR_TLS_HANDSHAKE_CLOSED',
    failure: 'tls_failed',
  },
  {
    title: 'a broker that answers in plaintext',
    port: (t) => plain(t, (socket) => socket.once('data', () => socket.write('\0\0\0\x20 not a handshake'))),
    code: 'ERR_SSL_WRONG_VERSION_NUMBER',
    failure: 'tls_failed',
  },
  {
    title: 'a broker with old versions of TLS only',
    port: (t) => broker(t, { maxVersion: 'TLSv1.2' }),
    tls: () => dialTls({ minVersion: 'TLSv1.3' }),
    code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    failure: 'tls_failed',
  },
  {
    title: 'nobody there',
    port: async (t) => {
      const server = createPlainServer();
      const port = await portOf(t, server);
      await new Promise((resolve) => server.close(resolve));
      return port;
    },
    code: 'ECONNREFUSED',
    failure: 'refused',
  },
];

for (const { title, port, tls, serverName, code, failure } of FAULTS) {
  t.test(`${title}: it is never said to be connected, and the fault is ${failure}`, async (t) => {
    const { events } = await dial(t, await port(t), tls?.() ?? dialTls(), serverName ?? NAME);
    t.equal(events.length, 1);
    const [event = ''] = events;
    t.ok(event.startsWith(`error ${code}`), event);
    t.equal(dialFailureOf('broker_reset', event.replace('error ', '')), failure);
  });
}

t.test('a name that is written with its dot, an address, and whoever is believed without asking', async (t) => {
  const port = await broker(t);
  t.strictSame((await dial(t, port, dialTls(), `${NAME}.`)).events, ['connected']);
  t.strictSame((await dial(t, port, dialTls(), '127.0.0.1')).events, ['connected']);
  t.strictSame((await dial(t, port, dialTls({}, false), 'another.test')).events, ['connected']);
});

t.test('the name is shown to the server, addresses are not, and no application protocol is', async (t) => {
  const names: (string | false | null)[] = [];
  const port = await broker(t, { ALPNProtocols: ['h2'] }, (socket) => {
    names.push(socket.servername ?? null);
    t.notOk(socket.alpnProtocol);
  });
  for (const name of [NAME, '127.0.0.1']) await dial(t, port, dialTls(), name);
  await until('both', () => names.length === 2);
  t.equal(names[0], NAME);
  t.notOk(names[1]);
});

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  const pin = { minVersion: version, maxVersion: version } as const;

  t.test(`${version}: a second dial resumes the session of the first`, async (t) => {
    const reused: boolean[] = [];
    const port = await broker(t, pin, (socket) => {
      reused.push(socket.isSessionReused());
      socket.write('welcome'); // tickets of 1.3 come with it
    });
    const tls = dialTls();
    for (let turn = 1; turn <= 3; turn += 1) {
      const ear = await dial(t, port, tls);
      await until('the welcome', () => ear.text === 'welcome');
    }
    t.strictSame(reused, [false, true, true]);
    t.strictSame([...tls.sessions.keys()], [`${NAME}:${port}`]);
    await dial(t, port, dialTls());
    await dial(t, port, tls, '127.0.0.1');
    await until('the others', () => reused.length === 5);
    t.strictSame(reused.slice(3), [false, false], 'not one of another configuration, nor for another name');
  });

  t.test(`${version}: a broker that wants a certificate`, async (t) => {
    const people = authority('people');
    const port = await broker(t, { ...pin, ca: people.certificate, requestCert: true }, (socket) =>
      socket.write('welcome'),
    );
    const me = certify({ name: 'the sidecar', by: people });
    const mine = await dial(t, port, dialTls({ cert: me.certificate, key: me.key }));
    await until('the welcome', () => mine.text === 'welcome');

    const without = await dial(t, port, dialTls());
    await until('the refusal', () => without.end.startsWith('error'));
    t.notOk(without.events.includes('end'), 'in 1.3 it is told after the handshake, and not as an end in good order');
    t.equal(dialFailureOf('broker_reset', without.end.replace('error ', '')), 'tls_failed');
    const stranger = certify({ name: 'the sidecar', by: authority('a stranger') });
    const unknown = await dial(t, port, dialTls({ cert: stranger.certificate, key: stranger.key }));
    await until('the refusal', () => unknown.end !== 'connected');
    t.same([without.text, unknown.text], ['', '']);
  });
}

t.test(
  'a host whose first address answers nobody is dialled at the next, and its sessions are resumed too',
  async (t) => {
    const reused: boolean[] = [];
    const port = await broker(t, {}, (socket) => {
      reused.push(socket.isSessionReused());
      socket.write('welcome');
    });
    const { lookup } = dns;
    t.teardown(() => Object.assign(dns, { lookup }));
    const addresses = ['127.0.0.2', '127.0.0.1'].map((address) => ({ address, family: 4 }));
    const told = (_host: string, _options: object, done: (error: null, all: typeof addresses) => void): void =>
      void setImmediate(() => done(null, addresses));
    Object.assign(dns, { lookup: told });
    const tls = dialTls();
    for (let turn = 1; turn <= 2; turn += 1) {
      const ear = await dial(t, port, tls, NAME, 'two-addresses.test');
      await until('the welcome', () => ear.text === 'welcome');
    }
    t.strictSame(reused, [false, true]);
  },
);

t.test('a session that a broker has forgotten does no harm', async (t) => {
  const tls = dialTls();
  const settings = { first: listenTls(), second: listenTls() };
  let current = settings.first;
  const { port, accepted } = await listen(t, { tls: () => current });
  const first = await dial(t, port, tls);
  await until('the other end', () => accepted.length > 0);
  accepted[0]?.wire?.write(Buffer.from('welcome'));
  await until('the welcome', () => first.text === 'welcome');
  t.equal(tls.sessions.size, 1);
  current = settings.second;
  t.strictSame((await dial(t, port, tls)).events, ['connected']);
});
