/** Clients that come over TLS: who gets in, what becomes of those who do not, and certificates replaced under way. */
import { connect as connectPlain, createServer as createPlainServer, type Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { tcpNetwork } from '../../src/core/socket-wire.ts';
import { TlsAcceptor } from '../../src/core/tls-listen.ts';
import type { FailedHandshake, ListenOptions } from '../../src/core/wire.ts';
import { authority, certify } from '../support/certificates.ts';
import { AUTHORITY, Ear, type Listener, listen, listenTls, NAME } from '../support/tls.ts';
import { until } from '../support/until.ts';

interface Door extends Listener {
  readonly failures: FailedHandshake[];
  come(options?: ConnectionOptions): TLSSocket;
  comePlain(bytes: string | Buffer): Socket;
}

async function door(t: Test, options: Partial<ListenOptions> = {}): Promise<Door> {
  const failures: FailedHandshake[] = [];
  const settings = listenTls();
  const listener = await listen(t, {
    tls: () => settings,
    handshakeFailed: (failure) => void failures.push(failure),
    ...options,
  });
  const { port } = listener;
  const keep = <S extends Socket>(socket: S): S => {
    t.teardown(() => socket.destroy());
    socket.on('error', () => undefined);
    return socket;
  };
  return {
    ...listener,
    failures,
    come: (more) => keep(connect({ host: '127.0.0.1', port, servername: NAME, ca: AUTHORITY.certificate, ...more })),
    comePlain: (bytes) => {
      const socket = keep(connectPlain({ host: '127.0.0.1', port }));
      if (bytes.length > 0) socket.write(bytes);
      return socket;
    },
  };
}

const secure = (socket: TLSSocket): Promise<unknown> => new Promise((resolve) => socket.once('secureConnect', resolve));

t.test('a client is handed over once its handshake is done, and says nothing of who it is', async (t) => {
  const { come, accepted, failures } = await door(t);
  await secure(come());
  await until('it', () => accepted.length === 1);
  t.equal(accepted[0]?.wire?.peerName, null);
  t.match(accepted[0]?.wire?.remote, /^127\.0\.0\.1:\d+$/);
  t.strictSame(failures, []);
});

const PLAIN: Readonly<Record<string, string | Buffer>> = {
  'a request of Kafka': Buffer.from('00000010001200030000000000046b63617400', 'hex'),
  'a request of HTTP': 'GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n',
  'a greeting of something else': 'SSH-2.0-somebody\r\n',
};
for (const [what, bytes] of Object.entries(PLAIN)) {
  t.test(`${what} in plaintext is recognised, and the client is closed`, async (t) => {
    const { comePlain, accepted, failures } = await door(t);
    const socket = comePlain(bytes);
    await new Promise((resolve) => socket.resume().once('close', resolve));
    await until('it', () => failures.length > 0);
    t.match(failures, [{ plaintext: true, detail: /^ERR_SSL_/, remote: /^127\.0\.0\.1:\d+$/ }]);
    t.strictSame(accepted, []);
  });
}

t.test('a probe that only connects is no failure', async (t) => {
  const { comePlain, come, accepted, failures } = await door(t);
  for (const end of ['end', 'destroy', 'resetAndDestroy'] as const) {
    const probe = comePlain('');
    await new Promise((resolve) => probe.once('connect', resolve));
    probe[end]();
    await new Promise((resolve) => probe.resume().once('close', resolve));
  }
  await secure(come());
  await until('who came last', () => accepted.length === 1);
  t.strictSame(failures, []);
});

t.test('a client that goes away in the middle of its handshake is told of once', async (t) => {
  const { comePlain, failures } = await door(t);
  const hello = Buffer.from('16030100c8010000c40303', 'hex');
  comePlain(hello).end();
  await until('it', () => failures.length > 0);
  t.match(failures, [{ plaintext: false, detail: /^ERR_TLS_HANDSHAKE_CLOSED/ }]);
});

t.test('a client that falls silent in its handshake is dropped in time', async (t) => {
  const { comePlain, failures } = await door(t, { handshakeMilliseconds: 30 });
  const socket = comePlain(Buffer.from('16030100c8010000c40303', 'hex'));
  await new Promise((resolve) => socket.resume().once('close', resolve));
  t.match(failures, [{ plaintext: false, detail: /^ERR_TLS_HANDSHAKE_TIMEOUT/ }]);
});

t.test('a client that does not trust the certificate', async (t) => {
  const { come, accepted, failures } = await door(t);
  const socket = come({ ca: authority('somebody else').certificate });
  await new Promise((resolve) => socket.once('close', resolve));
  await until('it', () => failures.length > 0 || accepted.length > 0);
  t.equal(failures.length + accepted.length, 1, 'in TLS 1.3 Node tells it only after its part of the handshake');
  t.notOk(failures[0]?.plaintext);
});

t.test('a client with old versions of TLS only', async (t) => {
  const settings = listenTls(undefined, undefined, { minVersion: 'TLSv1.3' });
  const { come, failures } = await door(t, { tls: () => settings });
  come({ maxVersion: 'TLSv1.2' });
  await until('it', () => failures.length > 0);
  t.match(failures, [{ plaintext: false, detail: /^ERR_SSL_UNSUPPORTED_PROTOCOL/ }]);
});

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  t.test(
    `${version}: where certificates are wanted, who shows a good one gets in by its name, again and again`,
    async (t) => {
      const people = authority('people');
      const settings = listenTls(undefined, people, { minVersion: version, maxVersion: version });
      const { come, accepted, failures } = await door(t, { tls: () => settings });
      const alice = certify({ name: 'alice', by: people });
      const mine = { cert: alice.certificate, key: alice.key };
      let session: Buffer | undefined;
      for (let turn = 0; turn < 2; turn += 1) {
        const socket = come({ ...mine, ...(session === undefined ? {} : { session }) });
        socket.once('session', (next: Buffer) => {
          session = next;
        });
        await until('it', () => accepted.length === turn + 1 && session !== undefined);
        t.equal(accepted[turn]?.wire?.peerName, 'alice', turn === 0 ? 'at first' : 'with a session resumed');
        t.equal(socket.isSessionReused(), turn === 1);
        socket.destroy();
      }
      t.strictSame(failures, []);
    },
  );

  t.test(`${version}: where certificates are wanted, nobody else gets in`, async (t) => {
    const people = authority('people');
    const settings = listenTls(undefined, people, { minVersion: version, maxVersion: version });
    const { come, accepted, failures } = await door(t, { tls: () => settings });
    const strangers = [
      certify({ name: 'alice', by: authority('people') }),
      certify({ name: 'alice' }),
      certify({ name: 'alice', by: people, from: -10, until: -1 }),
    ];
    const codes = ['CERT_SIGNATURE_FAILURE', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'CERT_HAS_EXPIRED'];
    for (const [index, { certificate, key }] of strangers.entries()) {
      come({ cert: certificate, key });
      await until('the failure', () => failures.length === index + 1);
      t.equal(failures[index]?.detail.split(':')[0], codes[index]);
    }
    come();
    await until('the failure', () => failures.length === 4);
    t.match(failures[3], { plaintext: false, detail: /^ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE/ });
    t.strictSame(accepted, []);
  });
}

