/**
 * The whole sidecar with a secret in every place that has one, before brokers, a token endpoint and clients that do their
 * worst; and no output that shows any of them.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import t from 'tap';
import { ADMIN_ENDPOINTS, HEALTH_ENDPOINTS } from '../../src/admin/endpoints.ts';
import { startApp } from '../../src/app.ts';
import { effectiveRoutes } from '../../src/config/effective.ts';
import { loadConfig } from '../../src/config/load.ts';
import { publicConfig } from '../../src/config/public.ts';
import { textLine } from '../../src/telemetry/text-line.ts';
import { ask } from '../admin/listeners.ts';
import { invoke } from '../cli/invoke.ts';
import { request } from '../protocols/kafka/requests.ts';
import { authenticateRequest, handshakeRequest } from '../protocols/kafka/sasl/sasl-application.ts';
import { i32 } from '../protocols/kafka/wire.ts';
import { Outputs } from '../support/planted.ts';
import { until } from '../support/until.ts';
import { CA, Places, routesOf, SERVER } from './places.ts';

t.setTimeout(120_000);

/** What a client says, one after the other; it waits for an answer, or the end, between. */
async function speak(address: string, says: readonly Buffer[], secure = false): Promise<void> {
  const [host = '', port = ''] = address.split(':');
  const socket = secure
    ? connectTls({ host, port: Number(port), ca: CA.certificate })
    : connect({ host, port: Number(port) });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined).resume();
  for (const bytes of says) {
    if (socket.destroyed) break;
    socket.write(bytes);
    await Promise.race([once(socket, 'data').catch(() => undefined), closed, pause()]);
  }
  socket.destroy();
  await closed;
}

/** A silent broker must not hold up the test. */
function pause(): Promise<unknown> {
  return new Promise((resolve) => setTimeout(resolve, 300).unref());
}

/** Everything that somebody who authenticates could get right or wrong, with a secret in it. */
function utterances(shown: string, user: string): Buffer[][] {
  const token = (version: number, text: string) => authenticateRequest(version, 2, Buffer.from(text));
  const plain = `\0${user}\0${shown}`;
  const scram = `n,,n=${user},r=${shown.replaceAll(/[,=]/g, '')}`;
  const final = `c=biws,r=${shown},p=${shown}`;
  const asks = [request(18, 0, 3), request(3, 1, 4, { body: i32(-1) })];
  const bare = Buffer.concat([Buffer.from([0, 0, 0, Buffer.byteLength(plain)]), Buffer.from(plain)]);
  return [
    [handshakeRequest(1, 1, shown)],
    [handshakeRequest(0, 1, 'PLAIN'), bare, ...asks],
    [handshakeRequest(0, 1, 'PLAIN'), token(0, plain)],
    [handshakeRequest(1, 1, 'PLAIN'), bare],
    ...[0, 1, 2].map((version) => [handshakeRequest(1, 1, 'PLAIN'), token(version, plain), ...asks]),
    [handshakeRequest(1, 1, 'PLAIN'), token(2, `${plain}\0${plain}`), token(2, plain)],
    [handshakeRequest(1, 1, 'PLAIN'), token(2, shown)],
    [handshakeRequest(1, 1, 'PLAIN'), token(2, plain), handshakeRequest(1, 3, 'PLAIN'), token(2, `${plain}!`)],
    ...['SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER', 'GSSAPI'].flatMap((mechanism) => [
      [handshakeRequest(1, 1, mechanism), token(2, scram), token(2, final)],
      [handshakeRequest(1, 1, mechanism), token(2, plain), token(2, final)],
    ]),
    [Buffer.from(plain)],
    [Buffer.from(`\x00\x00\x7f\xff${shown}`)],
    [token(2, plain)],
    [Buffer.concat([handshakeRequest(1, 1, 'PLAIN'), token(2, plain), ...asks])],
  ];
}

