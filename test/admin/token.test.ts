import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { AdminFileError } from '../../src/admin/admin-file-error.ts';
import type { AdminOptions } from '../../src/admin/admin-listener.ts';
import { ADMIN_ENDPOINTS } from '../../src/admin/endpoints.ts';
import { FakeRoute } from '../support/fake-route.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { until } from '../support/until.ts';
import { adminOn, ask } from './listeners.ts';

const TOKEN = 'correct-horse-battery';
const EVERYWHERE = { host: '0.0.0.0', port: 0 };
/** Failed attempts are answered at once. */
const HASTY = {
  after(_milliseconds: number, task: () => void) {
    setImmediate(task);
    return { cancel: () => undefined };
  },
};

function tokenFile(t: Test, text = `${TOKEN}\n`): string {
  return join(t.testdir({ token: text }), 'token');
}

async function guarded(t: Test, changes: Partial<AdminOptions> = {}, routes?: FakeRoute[]) {
  return adminOn(t, routes, { tokenFile: changes.tokenFile ?? tokenFile(t), clock: HASTY, ...changes });
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const refused = (code: string) => ({ status: 401, headers: { 'www-authenticate': 'Bearer' }, body: { code } });

t.test('on loopback with a token: whatever changes something needs it, reads do not', async (t) => {
  const routes = [new FakeRoute()];
  const { url, level } = await guarded(t, {}, routes);
  for (const { method, path } of ADMIN_ENDPOINTS) {
    const at = `${url}${path.replace(':id', 'u1')}`;
    const bare = await ask(at, { method });
    if (method === 'GET') {
      t.equal(bare.status, 200, path);
      t.equal((await ask(at, { method: 'HEAD' })).status, 200, path);
      continue;
    }
    t.match(bare, refused('TOKEN_MISSING'), `${method} ${path}`);
    t.match(await ask(at, { method, headers: bearer('x'.repeat(20)) }), refused('TOKEN_WRONG'), `${method} ${path}`);
    t.not((await ask(at, { method, headers: bearer(TOKEN) })).status, 401, `${method} ${path}`);
  }
  t.strictSame(
    routes[0]?.calls,
    [['reap', { olderThanSeconds: 0, dryRun: false }]],
    'nothing that was refused was done',
  );
  t.equal(level.level, 'info');
});

t.test('beyond loopback every request needs it, whatever it asks for', async (t) => {
  const { url } = await guarded(t, { listen: EVERYWHERE });
  const paths = [...ADMIN_ENDPOINTS.map(({ path }) => path.replace(':id', 'u1')), '/', '/nothing', '/v1/routes?x=1'];
  for (const path of paths) {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'PATCH', 'TRACE']) {
      const { status, headers } = await ask(url + path, { method });
      t.strictSame([status, headers['www-authenticate']], [401, 'Bearer'], `${method} ${path}`);
    }
  }
  t.equal((await ask(`${url}/v1/routes`, { headers: bearer(TOKEN) })).status, 200);
});

t.test('beyond loopback any Host will do, and changes by pages of other sites are refused all the same', async (t) => {
  const { url } = await guarded(t, { listen: EVERYWHERE });
  const host = { ...bearer(TOKEN), host: 'sidecar.internal:9901' };
  t.equal((await ask(`${url}/v1/routes`, { headers: host })).status, 200);
  const post = (headers: Record<string, string>) => ask(`${url}/v1/reap`, { method: 'POST', headers });
  t.equal((await post({ ...host, origin: 'http://sidecar.internal:9901' })).status, 200);
  for (const more of [{ origin: 'http://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }]) {
    t.match(await post({ ...host, ...more }), { status: 403, body: { code: 'ORIGIN_REFUSED' } });
  }
});

t.test('beyond loopback without a token it does not start', async (t) => {
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'sidecar.internal']) {
    await t.rejects(adminOn(t, undefined, { listen: { host, port: 0 } }), {
      code: 'ADMIN_FILE_INVALID',
      message: `admin.tokenFile: is needed, for ${host} is not loopback`,
    });
  }
});