t.test('a certificate without a name, or with two, names nobody', async (t) => {
  const people = authority('people');
  const settings = listenTls(undefined, people);
  const { come, accepted } = await door(t, { tls: () => settings });
  for (const names of [[], ['alice', 'bob']]) {
    const { certificate, key } = certify({ name: names, by: people });
    const before = accepted.length;
    come({ cert: certificate, key });
    await until('it', () => accepted.length > before);
    t.equal(accepted[before]?.wire?.peerName, null);
  }
});

t.test('a new certificate is shown to whoever comes next, and those who are there stay', async (t) => {
  let current = listenTls(certify({ name: 'old', by: AUTHORITY, hosts: [NAME] }));
  const { come, accepted } = await door(t, { tls: () => current });
  const early = come();
  await secure(early);
  t.equal(early.getPeerCertificate().subject.CN, 'old');
  current = listenTls(certify({ name: 'new', by: AUTHORITY, hosts: [NAME] }));
  const late = come();
  await secure(late);
  t.equal(late.getPeerCertificate().subject.CN, 'new');
  await until('both', () => accepted.length === 2);
  early.write('still here');
  await until('it', () => accepted[0]?.text === 'still here');
});

t.test('whoever comes while too many are in their handshake is reset, and the next one is not', async (t) => {
  const failures: FailedHandshake[] = [];
  const settings = listenTls();
  const accept = (): Ear => new Ear();
  const listener = {
    tls: () => settings,
    handshakeMilliseconds: 10_000,
    accept,
    failed: (one: FailedHandshake) => void failures.push(one),
  };
  const acceptor = new TlsAcceptor(listener, 2);
  const raws: Socket[] = [];
  const server = createPlainServer({ pauseOnConnect: true }, (raw) => {
    raws.push(raw);
    acceptor.take(raw);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const all: Socket[] = [0, 1, 2].map(() => connectPlain({ host: '127.0.0.1', port }));
  t.teardown(() => {
    for (const socket of all) socket.destroy();
    acceptor.close();
    server.close();
  });
  const ends = all.map(
    (socket) => new Promise<string>((resolve) => socket.once('error', ({ message }) => resolve(message))),
  );
  t.match(await Promise.race(ends), /ECONNRESET/);
  t.match(failures, [{ plaintext: false, detail: 'too many handshakes are under way' }]);
  for (const socket of all) socket.destroy();
  await until('they are forgotten', () => raws.length === 3 && raws.every(({ closed }) => closed));
  const guest = connect({ host: '127.0.0.1', port, servername: NAME, ca: AUTHORITY.certificate });
  all.push(guest);
  await secure(guest);
});

t.test(
  'a listener that is closed drops those who are in their handshake, which is no failure, and nobody else',
  async (t) => {
    const settings = listenTls();
    const ears: Ear[] = [];
    const told: string[] = [];
    const listening = await tcpNetwork.listen(
      '127.0.0.1',
      0,
      (wire) => {
        const ear = new Ear();
        ear.wire = wire;
        ears.push(ear);
        return ear;
      },
      { tls: () => settings, handshakeFailed: ({ detail }) => void told.push(detail) },
    );
    const { port } = listening;
    const guest = connect({ host: '127.0.0.1', port, servername: NAME, ca: AUTHORITY.certificate });
    const silent = connectPlain({ host: '127.0.0.1', port });
    t.teardown(() => {
      guest.destroy();
      silent.destroy();
      ears[0]?.wire?.destroy();
    });
    silent.write(Buffer.from('16030100c8010000c40303', 'hex'));
    await secure(guest);
    await until('the guest', () => ears.length === 1);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    await listening.close();
    await new Promise((resolve) => silent.resume().once('close', resolve));
    guest.write('still here');
    await until('it', () => ears[0]?.text === 'still here');
    t.strictSame(told, []);
  },
);