t.test('whatever fails, nothing that is logged, shown, measured or answered holds a secret', async (t) => {
  const places = new Places(t);
  const { planted } = places;
  const outputs = new Outputs();
  const { routes, passing, scram } = await routesOf(t, places);
  const file = places.config(routes, { log: { level: 'trace' } });
  const config = await loadConfig(file);
  const writeLog = (line: string): void => {
    outputs.add('log', line);
    outputs.add('log as text', textLine(line));
  };
  const app = await startApp(config, { writeLog });
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= app.stop();
    return stopped;
  };
  t.teardown(stop);
  const listening = (name: string) => app.routes.find((route) => route.name === name)?.view().listen ?? '';

  const look = async (): Promise<void> => {
    for (const { method, path } of ADMIN_ENDPOINTS) {
      const at = `${app.adminUrl}${path.replace(':id', 'u1')}`;
      for (const shown of [places.adminToken, places.guess]) {
        const headers = { authorization: `Bearer ${shown}` };
        if (method !== 'PUT') outputs.add(`${method} ${path}`, await ask(at, { method, headers }));
      }
    }
    for (const { path } of HEALTH_ENDPOINTS) outputs.add(path, await ask(`${app.healthUrl}${path}`));
    for (const command of ['status', 'upstreams', 'clients', 'reap']) {
      for (const more of [[], ['--json']]) {
        const args = ['--admin', `${app.adminUrl}`, '--admin-token-file', places.in('admin-token'), ...more];
        outputs.add(command, await invoke(command, ...args));
      }
    }
    for (const [name, object] of Object.entries({ app, config, effective: effectiveRoutes(config) })) {
      outputs.add(`inspect(${name})`, object);
      outputs.add(`JSON of ${name}`, JSON.stringify(object));
    }
    outputs.add('publicConfig', publicConfig(config));
    for (const route of app.routes) outputs.add('route', [route, route.view(), route.upstreams(), route.clients()]);
  };

  const failing = routes.filter(({ name }) => !['scram', 'tls', 'users', 'users-over-tls', 'through'].includes(name));
  const told = (event: string, name: string) =>
    outputs
      .all('log')
      .split('\n')
      .some((line) => line.includes(event) && new RegExp(`route"?[:=]"?${name}"?[ ,}]`).test(line));
  await until('every dial has failed that can', () =>
    failing.every(({ name }) => name.startsWith('through') || told('upstream.dial_failed', name)),
  );
  await look();

  for (const more of [[], ['--json']]) {
    outputs.add('check --connect', await invoke('check', '-c', file, '--connect', ...more));
  }
  const open = ['users', 'users-over-tls', 'through'];
  await until('applications can connect', () => open.every((name) => !listening(name).endsWith(':0')));
  const talks = (name: string, secure = false) =>
    [
      ...utterances(places.guess, 'alice'),
      ...utterances(places.passed, 'nobody'),
      ...utterances(places.alice, 'alice'),
    ].map((says) => () => speak(listening(name), says, secure));
  const all = [...talks('users'), ...talks('users-over-tls', true), ...talks('through'), ...talks('through-echo')];
  all.push(...talks('users-over-tls'), ...talks('users', true).slice(0, 2), ...talks('nobody').slice(0, 4));
  for (let from = 0; from < all.length; from += 100)
    await Promise.all(all.slice(from, from + 100).map((talk) => talk()));
  const passed = passing.flatMap((shown) => planted.in(shown.toString()));
  t.ok(passed.includes('password that passes through'), 'it did pass through');
  const proofs = scram.flatMap((shown) => /,p=(.{24,})$/.exec(shown.toString())?.[1] ?? []);
  t.ok(proofs.length > 0, 'a proof of the password was shown');
  for (const [index, proof] of proofs.entries()) planted.add(`proof ${index} of the password`, proof);
  await look();

  // Each file becomes wrong in a way that shows it, if anything does.
  places.write(
    'users.yaml',
    `users:\n  alice:\n    password: [${JSON.stringify(places.alice)}]\n    ${places.token}: x y: z\n`,
  );
  places.write('password', `${places.filePassword}\n${places.filePassword}\u0000`);
  places.write('token', `${places.fileToken} ${places.fileToken}`);
  places.write('client.key', `${SERVER.key}${SERVER.key.slice(0, 200)}`);
  places.write('server.key', SERVER.key.replace('-----END', '---END'));
  places.write('store-password', places.guess);
  places.write('key-password', places.guess);
  places.write('admin-token', `${places.adminToken} ${places.adminToken}`);
  await until('wrong files were told of', () => told('unreadable', 'users') && told('unreadable', 'tls'), 15_000);
  await look();
  await stop();

  t.strictSame([...new Set(outputs.showing(planted))], []);
  t.match(outputs.all('log'), '[secret]', 'a broker did repeat a password');
  for (const said of ['client.disconnected', 'authentication_failed', 'tls_untrusted', 'identity.changed', 'stopped']) {
    t.match(outputs.all('log'), said, 'the log is there');
  }
});
