import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { createServer as createSecureServer, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { type App, IdentityError, startApp } from '../src/app.ts';
import { parseConfig } from '../src/config/load.ts';
import { metadata } from '../src/demo/kafka/messages/metadata.ts';
import { authority, certify } from './support/certificates.ts';
import { startCluster } from './support/embedded-cluster.ts';
import { readExposition, sampleOf } from './support/exposition.ts';
import { MountedFolder, temporaryFolder } from './support/mounted-folder.ts';
import { RawClient } from './support/raw-client.ts';
import { until } from './support/until.ts';

const ca = authority();
const pairOf = (name: string) => {
  const { certificate, key } = certify({ name, by: ca, hosts: ['localhost', '127.0.0.1'] });
  return { 'tls.crt': certificate, 'tls.key': key };
};

type Keys = Readonly<Record<string, unknown>>;

function configOf(route: Keys, more: Keys = {}) {
  const keys = {
    routes: [{ name: 'orders', protocol: 'kafka', listen: '127.0.0.1:0', brokers: { portBase: 39_092 }, ...route }],
    admin: { listen: '127.0.0.1:0' },
    health: { listen: '127.0.0.1:0' },
    ...more,
  };
  return parseConfig(JSON.stringify(keys), 'slackwater.yaml');
}

async function started(t: Test, route: Keys, more?: Keys) {
  const lines: Record<string, unknown>[] = [];
  const app = await startApp(configOf(route, more), { writeLog: (line) => lines.push(JSON.parse(line)) });
  t.teardown(() => app.stop());
  const metrics = async () => readExposition(await (await fetch(`${app.healthUrl}/metrics`)).text());
  return { app, lines, metrics };
}

/** A broker that accepts connections over TLS, sees whose they are, and hangs up. */
async function secureBroker(t: Test) {
  const { 'tls.crt': cert, 'tls.key': key } = pairOf('broker');
  const seen: string[] = [];
  const server = createSecureServer({ cert, key, ca: ca.certificate, requestCert: true }, (socket: TLSSocket) => {
    socket.on('error', () => undefined);
    seen.push(socket.getPeerX509Certificate()?.subject ?? '');
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { seen, address: `localhost:${(server.address() as AddressInfo).port}` };
}

t.test('brokers are dialled with the certificate of the files, and with the one that follows', async (t) => {
  const broker = await secureBroker(t);
  const folder = new MountedFolder(t, { ...pairOf('client-1'), 'ca.crt': ca.certificate, password: 'one' });
  const tls = {
    caFile: folder.file('ca.crt'),
    certificateFile: folder.file('tls.crt'),
    keyFile: folder.file('tls.key'),
  };
  const sasl = { mechanism: 'SCRAM-SHA-256', username: 'app', passwordFile: folder.file('password') };
  const { metrics, lines } = await started(t, { upstream: { bootstrap: [broker.address], tls, sasl } });
  await until('it was dialled', () => broker.seen.length > 0);
  t.strictSame(broker.seen[0], 'CN=client-1');
  const families = await metrics();
  const name = 'slackwater_certificate_expiry_timestamp_seconds';
  for (const certificate of ['upstream_ca', 'upstream_client']) {
    t.ok(Number(sampleOf(families, name, { route: 'orders', certificate })) > Date.now() / 1000, certificate);
  }
  folder.swap({ ...pairOf('client-2'), 'ca.crt': ca.certificate, password: 'two' });
  await until('the newer certificate is shown', () => broker.seen.includes('CN=client-2'));
  await until('it is told', () => lines.some(({ event }) => event === 'identity.changed'));
  t.match(
    lines.find(({ event }) => event === 'identity.changed'),
    { change: 'read', route: 'orders' },
  );
  t.equal(sampleOf(await metrics(), 'slackwater_identity_changes_total', { route: 'orders', change: 'read' }), 1);
  t.notMatch(JSON.stringify(lines), /"(one|two)"/);
});

t.test('a file that is of no use ends the start with its key, before anything is bound', async (t) => {
  const file = join(temporaryFolder(t), 'ca.crt');
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const listen = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
  const upstream = { bootstrap: ['127.0.0.1:1'], tls: { caFile: file } };
  const error: unknown = await startApp(configOf({ listen, upstream })).catch((failure: unknown) => failure);
  t.ok(error instanceof IdentityError);
  t.match(error, { message: `routes[0].upstream.tls.caFile: ${file} does not exist` });
});

t.test('every start warns of brokers whose certificates are not verified', async (t) => {
  const tls = { rejectUnauthorized: false, insecureSkipVerify: true };
  const { lines } = await started(t, { upstream: { bootstrap: ['127.0.0.1:1'], tls } });
  t.match(
    lines.filter(({ level }) => level === 'warn'),
    [
      {
        msg: 'the configuration leaves a door open',
        detail: /^route orders: insecureSkipVerify is on: whoever answers/,
      },
    ],
  );
});

t.test('clients are received over TLS, and the admin listener speaks it with a token', async (t) => {
  const folder = new MountedFolder(t, { ...pairOf('server'), token: 'a-token-that-is-long-enough' });
  const tls = { certificateFile: folder.file('tls.crt'), keyFile: folder.file('tls.key') };
  const { app, metrics } = await started(
    t,
    { upstream: { bootstrap: ['127.0.0.1:1'] }, listenTls: tls },
    { admin: { listen: '127.0.0.1:0', tls, tokenFile: folder.file('token') } },
  );
  t.match(app.adminUrl, /^https:/);
  const status = await new Promise((resolve, reject) => {
    get(`${app.adminUrl}/v1/version`, { ca: ca.certificate }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });
  t.equal(status, 200);
  const families = await metrics();
  const name = 'slackwater_certificate_expiry_timestamp_seconds';
  t.ok(Number(sampleOf(families, name, { route: 'orders', certificate: 'listen_server' })) > 0);
  t.ok(Number(sampleOf(families, name, { route: '', certificate: 'admin_server' })) > 0);
});

t.test('the users of a credentials file may authenticate as long as they stand in it', async (t) => {
  const file = join(temporaryFolder(t), 'users.yaml');
  writeFileSync(file, 'users: {ann: {password: a}}\n');
  const { lines, metrics } = await started(t, {
    upstream: { bootstrap: ['127.0.0.1:1'] },
    listenSasl: { mechanisms: ['PLAIN'], credentialsFile: file },
  });
  writeFileSync(file, 'users: {ann: {password: a}, bob: {password: b}}\n');
  await until('bob is there', () => lines.some(({ identity }) => identity === 'bob'));
  writeFileSync(file, 'users: {bob: {pasword: b}}\n');
  await until('the fault is told', () => lines.some(({ change }) => change === 'unreadable'));
  t.match(
    lines.find(({ change }) => change === 'unreadable'),
    { detail: /users.yaml:1:\d+ users.bob.pasword: / },
  );
  t.equal(sampleOf(await metrics(), 'slackwater_identity_changes_total', { route: 'orders', change: 'unreadable' }), 1);
});

t.test('a route that passes SASL through keeps what its clients are told of the cluster', async (t) => {
  const cluster = await startCluster(t, { brokers: 2 });
  const stateFile = join(temporaryFolder(t), 'orders.json');
  const route = { upstream: { bootstrap: cluster.bootstrap, saslPassThrough: true }, stateFile };
  const config = configOf({ ...route, brokers: { ports: { 1: 1, 2: 2 } } });
  // Any free ports, which a file cannot say.
  for (const { brokers } of config.routes) if (brokers !== undefined) brokers.ports = { 1: 0, 2: 0 };
  const lines: Record<string, unknown>[] = [];
  const options = { writeLog: (line: string) => lines.push(JSON.parse(line)) };
  const bound = (app: App) => app.routes[0]?.view().brokers.filter(({ local }) => local !== null) ?? [];

  const first = await startApp(config, options);
  t.teardown(() => first.stop());
  t.strictSame(bound(first), [], 'nothing is known before a client has asked');
  const client = await RawClient.connect(t, Number(first.routes[0]?.view().listen.split(':').at(-1)));
  t.equal((await client.ask(metadata, 1, { topics: null })).brokers.length, 2);
  client.socket.destroy();
  await until('the client is gone', () => first.routes[0]?.clients().length === 0);
  await first.stop();
  t.strictSame(
    JSON.parse(readFileSync(stateFile, 'utf8')).nodes,
    cluster.brokers.map(({ node, host, port }) => ({ node: String(node), host, port })),
  );

  const second = await startApp(config, options);
  t.teardown(() => second.stop());
  await until('its brokers have their ports', () => bound(second).length === 2);
  t.strictSame(
    lines.filter(({ level }) => level === 'warn' || level === 'error'),
    [],
  );
});

t.test('a state file that makes no sense is told, and the route starts without it', async (t) => {
  const stateFile = join(temporaryFolder(t), 'orders.json');
  writeFileSync(stateFile, 'half a fi');
  const { lines } = await started(t, { upstream: { bootstrap: ['127.0.0.1:1'], saslPassThrough: true }, stateFile });
  t.match(
    lines.filter(({ level }) => level === 'warn'),
    [
      {
        route: 'orders',
        msg: 'the last map of a cluster is not kept',
        detail: /orders.json cannot be used: it is no JSON/,
      },
    ],
  );
});
