import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { AdminOptions } from '../../src/admin/admin-listener.ts';
import { adminOn } from '../admin/listeners.ts';
import { authority, type Certified, certify } from '../support/certificates.ts';
import { invoke } from './invoke.ts';

const TOKEN = 'correct-horse-battery';
const CA = authority();
const HASTY = {
  after(_milliseconds: number, task: () => void) {
    setImmediate(task);
    return { cancel: () => undefined };
  },
};

/** A folder with everything that an operator might have. */
function folder(t: Test): (name: string) => string {
  const other = authority('somebody else');
  const directory = t.testdir({
    token: `${TOKEN}\n`,
    wrong: 'not-the-token-but-long\n',
    words: `${TOKEN} and more`,
    empty: '\n',
    'ca.pem': CA.certificate,
    'other.pem': other.certificate,
    'no.pem': '-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n',
    folder: {},
  });
  return (name) => join(directory, name);
}

function sidecar(t: Test, changes: Partial<AdminOptions> = {}): Promise<{ readonly url: string }> {
  return adminOn(t, undefined, { recent: () => [], clock: HASTY, ...changes });
}

function tls(certified: Certified): AdminOptions['tls'] {
  return { current: () => ({ cert: certified.certificate, key: certified.key }), onChange: () => undefined };
}

function environment(t: Test, name: string, value: string): void {
  const before = process.env[name];
  process.env[name] = value;
  t.teardown(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
}

t.test('a token is sent from a file, by every command that asks a sidecar', async (t) => {
  const file = folder(t);
  const listen = { host: '0.0.0.0', port: 0 };
  const { url } = await sidecar(t, { listen, tokenFile: file('token') });
  for (const command of ['status', 'upstreams', 'clients', 'reap']) {
    const asked = (...more: string[]) => invoke(command, '--admin', url, ...more);
    t.match(await asked('--admin-token-file', file('token')), { code: 0, err: '' }, command);
    t.strictSame(
      await asked(),
      {
        code: 1,
        out: '',
        err:
          'slackwater: the sidecar asks for its admin token: name the file with --admin-token-file FILE, ' +
          'or in SLACKWATER_ADMIN_TOKEN_FILE',
      },
      command,
    );
    const wrong = await asked('--admin-token-file', file('wrong'));
    t.match(wrong, {
      code: 1,
      out: '',
      err: /^slackwater: the sidecar does not take the token in \S+wrong: it must be/,
    });
    t.notMatch(wrong.err, 'not-the-token');
  }
});

t.test('the variable names the file too, and the option goes before it', async (t) => {
  const file = folder(t);
  const listen = { host: '0.0.0.0', port: 0 };
  const { url } = await sidecar(t, { listen, tokenFile: file('token') });
  environment(t, 'SLACKWATER_ADMIN_TOKEN_FILE', file('token'));
  t.equal((await invoke('status', '--admin', url)).code, 0);
  t.equal((await invoke('status', '--admin', url, '--admin-token-file', file('wrong'))).code, 1);
});

t.test('a sidecar with TLS is asked at https, and believed if its authority is known', async (t) => {
  const file = folder(t);
  const good = certify({ name: 'sidecar', by: CA, hosts: ['127.0.0.1'] });
  const { url } = await sidecar(t, { tls: tls(good) });
  const status = (...more: string[]) => invoke('status', '--admin', url, ...more);
  t.match(await status('--admin-ca-file', file('ca.pem')), { code: 0, err: '' });
  for (const more of [[], ['--admin-ca-file', file('other.pem')]]) {
    const { code, err } = await status(...more);
    t.equal(code, 1);
    t.match(
      err,
      /^slackwater: the certificate of https:\/\/\S+ is not trusted \([A-Z_]+\): name .*--admin-ca-file FILE$/,
    );
  }
});

t.test('a certificate that has expired, is not valid yet or is for another name is told as that', async (t) => {
  const file = folder(t);
  const hosts = ['127.0.0.1'];
  const cases: [Certified, RegExp][] = [
    [certify({ name: 'old', by: CA, hosts, from: -9, until: -1 }), /\(CERT_HAS_EXPIRED\): it has expired/],
    [certify({ name: 'early', by: CA, hosts, from: 9 }), /\(CERT_NOT_YET_VALID\): it is not valid yet/],
    [
      certify({ name: 'other', by: CA, hosts: ['sidecar.internal'] }),
      /\(ERR_TLS_CERT_ALTNAME_INVALID\): it is not for 127\.0\.0\.1/,
    ],
  ];
  for (const [certified, why] of cases) {
    const { url } = await sidecar(t, { tls: tls(certified) });
    const { code, err } = await invoke('status', '--admin', url, '--admin-ca-file', file('ca.pem'));
    t.equal(code, 1, certified.name);
    t.match(err, why, certified.name);
    t.equal(err.split('\n').length, 1, certified.name);
  }
});

t.test('http for https and https for http: the line says which to write', async (t) => {
  const { url: secure } = await sidecar(t, { tls: tls(certify({ name: 'sidecar', by: CA })) });
  const plain = await sidecar(t);
  t.match(await invoke('status', '--admin', secure.replace('https', 'http')), {
    code: 1,
    err: /^slackwater: http:\/\/\S+ ends plaintext connections \(\w+\): if it has admin\.tls, write https:\/\/$/,
  });
  t.match(await invoke('status', '--admin', plain.url.replace('http', 'https')), {
    code: 1,
    err: /^slackwater: https:\/\/\S+ does not speak TLS as we do \(\w+\): if it has no admin\.tls, write http:\/\/$/,
  });
});

t.test('a file that cannot be used is one line, without what is in it, and exit code 2', async (t) => {
  const file = folder(t);
  const cases: [option: string, name: string, why: RegExp][] = [
    ['--admin-token-file', 'none', /does not exist$/],
    ['--admin-token-file', 'folder', /is not a file$/],
    ['--admin-token-file', 'words', /must hold one token/],
    ['--admin-token-file', 'empty', /must hold one token/],
    ['--admin-ca-file', 'none', /does not exist$/],
    ['--admin-ca-file', 'token', /must hold certificates in PEM$/],
    ['--admin-ca-file', 'no.pem', /must hold certificates in PEM$/],
  ];
  for (const [option, name, why] of cases) {
    const { code, out, err } = await invoke('status', option, file(name));
    t.strictSame([code, out], [2, ''], `${option} ${name}`);
    t.ok(err.startsWith(`slackwater: ${option}: ${file(name)} `), err);
    t.match(err, why, `${option} ${name}`);
    t.notMatch(err, TOKEN, `${option} ${name}`);
  }
});

t.test('a name or a password in the address is refused, and not shown', async (t) => {
  for (const admin of ['http://me:hunter2-hunter2@127.0.0.1:9901', 'me:hunter2-hunter2@127.0.0.1:9901']) {
    const { code, err } = await invoke('status', '--admin', admin);
    t.equal(code, 2);
    t.match(err, /--admin must be an address such as/);
    t.notMatch(err, 'hunter2');
  }
});

t.test('whoever accepts and hangs up is told as no sidecar', async (t) => {
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  t.match(await invoke('status', '--admin', `127.0.0.1:${port}`), { code: 1, err: /ends plaintext connections/ });
  t.match(await invoke('status', '--admin', `https://127.0.0.1:${port}`), { code: 1, err: /no sidecar answers|TLS/ });
});
