import { once } from 'node:events';
import { request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { connect, type SecureContextOptions, type SecureVersion } from 'node:tls';
import t, { type Test } from 'tap';
import { AdminFileError } from '../../src/admin/admin-file-error.ts';
import type { AdminOptions } from '../../src/admin/admin-listener.ts';
import { authority, type Certified, certify } from '../support/certificates.ts';
import { adminOn } from './listeners.ts';

const CA = authority();

/** What somebody else would read from files. */
class FakeTls {
  #options: SecureContextOptions;
  readonly #listeners: (() => void)[] = [];

  constructor(certified: Certified) {
    this.#options = { cert: certified.certificate, key: certified.key };
  }

  current(): SecureContextOptions {
    return this.#options;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  show(options: SecureContextOptions): void {
    this.#options = options;
    for (const listener of this.#listeners) listener();
  }
}

const server = (name: string) => certify({ name, by: CA, hosts: ['localhost', '127.0.0.1', '::1'] });

async function secured(t: Test, changes: Partial<AdminOptions> = {}) {
  const tls = new FakeTls(server('first'));
  return { tls, ...(await adminOn(t, undefined, { tls, ...changes })) };
}

interface Told {
  readonly status: number;
  readonly text: string;
}

function get(url: string, method = 'GET', headers: Record<string, string> = {}): Promise<Told> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { ca: CA.certificate, agent: false, method, headers }, async (response) => {
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      resolve({ status: response.statusCode ?? 0, text });
    });
    asked.on('error', reject).end();
  });
}

/** The common name that is shown, or the code of what went wrong. */
async function shown(url: string, versions: { minVersion?: SecureVersion; maxVersion?: SecureVersion } = {}) {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/[[\]]/g, '');
  const socket = connect({ host, port: Number(port), ca: CA.certificate, servername: 'localhost', ...versions });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerCertificate().subject.CN;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  } finally {
    socket.destroy();
  }
}

t.test('with a certificate the listener speaks TLS, and its address says so', async (t) => {
  const { url } = await secured(t);
  t.match(url, /^https:\/\/127\.0\.0\.1:\d+$/);
  t.equal((await get(`${url}/v1/version`)).status, 200);
  t.equal((await get(`${url}/v1/reap`, 'POST', { origin: url })).status, 200, 'a page of its own may');
  const plain = url.replace('https', 'http');
  t.equal((await get(`${url}/v1/reap`, 'POST', { origin: plain })).status, 403, 'the scheme is a part of the origin');
});

t.test('nothing below TLS 1.2 is spoken', async (t) => {
  const { url } = await secured(t);
  t.equal(await shown(url, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }), 'first');
  t.equal(await shown(url, { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' }), 'first');
  t.match(await shown(url, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }), /ERR_SSL|ECONNRESET|EPROTO/);
});

t.test('a new certificate is shown from the next handshake on, and open connections stay', async (t) => {
  const { tls, url, lines } = await secured(t);
  const { hostname: host, port } = new URL(url);
  const open = connect({ host, port: Number(port), ca: CA.certificate, servername: 'localhost' });
  t.teardown(() => open.destroy());
  await once(open, 'secureConnect');
  const next = server('second');
  tls.show({ cert: next.certificate, key: next.key });
  t.equal(await shown(url), 'second');
  t.equal(await shown(url, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }), 'second');
  t.match(await shown(url, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }), /ERR_SSL|ECONNRESET|EPROTO/);
  t.strictSame(lines, [], 'whoever has read it tells of it');
  open.write('GET /v1/version HTTP/1.1\r\nhost: localhost\r\n\r\n');
  const [answer] = await once(open, 'data');
  t.match(String(answer), /^HTTP\/1\.1 200/);
});

t.test('a new certificate that cannot be used changes nothing but one line', async (t) => {
  const { tls, url, lines } = await secured(t);
  const other = server('other');
  for (const wrong of [
    { cert: 'no certificate', key: other.key },
    { cert: other.certificate, key: CA.key },
  ]) {
    tls.show(wrong);
    t.equal(await shown(url), 'first');
    t.match(lines.at(-1), { message: /cannot be used, the last one is shown/, fields: { detail: /\w/ } });
  }
  t.equal(lines.length, 2);
});

t.test('localhost is served on both loopback addresses, with the same bounds and the same certificate', async (t) => {
  const { tls, url } = await secured(t, { listen: { host: 'localhost', port: 0 } });
  const addresses = [url, url.replace('127.0.0.1', '[::1]')];
  for (const address of addresses) t.equal((await get(`${address}/v1/version`)).status, 200, address);
  const next = server('second');
  tls.show({ cert: next.certificate, key: next.key });
  for (const address of addresses) t.equal(await shown(address), 'second', address);
});

t.test('a certificate that cannot be used at start is one clear error', async (t) => {
  const tls = new FakeTls({ ...server('first'), key: CA.key });
  const error = await adminOn(t, undefined, { tls }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  t.type(error, AdminFileError);
  t.match(error, { key: 'admin.tls', message: /^admin\.tls: / });
});

t.test('who speaks plaintext to it gets nothing, and it goes on', async (t) => {
  const { url, lines } = await secured(t);
  const socket = connectPlain(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined).write('GET /v1/routes HTTP/1.1\r\nhost: localhost\r\n\r\n');
  let got = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    got += text;
  });
  await once(socket, 'close');
  t.notMatch(got, /routes|HTTP/);
  t.equal((await get(`${url}/v1/version`)).status, 200);
  t.strictSame(lines, []);
});