t.test('a token is taken as RFC 6750 has it, and nothing that is only like it', async (t) => {
  const { url } = await guarded(t, { listen: EVERYWHERE });
  const status = async (authorization: string) =>
    (await ask(`${url}/v1/version`, { headers: { authorization } })).status;
  for (const right of [`Bearer ${TOKEN}`, `bearer ${TOKEN}`, `BEARER   ${TOKEN}  `])
    t.equal(await status(right), 200, right);
  const basic = Buffer.from(`admin:${TOKEN}`).toString('base64');
  for (const wrong of [
    TOKEN,
    `Basic ${basic}`,
    `Bearer${TOKEN}`,
    'Bearer',
    'Bearer ',
    `Bearer ${TOKEN} ${TOKEN}`,
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer ${TOKEN.toUpperCase()}`,
    `Bearer "${TOKEN}"`,
    `Token ${TOKEN}`,
  ]) {
    t.equal(await status(wrong), 401, wrong);
  }
  t.equal((await ask(`${url}/v1/version?access_token=${TOKEN}`)).status, 401, 'nor in the URL, where it would be kept');
});

t.test('a missing token and a wrong one get the same answer after the same time, but for the code', async (t) => {
  const clock = new ManualClock();
  const { url } = await guarded(t, { clock });
  const answers: number[] = [];
  const post = async (headers: Record<string, string>) => {
    const answer = await ask(`${url}/v1/reap`, { method: 'POST', headers });
    answers.push(answer.status);
    return answer;
  };
  // One timer each, and one for the minute in which no further line is written.
  const missing = post({});
  await until('it waits to be refused', () => clock.timers === 2);
  const wrong = post(bearer('x'.repeat(20)));
  await until('it waits to be refused', () => clock.timers === 3);
  clock.advance(99);
  const right = await post(bearer(TOKEN));
  t.strictSame(answers, [200], 'who has the token does not wait');
  t.equal(right.status, 200);
  clock.advance(1);
  const [one, other] = [await missing, await wrong];
  t.match(one.body, { code: 'TOKEN_MISSING', message: String, remedy: /--admin-token-file/ });
  t.strictSame({ ...one.body, code: '' }, { ...other.body, code: '' });
  t.equal(other.body.code, 'TOKEN_WRONG');
});

t.test('only so many wait for their refusal; more are refused at once, and who has the token is served', async (t) => {
  const clock = new ManualClock();
  const { url } = await guarded(t, { clock });
  const post = (headers: Record<string, string> = {}) => ask(`${url}/v1/reap`, { method: 'POST', headers });
  const waiting = Array.from({ length: 16 }, () => post());
  await until('it waits to be refused', () => clock.timers === 17);
  const more = await post();
  t.match(more, { status: 429, headers: { 'retry-after': '1' }, body: { code: 'TOO_MANY_ATTEMPTS' } });
  t.equal((await post(bearer(TOKEN))).status, 200);
  clock.advance(100);
  for (const each of waiting) t.equal((await each).status, 401);
  const after = post();
  await until('it waits to be refused', () => clock.timers === 2);
  clock.advance(100);
  t.equal((await after).status, 401, 'those that were answered make room');
});

t.test('failed attempts write at most two lines a minute, without what was shown', async (t) => {
  const clock = new ManualClock();
  const { url, lines } = await guarded(t, { clock });
  const fail = async () => {
    const before = clock.timers;
    const answer = ask(`${url}/v1/reap`, { method: 'POST', headers: bearer('guess-guess-guess') });
    await until('it waits to be refused', () => clock.timers > before);
    clock.advance(100);
    await answer;
  };
  for (let i = 0; i < 5; i++) await fail();
  t.equal(lines.length, 1);
  t.match(lines[0], { fields: { code: 'TOKEN_WRONG', remote: '127.0.0.1' }, message: /without the right token/ });
  clock.advance(60_000);
  t.strictSame(lines[1]?.fields, { count: 4 });
  clock.advance(600_000);
  t.equal(lines.length, 2);
  await fail();
  t.equal(lines.length, 3);
  t.notMatch(JSON.stringify(lines), /guess/);
});

t.test('a new token holds from the next request on, and the old one no longer does', async (t) => {
  const file = tokenFile(t);
  const { url, lines } = await guarded(t, { tokenFile: file });
  const status = async (token: string) =>
    (await ask(`${url}/v1/reap`, { method: 'POST', headers: bearer(token) })).status;
  t.equal(await status(TOKEN), 200);
  writeFileSync(file, 'another-token-altogether\n');
  t.equal(await status('another-token-altogether'), 200);
  t.equal(await status(TOKEN), 401);
  t.match(lines.at(-2), { message: 'an operator asked for a reap' });
  t.ok(lines.some(({ message }) => message === 'the admin token was read anew'));
});

t.test('of requests that come together behind a change none is judged by the old token', async (t) => {
  const file = tokenFile(t);
  const { url } = await guarded(t, { tokenFile: file });
  const statuses = (token: string) =>
    Promise.all(
      Array.from(
        { length: 8 },
        async () => (await ask(`${url}/v1/reap`, { method: 'POST', headers: bearer(token) })).status,
      ),
    );
  for (const token of ['another-token-altogether', 'one-more-token-for-it']) {
    writeFileSync(file, token);
    t.strictSame(await statuses(token), Array(8).fill(200));
    t.strictSame(new Set(await statuses(TOKEN)), new Set([401]));
  }
});

t.test('a mount of Kubernetes is followed: the directory behind a symbolic link is swapped', async (t) => {
  const mount = t.testdir({});
  const version = (name: string, token: string) => {
    mkdirSync(join(mount, name));
    writeFileSync(join(mount, name, 'token'), token);
    symlinkSync(name, join(mount, '..data_tmp'));
    renameSync(join(mount, '..data_tmp'), join(mount, '..data'));
  };
  version('..one', TOKEN);
  symlinkSync('..data/token', join(mount, 'token'));
  const { url } = await guarded(t, { tokenFile: join(mount, 'token') });
  const status = async (token: string) =>
    (await ask(`${url}/v1/reap`, { method: 'POST', headers: bearer(token) })).status;
  t.equal(await status(TOKEN), 200);
  version('..two', 'sixteen-or-more-2');
  t.strictSame([await status('sixteen-or-more-2'), await status(TOKEN)], [200, 401]);
});

t.test('a file that has become wrong or is gone changes nothing but one line: the last token holds', async (t) => {
  const file = tokenFile(t);
  const { url, lines } = await guarded(t, { tokenFile: file });
  const status = async () => (await ask(`${url}/v1/reap`, { method: 'POST', headers: bearer(TOKEN) })).status;
  const told = () => lines.filter(({ message }) => message.includes('could not be read anew'));
  writeFileSync(file, 'short');
  t.strictSame([await status(), await status()], [200, 200]);
  t.equal(told().length, 1);
  t.match(told()[0]?.fields, { detail: /^admin\.tokenFile: .*token must hold a token of at least 16 characters$/ });
  rmSync(file);
  t.strictSame([await status(), await status()], [200, 200]);
  t.equal(told().length, 2);
  t.match(told()[1]?.fields, { detail: /does not exist$/ });
});

t.test('a token file that cannot be used at start is one clear error, without what is in it', async (t) => {
  const directory = t.testdir({ unreadable: TOKEN, folder: {} });
  chmodSync(join(directory, 'unreadable'), 0o000);
  const cases: [string, RegExp][] = [
    ['', /must hold a token of at least 16 characters$/],
    ['fifteen-letters\n', /must hold a token of at least 16 characters$/],
    ['not one but many words', /must hold one token of ASCII characters without spaces$/],
    ['first-token-of-two\nsecond-token-of-two', /must hold one token of ASCII characters without spaces$/],
    ['schlüssel-schlüssel', /must hold one token of ASCII characters without spaces$/],
    ['x'.repeat(4097), /is longer than 4096 bytes: it must hold the token alone$/],
  ];
  const fails = async (file: string, why: RegExp) => {
    const error = await adminOn(t, undefined, { tokenFile: file }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof AdminFileError)) return t.fail(`${file} was taken`);
    t.equal(error.key, 'admin.tokenFile');
    t.ok(error.message.startsWith(`admin.tokenFile: ${file} `), error.message);
    t.match(error.message, why);
  };
  for (const [text, why] of cases) {
    writeFileSync(join(directory, 'token'), text);
    await fails(join(directory, 'token'), why);
  }
  await fails(join(directory, 'none'), /does not exist$/);
  await fails(join(directory, 'folder'), /is not a file$/);
  await fails('/dev/zero', /is not a file$/);
  if (process.getuid?.() !== 0) await fails(join(directory, 'unreadable'), /cannot be read \(EACCES\)$/);
});

t.test('on loopback without a token all is as ever', async (t) => {
  const { url } = await adminOn(t);
  t.equal((await ask(`${url}/v1/reap`, { method: 'POST' })).status, 200);
  t.equal((await ask(`${url}/v1/reap`, { method: 'POST', headers: bearer('x') })).status, 200);
});
