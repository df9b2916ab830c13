/** What the files of TLS must hold, what is said when they do not, and what becomes of what they hold. */
import { createPrivateKey } from 'node:crypto';
import t, { type Test } from 'tap';
import { LoginError } from '../../src/core/login.ts';
import { systemAuthorities } from '../../src/identity/tls-authorities.ts';
import {
  adminTls,
  type ListenTlsConfig,
  listenTls,
  tlsFiles,
  type UpstreamTlsConfig,
  upstreamTls,
} from '../../src/identity/tls-material.ts';
import { authority, certify } from '../support/certificates.ts';
import { keyStoreOf } from '../support/key-store.ts';
import { dial, dialTls, listen, NAME, listenTls as settingsOf } from '../support/tls.ts';
import { until } from '../support/until.ts';

const CA = authority('the authority');
const OTHER = authority('another authority');
const BROKER = certify({ name: 'broker', by: CA, hosts: [NAME] });
const CLIENT = certify({ name: 'the sidecar', by: OTHER });
const PASSWORD = 'open sesame';
const encrypted = (key: string, type: 'pkcs1' | 'pkcs8', passphrase = PASSWORD): string =>
  createPrivateKey(key).export({ type, format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString();
const RSA = certify({ name: 'the sidecar', by: OTHER, keys: 'rsa' });

const FILES: Readonly<Record<string, string | Buffer>> = {
  '/ca.pem': `a comment\n${OTHER.certificate}\n${CA.certificate}`,
  '/client.pem': CLIENT.certificate + OTHER.certificate,
  '/client.key': CLIENT.key,
  '/encrypted.key': encrypted(CLIENT.key, 'pkcs8'),
  '/old.key': encrypted(RSA.key, 'pkcs1'),
  '/rsa.pem': RSA.certificate,
  '/key.pass': `${PASSWORD}\n`,
  '/wrong.pass': 'open barley',
  '/nothing.pass': '\n',
  '/client.p12': keyStoreOf(CLIENT, PASSWORD),
  '/legacy.p12': keyStoreOf(CLIENT, PASSWORD, true),
  '/broker.pem': BROKER.certificate,
  '/broker.key': BROKER.key,
  '/backwards.pem': OTHER.certificate + CLIENT.certificate,
  '/empty.pem': '',
  '/der.pem': Buffer.from('3082010a', 'hex'),
  '/damaged.pem': CA.certificate.replace(/^MII./m, 'AAAA'),
  '/damaged.key': CLIENT.key.replace(/\n.{8}/, '\nAAAAAAAA'),
  '/nonsense.p12': 'nonsense',
};
const contents = (path: string): Buffer => {
  const bytes = FILES[path];
  if (bytes === undefined) throw new Error(`no such file: ${path}`);
  return Buffer.from(bytes);
};
const upstream = (config: Partial<UpstreamTlsConfig> = {}): ReturnType<typeof upstreamTls> =>
  upstreamTls({ minVersion: 'TLSv1.2', rejectUnauthorized: true, ...config }, contents);
const listening = (config: Partial<ListenTlsConfig> = {}): ReturnType<typeof listenTls> =>
  listenTls({ certificateFile: '/broker.pem', keyFile: '/broker.key', minVersion: 'TLSv1.2', ...config }, contents);

/** A broker that wants a certificate of `OTHER`'s. */
async function strictBroker(t: Test): Promise<{ port: number; names: () => (string | null | undefined)[] }> {
  const settings = settingsOf(BROKER, OTHER);
  const { port, accepted } = await listen(t, { tls: () => settings });
  return { port, names: () => accepted.map(({ wire }) => wire?.peerName) };
}

const WAYS: Readonly<Record<string, Partial<UpstreamTlsConfig>>> = {
  'a certificate and its key': { certificateFile: '/client.pem', keyFile: '/client.key' },
  'an encrypted key': { certificateFile: '/client.pem', keyFile: '/encrypted.key', keyPasswordFile: '/key.pass' },
  'a key that was encrypted long ago': {
    certificateFile: '/rsa.pem',
    keyFile: '/old.key',
    keyPasswordFile: '/key.pass',
  },
  'a key that is not encrypted after all': {
    certificateFile: '/client.pem',
    keyFile: '/client.key',
    keyPasswordFile: '/key.pass',
  },
  'a key store': { pkcs12File: '/client.p12', pkcs12PasswordFile: '/key.pass' },
};

for (const [what, way] of Object.entries(WAYS)) {
  t.test(`${what}: a broker that wants a certificate is shown it`, async (t) => {
    const { port, names } = await strictBroker(t);
    const { dial: tls, certificates } = upstream({ caFile: '/ca.pem', ...way });
    t.strictSame((await dial(t, port, tls)).events, ['connected']);
    await until('the broker', () => names().length > 0);
    t.strictSame(names(), ['the sidecar']);
    const [first, ...more] = certificates.filter(({ use }) => use === 'upstream_client');
    t.match(first, { subject: 'CN=the sidecar' });
    t.ok(more.length <= 1);
  });
}

t.test('every certificate is told with its file, its name and its expiry', async (t) => {
  const now = Date.now() / 1000;
  const { certificates } = upstream({ caFile: '/ca.pem', certificateFile: '/client.pem', keyFile: '/client.key' });
  t.match(
    certificates.map(({ use, path, subject }) => `${use} ${path} ${subject}`),
    [
      'upstream_ca /ca.pem CN=another authority',
      'upstream_ca /ca.pem CN=the authority',
      'upstream_client /client.pem CN=the sidecar',
      'upstream_client /client.pem CN=another authority',
    ],
  );
  for (const { expiry, validFrom } of certificates) {
    t.ok(Math.abs(expiry - now - 3650 * 86_400) < 120);
    t.ok(Math.abs(validFrom - now + 86_400) < 120);
  }
  t.strictSame(
    listening({ clientCaFile: '/ca.pem' }).certificates.map(({ use }) => use),
    ['listen_server', 'listen_client_ca', 'listen_client_ca'],
  );
  const admin = adminTls({ certificateFile: '/broker.pem', keyFile: '/broker.key' }, contents);
  t.match(admin.certificates, [{ use: 'admin_server', path: '/broker.pem' }]);
});

t.test('without a file the authorities of the system are believed, and nobody else', async (t) => {
  t.ok(systemAuthorities().length > 0);
  const settings = settingsOf(BROKER);
  const { port } = await listen(t, { tls: () => settings });
  t.match((await dial(t, port, upstream().dial)).events, [/^error UNABLE_TO_VERIFY_LEAF_SIGNATURE/]);
  t.strictSame(upstream().certificates, []);
});

t.test('whoever stands in the bundle is believed: also an authority below another, and a broker', async (t) => {
  const middle = certify({ name: 'below', by: CA, authority: true });
  const low = certify({ name: 'broker', by: middle, hosts: [NAME] });
  const settings = settingsOf({ ...low, certificate: low.certificate + middle.certificate });
  const { port } = await listen(t, { tls: () => settings });
  for (const bundle of [CA, middle, low]) {
    const { dial: tls } = upstreamTls({ minVersion: 'TLSv1.2', rejectUnauthorized: true, caFile: '/bundle.pem' }, () =>
      Buffer.from(bundle.certificate),
    );
    t.strictSame((await dial(t, port, tls)).events, ['connected'], bundle.name);
  }
  t.match((await dial(t, port, upstream({ caFile: '/client.pem' }).dial)).events, [/^error/]);
});

t.test('versions and the wish not to verify are heeded', async (t) => {
  const settings = settingsOf(BROKER, undefined, { maxVersion: 'TLSv1.2' });
  const { port } = await listen(t, { tls: () => settings });
  t.strictSame((await dial(t, port, upstream({ caFile: '/ca.pem' }).dial)).events, ['connected']);
  t.match((await dial(t, port, upstream({ caFile: '/ca.pem', minVersion: 'TLSv1.3' }).dial)).events, [/^error/]);
  t.strictSame((await dial(t, port, upstream({ rejectUnauthorized: false }).dial)).events, ['connected']);
});

t.test('a listener receives with its certificate, and wants one where authorities for clients are named', async (t) => {
  const open = listening().listen;
  const strict = listening({ clientCaFile: '/ca.pem' }).listen;
  t.strictSame([open.requiresCertificate, strict.requiresCertificate], [false, true]);
  for (const settings of [open, strict]) {
    const { port } = await listen(t, { tls: () => settings });
    const client = { ca: CA.certificate, cert: CLIENT.certificate, key: CLIENT.key };
    t.strictSame((await dial(t, port, dialTls(client))).events, ['connected']);
  }
});

t.test('whatever makes a difference is part of the material', async (t) => {
  const all = [
    upstream(),
    upstream({ minVersion: 'TLSv1.3' }),
    upstream({ rejectUnauthorized: false }),
    upstream({ caFile: '/ca.pem' }),
    upstream({ caFile: '/client.pem' }),
    upstream({ certificateFile: '/client.pem', keyFile: '/client.key' }),
    upstream({ pkcs12File: '/client.p12', pkcs12PasswordFile: '/key.pass' }),
  ].map(({ material }) => Buffer.concat(material).toString('base64'));
  t.equal(new Set(all).size, all.length);
  const again = upstream({ caFile: '/ca.pem' }).material;
  t.equal(Buffer.concat([...again]).toString('base64'), all[3], 'and nothing else is');
});

t.test('the files that a configuration names are known', async (t) => {
  t.strictSame(tlsFiles(undefined), []);
  t.strictSame(
    tlsFiles({ minVersion: 'TLSv1.2', rejectUnauthorized: true, caFile: '/a', keyPasswordFile: '/b' }).sort(),
    ['/a', '/b'],
  );
});

interface Fault {
  readonly make: () => unknown;
  readonly says: string;
}

const client = { certificateFile: '/client.pem', keyFile: '/client.key' };

const FAULTS: Readonly<Record<string, Fault>> = {
  'an empty bundle': {
    make: () => upstream({ caFile: '/empty.pem' }),
    says: '/empty.pem holds no certificate: it must be PEM',
  },
  'a bundle in DER': {
    make: () => upstream({ caFile: '/der.pem' }),
    says: '/der.pem holds no certificate: it looks like DER: convert it with `openssl x509 -inform der`',
  },
  'a damaged bundle': {
    make: () => upstream({ caFile: '/damaged.pem' }),
    says: 'certificate 1 of 1 in /damaged.pem is damaged: write the file again',
  },
  'a key of another certificate': {
    make: () => upstream({ ...client, keyFile: '/broker.key' }),
    says: 'the key in /broker.key does not belong to the certificate in /client.pem: both must be replaced together',
  },
  'a chain that is written backwards': {
    make: () => upstream({ ...client, certificateFile: '/backwards.pem' }),
    says: 'the key in /client.key belongs to certificate 2 of /backwards.pem: put that one first',
  },
  'a certificate in place of a key': {
    make: () => upstream({ ...client, keyFile: '/client.pem' }),
    says: '/client.pem holds no private key: it must be PEM, "BEGIN PRIVATE KEY" or the like',
  },
  'a damaged key': {
    make: () => upstream({ ...client, keyFile: '/damaged.key' }),
    says: 'the key in /damaged.key cannot be read',
  },
  'no password for an encrypted key': {
    make: () => upstream({ ...client, keyFile: '/encrypted.key' }),
    says: 'the key in /encrypted.key is encrypted: name the file of its password in keyPasswordFile',
  },
  'a wrong password': {
    make: () => upstream({ ...client, keyFile: '/encrypted.key', keyPasswordFile: '/wrong.pass' }),
    says: 'the password in /wrong.pass does not open the key in /encrypted.key: correct one of them',
  },
  'an empty password': {
    make: () => upstream({ ...client, keyFile: '/encrypted.key', keyPasswordFile: '/nothing.pass' }),
    says: '/nothing.pass is empty',
  },
  'a wrong password for an old key': {
    make: () => upstream({ certificateFile: '/rsa.pem', keyFile: '/old.key', keyPasswordFile: '/wrong.pass' }),
    says: 'the password in /wrong.pass does not open the key in /old.key: correct one of them',
  },
  'a wrong password for a key store': {
    make: () => upstream({ pkcs12File: '/client.p12', pkcs12PasswordFile: '/wrong.pass' }),
    says: 'the password in /wrong.pass does not open /client.p12: correct one of them',
  },
  'no password for a key store': {
    make: () => upstream({ pkcs12File: '/client.p12' }),
    says: '/client.p12 has a password: name the file that holds it in pkcs12PasswordFile',
  },
  'a key store that OpenSSL 3 no longer opens': {
    make: () => upstream({ pkcs12File: '/legacy.p12', pkcs12PasswordFile: '/key.pass' }),
    says: '/legacy.p12 is encrypted with an algorithm that OpenSSL 3 no longer offers',
  },
  'a key store that is none': {
    make: () => upstream({ pkcs12File: '/nonsense.p12' }),
    says: '/nonsense.p12 is not a PKCS#12 file, or is damaged: write it again',
  },
  'a listener with the key of another': {
    make: () => listening({ keyFile: '/client.key' }),
    says: 'the key in /client.key does not belong to the certificate in /broker.pem: both must be replaced together',
  },
};

for (const [what, { make, says }] of Object.entries(FAULTS)) {
  t.test(`${what}: the message names the file, the cause and the remedy, and no secret`, async (t) => {
    try {
      make();
      t.fail('it was accepted');
    } catch (error) {
      if (!(error instanceof LoginError)) throw error;
      t.ok(error.message.startsWith(says), error.message);
      t.equal(error.failure, 'credential_unavailable');
      for (const secret of [PASSWORD, 'open barley', CLIENT.key.split('\n')[1] ?? '']) {
        t.notOk(`${error.message}${error.stack}${error.cause}`.includes(secret));
      }
    }
  });
}

t.test('an expired certificate is loaded all the same: brokers and clients will say so', async (t) => {
  const expired = certify({ name: 'the sidecar', by: OTHER, from: -10, until: -1 });
  const files: Readonly<Record<string, string>> = { '/old.pem': expired.certificate, '/old.key': expired.key };
  const { certificates } = upstreamTls(
    { minVersion: 'TLSv1.2', rejectUnauthorized: true, certificateFile: '/old.pem', keyFile: '/old.key' },
    (path) => Buffer.from(files[path] ?? ''),
  );
  t.ok((certificates[0]?.expiry ?? 0) < Date.now() / 1000);
});
