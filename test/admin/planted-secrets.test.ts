/** The token of the admin listener in every place where it, or a guess at it, can come by; and no output that shows it. */
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { AdminFileError } from '../../src/admin/admin-file-error.ts';
import type { AdminOptions } from '../../src/admin/admin-listener.ts';
import { ADMIN_ENDPOINTS, HEALTH_ENDPOINTS } from '../../src/admin/endpoints.ts';
import { FailedAttempts } from '../../src/admin/failed-attempts.ts';
import { TokenFile } from '../../src/admin/token-file.ts';
import { Log } from '../../src/telemetry/log.ts';
import { invoke } from '../cli/invoke.ts';
import { authority, certify } from '../support/certificates.ts';
import { FakeRoute } from '../support/fake-route.ts';
import { Outputs, Planted } from '../support/planted.ts';
import { adminOn, ask, healthOn } from './listeners.ts';

/** Failed attempts are answered at once. */
const HASTY = {
  after(_milliseconds: number, task: () => void) {
    setImmediate(task);
    return { cancel: () => undefined };
  },
};

async function say(url: string, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let got = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    got += text;
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined).write(bytes);
  await Promise.race([once(socket, 'data').catch(() => undefined), closed]);
  socket.end();
  await closed;
  return got;
}

for (const format of ['json', 'text'] as const) {
  for (const exposed of [true, false]) {
    const where = exposed ? 'beyond loopback' : 'on loopback';
    t.test(`${where} neither the token nor a guess at it stands in any output, with a ${format} log`, async (t) => {
      const planted = new Planted();
      const outputs = new Outputs();
      const log = new Log({ level: 'trace', format, write: (line) => outputs.add('log', line) });
      const [token, next, guess] = [planted.plant('token'), planted.plant('next token'), planted.plant('guess')];
      const tokenFile = join(t.testdir({}), 'token');
      writeFileSync(tokenFile, `${token}\n`);
      const failing = new FakeRoute('failing');
      failing.reap = () => Promise.reject(new Error('the core has failed'));
      const changes: Partial<AdminOptions> = {
        tokenFile,
        clock: HASTY,
        log: log.logger,
        recent: () => [],
        ...(exposed ? { listen: { host: '0.0.0.0', port: 0 } } : {}),
      };
      const { url } = await adminOn(t, [new FakeRoute(), failing], changes);
      const health = await healthOn(t, [new FakeRoute()], { log: log.logger });
      const visit = async (): Promise<void> => {
        for (const shown of [token, next, `${guess} ${token}`]) {
          for (const scheme of ['Bearer', 'Basic', '']) {
            const headers = { authorization: `${scheme} ${shown}`.trim() };
            for (const { method, path } of ADMIN_ENDPOINTS) {
              outputs.add('answers', await ask(url + path.replace(':id', 'u1'), { method, headers }));
            }
            for (const { path } of HEALTH_ENDPOINTS) outputs.add('answers', await ask(health.url + path, { headers }));
          }
          const header = `host: localhost\r\nauthorization: Bearer ${shown}\r\n`;
          const json = 'content-type: application/json\r\n';
          for (const request of [
            `GET /v1/routes HTTP/1.1\r\n${header}broken header\r\n\r\n`,
            `GET /v1/routes HTTP/1.1\r\n${header}x: ${'x'.repeat(9000)}\r\n\r\n`,
            `GET /${'x'.repeat(4000)} HTTP/1.1\r\n${header}\r\n`,
            `GET /%zz HTTP/1.1\r\n${header}\r\n`,
            `NONE /v1/routes HTTP/1.1\r\n${header}\r\n`,
            `POST /v1/reap HTTP/1.1\r\n${header}${json}content-length: 3\r\n\r\n{"d`,
            `POST /v1/reap HTTP/1.1\r\n${header}${json}content-length: 99999\r\n\r\n`,
            `PUT /v1/log-level HTTP/1.1\r\n${header}content-length: 2\r\n\r\n{}`,
            `POST /v1/reap HTTP/1.1\r\n${header}origin: http://evil.example\r\n\r\n`,
            `GET /v1/routes HTTP/1.1\r\nhost: evil.example\r\nauthorization: Bearer ${shown}\r\n\r\n`,
            `authorization: Bearer ${shown}\r\n\r\n`,
          ]) {
            outputs.add('answers', await say(url, request));
            outputs.add('answers', await say(health.url, request));
          }
        }
      };
      await visit();
      writeFileSync(tokenFile, next);
      await visit();
      writeFileSync(tokenFile, `${guess} ${token}`);
      await visit();
      rmSync(tokenFile);
      await visit();
      t.strictSame(outputs.showing(planted), []);
      t.match(outputs.all('answers'), /TOKEN_WRONG/);
      t.match(outputs.all('answers'), /TOKEN_MISSING/);
      t.match(outputs.all('answers'), /INTERNAL/);
      for (const line of [
        'the core has failed',
        'without the right token',
        'was read anew',
        'could not be read anew',
      ]) {
        t.match(outputs.all('log'), line);
      }
    });
  }
}

