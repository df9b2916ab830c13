import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { createServer as createSecureServer, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { IdentityError, startApp } from '../src/app.ts';
import { parseConfig } from '../src/config/load.ts';
import { authority, certify } from './support/certificates.ts';
import { readExposition, sampleOf } from './support/exposition.ts';
import { MountedFolder, temporaryFolder } from './support/mounted-folder.ts';
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

t.test('a route that passes SASL through has the ports of its brokers again after a restart', async (t) => {
  const stateFile = join(temporaryFolder(t), 'orders.json');
  const spare = createServer().listen(0, '127.0.0.1');
  await once(spare, 'listening');
  const { port } = spare.address() as AddressInfo;
  spare.close();
  await once(spare, 'close');
  writeFileSync(stateFile, JSON.stringify({ clusterId: 'c', nodes: [{ node: '7', host: 'broker', port: 9092 }] }));
  const route = {
    upstream: { bootstrap: ['127.0.0.1:1'], saslPassThrough: true },
    brokers: { ports: { 7: port } },
    stateFile,
  };
  const { lines } = await started(t, route);
  t.strictSame(
    lines.filter(({ level }) => level === 'warn' || level === 'error'),
    [],
  );
  const client = connect(port, '127.0.0.1');
  t.teardown(() => client.destroy());
  await once(client, 'connect');
  t.ok(existsSync(stateFile));
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