t.test('no command shows the token, whatever goes wrong', async (t) => {
  const planted = new Planted();
  const outputs = new Outputs();
  const [token, guess] = [planted.plant('token'), planted.plant('guess')];
  const folder = t.testdir({ token, guess, both: `${token} ${guess}`, lines: `${token}\n${guess}` });
  const file = (name: string) => join(folder, name);
  const listen = { host: '0.0.0.0', port: 0 };
  const open = { listen, tokenFile: file('token'), clock: HASTY, recent: () => [] };
  const { url } = await adminOn(t, undefined, open);
  const { certificate: cert, key } = certify({ name: 'sidecar', by: authority() });
  const tls = { current: () => ({ cert, key }), onChange: () => undefined };
  const { url: secure } = await adminOn(t, undefined, { ...open, tls });
  const urls = [url, secure, url.replace('http', 'https'), secure.replace('https', 'http'), 'http://127.0.0.1:1'];
  for (const command of ['status', 'upstreams', 'clients', 'reap']) {
    for (const admin of urls) {
      for (const name of ['token', 'guess', 'both', 'lines']) {
        const args = ['--admin', admin, '--admin-token-file', file(name)];
        outputs.add('commands', await invoke(command, ...args));
        outputs.add('commands', await invoke(command, ...args, '--json'));
        outputs.add('commands', await invoke(command, ...args, '--admin-ca-file', file(name)));
      }
    }
  }
  t.strictSame(outputs.showing(planted), []);
  for (const said of [/"state": "ready"/, /does not take the token/, /one token of ASCII/, /is not trusted/]) {
    t.match(outputs.all('commands').replaceAll('\\"', '"'), said);
  }
});

t.test('neither what holds the token nor what is wrong with it shows it when it is looked into', async (t: Test) => {
  const planted = new Planted();
  const outputs = new Outputs();
  const token = planted.plant('token');
  const folder = t.testdir({ token, wrong: `${token} ${token}`, long: token.repeat(200) });
  const { log } = { log: { info: () => undefined, warn: () => undefined, error: () => undefined } };
  const opened = await TokenFile.open(join(folder, 'token'), log);
  t.ok(await opened.accepts(token));
  outputs.add('objects', opened);
  outputs.add('objects', JSON.stringify(opened));
  outputs.add('objects', new FailedAttempts(HASTY, log));
  for (const name of ['wrong', 'long']) {
    const error: unknown = await TokenFile.open(join(folder, name), log).catch((thrown: unknown) => thrown);
    t.type(error, AdminFileError);
    outputs.add('objects', error);
    outputs.add('objects', error instanceof Error ? `${error.stack}` : '');
  }
  t.strictSame(outputs.showing(planted), []);
});
