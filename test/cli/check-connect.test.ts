import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startApp } from '../../src/app.ts';
import { parseConfig } from '../../src/config/load.ts';
import { freePorts } from '../../src/demo/free-ports.ts';
import { authority, certify } from '../support/certificates.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import { temporaryFolder } from '../support/mounted-folder.ts';
import { invoke } from './invoke.ts';

const CA = authority();
const SERVER = certify({ name: 'broker', by: CA, hosts: ['127.0.0.1'] });
const STRANGER = authority('a stranger');

type Keys = Readonly<Record<string, unknown>>;

/** A folder of its own with these files, and the path of each. */
function folderOf(t: Test, files: Readonly<Record<string, string>>) {
  const folder = temporaryFolder(t);
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  return { write, path: (name: string) => join(folder, name) };
}

const FILES = {
  'ca.pem': CA.certificate,
  'stranger.pem': STRANGER.certificate,
  'tls.crt': SERVER.certificate,
  'tls.key': SERVER.key,
  'right.txt': 'planted-right',
  'wrong.txt': 'planted-wrong',
  'users.yaml': JSON.stringify({
    users: { app: { password: 'planted-right' }, alice: { password: 'planted-right' } },
  }),
};

/** A broker that speaks TLS and wants a password: a sidecar of ours before an embedded cluster. */
async function securedBroker(t: Test) {
  const cluster = await startCluster(t, { brokers: 1, clusterId: 'secured' });
  const folder = folderOf(t, FILES);
  const { base } = await freePorts(2, 0);
  const route = {
    name: 'front',
    protocol: 'kafka',
    listen: '127.0.0.1:0',
    upstream: { bootstrap: cluster.bootstrap },
    brokers: { portBase: base },
    listenTls: { certificateFile: folder.path('tls.crt'), keyFile: folder.path('tls.key') },
    listenSasl: { credentialsFile: folder.path('users.yaml') },
  };
  const loopback = { listen: '127.0.0.1:0' };
  const keys = { routes: [route], admin: loopback, health: loopback };
  const app = await startApp(parseConfig(JSON.stringify(keys), folder.path('front.yaml')), {
    writeLog: () => undefined,
  });
  t.teardown(() => app.stop());
  return { folder, app, address: app.routes[0]?.view().listen ?? '' };
}

/** What `check --connect` says about a configuration with these routes. */
async function check(folder: ReturnType<typeof folderOf>, routes: readonly Keys[], ...options: string[]) {
  const written = routes.map((route, index) => ({
    name: `r${index}`,
    protocol: 'kafka',
    listen: `127.0.0.1:${1000 + index}`,
    ...(route.protocol === 'tcp' ? {} : { brokers: { portBase: 40_000 + 100 * index } }),
    ...route,
  }));
  const file = folder.write('checked.yaml', JSON.stringify({ routes: written }));
  return await invoke('check', '-c', file, '--connect', ...options);
}

const password = (name: string, mechanism = 'SCRAM-SHA-512') => ({
  mechanism,
  username: 'app',
  passwordFile: name,
});

t.test('a broker behind TLS and SASL is dialled, believed, convinced and described', async (t) => {
  const { address, folder, app } = await securedBroker(t);
  for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']) {
    const upstream = { bootstrap: [address], tls: { caFile: 'ca.pem' }, sasl: password('right.txt', mechanism) };
    const { code, out } = await check(folder, [{ upstream }]);
    t.equal(code, 0, mechanism);
    t.match(out, `connections of route r0\n  ${address}  ok after `);
    t.match(
      out,
      /tls {6}TLSv1\.3, certificate of CN=broker for IP Address:127\.0\.0\.1, until \d{4}-\d\d-\d\d \(expires/,
    );
    t.match(out, `sasl     authenticated as app (${mechanism})`);
    t.match(out, /cluster {2}secured, 1 broker: 1 at 127\.0\.0\.1:\d+/);
    t.match(out, /serves {3}Produce \d+ to \d+ \(known up to \d+\), Fetch \d+ to \d+ .* \d+ APIs in all/);
    t.match(out, /r0 +upstream_ca +.*ca\.pem +CN=an authority +until /, 'certificates of files are listed');
    t.notMatch(out, 'planted');
  }
  t.equal(app.routes[0]?.clients().length, 0, 'no connection is left');
});

t.test('a broker that does not take us is told with cause and remedy, once for each address', async (t) => {
  const { address, folder } = await securedBroker(t);
  const trusted = { caFile: 'ca.pem' };
  const cases: readonly (readonly [upstream: Keys, reason: RegExp, remedy: RegExp])[] = [
    [{ tls: trusted, sasl: password('wrong.txt') }, /authentication_failed/, /upstream\.sasl/],
    [{ tls: trusted, sasl: { mechanism: 'OAUTHBEARER', token: 'planted-t' } }, /mechanism_unsupported/, /mechanism/],
    [{ tls: { caFile: 'stranger.pem' }, sasl: password('right.txt') }, /tls_untrusted/, /upstream\.tls\.caFile/],
    [{ sasl: password('right.txt') }, /closed/, /upstream\.tls/],
  ];
  for (const [upstream, reason, remedy] of cases) {
    const { code, out } = await check(folder, [{ upstream: { bootstrap: [address, address], ...upstream } }]);
    t.equal(code, 1, String(reason));
    t.equal(out.match(/ failed after \d+ ms/g)?.length, 2);
    t.match(out, new RegExp(`because  ${reason.source}: `));
    t.match(out, new RegExp(`do       .*${remedy.source}`));
    t.notMatch(out, 'planted');
  }
});

t.test('a certificate for other names is told', async (t) => {
  const { address, folder } = await securedBroker(t);
  const upstream = {
    bootstrap: ['localhost:9'],
    dialAddresses: { 'localhost:9': address },
    tls: { caFile: 'ca.pem' },
    sasl: password('right.txt'),
  };
  const { code, out } = await check(folder, [{ upstream }]);
  t.equal(code, 1);
  t.match(out, `localhost:9, dialled at ${address}  failed after `);
  t.match(out, /because {2}tls_name_mismatch: /);
});

t.test('each user who is somebody else for the brokers is tried as well', async (t) => {
  const { address, folder } = await securedBroker(t);
  const user = (username: string, passwordFile: string) => ({
    password: 'planted-local',
    sasl: { mechanism: 'PLAIN', username, passwordFile },
  });
  const users = {
    good: user('alice', 'right.txt'),
    bad: user('alice', 'wrong.txt'),
    same: { password: 'planted-local' },
  };
  folder.write('local.yaml', JSON.stringify({ users }));
  const upstream = { bootstrap: [address], tls: { caFile: 'ca.pem' }, sasl: password('right.txt') };
  const { code, out } = await check(folder, [{ upstream, listenSasl: { credentialsFile: 'local.yaml' } }]);
  t.equal(code, 1);
  t.match(out, `${address}  ok after `);
  t.match(out, `${address}, as user good  ok after `);
  t.match(out, `${address}, as user bad  failed after `);
  t.notMatch(out, 'as user same');
  t.notMatch(out, 'planted');
});

t.test('a route that passes authentication through asks brokers for their versions alone', async (t) => {
  const { address, folder } = await securedBroker(t);
  const upstream = { bootstrap: [address], tls: { caFile: 'ca.pem' }, saslPassThrough: true };
  const { code, out } = await check(folder, [{ upstream }]);
  t.equal(code, 0);
  t.match(out, /serves {3}Produce/);
  t.match(out, 'asked    nothing else: clients of this route authenticate themselves');
  t.notMatch(out, 'cluster  secured');
  t.notMatch(out, 'authenticated as');
});

t.test('a route that passes authentication through is not advised to authenticate', async (t) => {
  const server = createServer((socket) => socket.destroy());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { folder } = await securedBroker(t);
  const upstream = { bootstrap: [`127.0.0.1:${port}`] };
  const advice = async (keys: object): Promise<string> =>
    (await check(folder, [{ upstream: { ...upstream, ...keys } }])).out;
  t.match(await advice({}), /do {7}.*upstream\.sasl/);
  const passing = await advice({ saslPassThrough: true });
  t.match(passing, /do {7}.*upstream\.tls/);
  t.notMatch(passing, 'upstream.sasl');
});

t.test('a tcp route is connected to and asked nothing', async (t) => {
  const { address, folder } = await securedBroker(t);
  const upstream = { bootstrap: [address], tls: { caFile: 'ca.pem' } };
  const { code, out } = await check(folder, [{ protocol: 'tcp', upstream }]);
  t.equal(code, 0);
  t.match(out, /tls {6}TLSv1\.3/);
  t.match(out, 'asked    nothing: a tcp route');
});

t.test('addresses of two clusters in one route are told', async (t) => {
  const clusters = [
    await startCluster(t, { brokers: 1, clusterId: 'one' }),
    await startCluster(t, { brokers: 1, clusterId: 'two' }),
  ];
  const bootstrap = clusters.flatMap((cluster) => cluster.bootstrap);
  const { code, out } = await check(folderOf(t, {}), [{ upstream: { bootstrap } }]);
  t.equal(code, 1);
  t.match(out, `${bootstrap[0]}  ok after `);
  t.match(out, `${bootstrap[1]}  failed after `);
  t.match(out, 'because  rejected: cluster two answered where one was expected');
});

/** The port of something that accepts connections and says nothing. */
async function silence(t: Test): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    t.teardown(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

t.test('a credential that cannot be had, or not in time, is told before any broker is dialled', async (t) => {
  const grant = (port: number) => ({
    mechanism: 'OAUTHBEARER',
    tokenEndpoint: { url: `http://127.0.0.1:${port}/token`, clientId: 'app', clientSecret: 'planted' },
  });
  const cases: readonly (readonly [port: number, reason: string])[] = [
    [1, 'credential_unavailable: '],
    [await silence(t), 'timeout: '],
  ];
  for (const [port, reason] of cases) {
    const upstream = { bootstrap: ['127.0.0.1:1'], sasl: grant(port), dialTimeoutMilliseconds: 500 };
    const { code, out } = await check(folderOf(t, {}), [{ upstream }]);
    t.equal(code, 1);
    t.match(out, `because  ${reason}`);
    t.notMatch(out, 'planted');
  }
});

t.test(
  'a broker that does not answer is given up after dialTimeoutMilliseconds, and nobody at all at once',
  async (t) => {
    const port = await silence(t);
    const upstream = { bootstrap: [`127.0.0.1:${port}`, '127.0.0.1:1'], dialTimeoutMilliseconds: 100 };
    const { code, out } = await check(folderOf(t, {}), [{ upstream }]);
    t.equal(code, 1);
    const [, after] = new RegExp(`:${port}  failed after (\\d+) ms\\n    because  timeout: ETIMEDOUT`).exec(out) ?? [];
    // Node's timers may be a millisecond early.
    t.ok(Number(after) >= 99 && Number(after) < 2500, `after ${after} ms`);
    t.match(out, /127\.0\.0\.1:1 {2}failed after \d+ ms\n {4}because {2}refused: ECONNREFUSED/);
  },
);

t.test('what was found is there as JSON', async (t) => {
  const { address, folder } = await securedBroker(t);
  const upstream = { bootstrap: [address], tls: { caFile: 'ca.pem' }, sasl: password('right.txt') };
  const { code, out } = await check(folder, [{ upstream }], '--json');
  t.equal(code, 0);
  t.match(JSON.parse(out), {
    ok: true,
    certificates: [{ route: 'r0', use: 'upstream_ca', subject: 'CN=an authority' }],
    connections: [
      {
        name: 'r0',
        addresses: [
          {
            address,
            ok: true,
            failure: null,
            tls: { version: 'TLSv1.3', subject: 'CN=broker' },
            shown: { mechanism: 'SCRAM-SHA-512', username: 'app' },
            clusterId: 'secured',
            brokers: [{ node: '1' }],
          },
        ],
      },
    ],
  });
  const wrong = { ...upstream, sasl: password('wrong.txt') };
  const failed = await check(folder, [{ upstream: wrong }], '--json');
  t.equal(failed.code, 1);
  t.match(JSON.parse(failed.out), {
    ok: false,
    connections: [{ addresses: [{ ok: false, failure: { reason: 'authentication_failed' } }] }],
  });
});

t.test('files that are of no use are faults, each with its key, and nothing is dialled then', async (t) => {
  const other = certify({ name: 'other', by: CA });
  const folder = folderOf(t, { ...FILES, 'other.key': other.key, empty: '' });
  const upstream = {
    bootstrap: ['127.0.0.1:1'],
    tls: { caFile: 'right.txt' },
    sasl: { mechanism: 'PLAIN', username: 'app', passwordFile: 'empty' },
  };
  const listenTls = { certificateFile: 'tls.crt', keyFile: 'other.key' };
  const { code, out, err } = await check(folder, [{ upstream, listenTls }]);
  t.equal(code, 2);
  t.notMatch(out, 'connections of route');
  const lines = err.split('\n');
  t.equal(lines.length, 3, err);
  t.match(lines[0], /^routes\[0\]\.upstream\.tls.* holds no certificate/);
  t.match(lines[1], /^routes\[0\]\.upstream\.sasl\.passwordFile: .* is empty$/);
  t.match(lines[2], /^routes\[0\]\.listenTls.* does not belong to the certificate/);
  t.notMatch(out + err, 'planted');
});

t.test('a file that is not there is a warning of check, and a fault of check --connect', async (t) => {
  const folder = folderOf(t, {});
  const route = {
    name: 'a',
    protocol: 'kafka',
    listen: '127.0.0.1:9092',
    upstream: { bootstrap: ['127.0.0.1:1'], saslPassThrough: true, tls: { caFile: 'ca.pem' } },
    brokers: { portBase: 29_092 },
    stateFile: 'state/a.json',
  };
  const admin = { listen: '127.0.0.1:9901', tokenFile: 'token' };
  const file = folder.write('checked.yaml', JSON.stringify({ routes: [route], admin }));
  const check = await invoke('check', '-c', file);
  t.equal(check.code, 0);
  for (const key of ['routes\\[0\\]\\.upstream\\.tls\\.caFile', 'routes\\[0\\]\\.stateFile', 'admin\\.tokenFile']) {
    t.match(check.out, new RegExp(`warning: ${key}: .* does not exist`), key);
  }
  const connect = await invoke('check', '-c', file, '--connect');
  t.equal(connect.code, 2);
  t.equal(connect.err.split('\n').length, 3);
});

t.test('a certificate that is about to expire, or has, is a warning', async (t) => {
  const soon = certify({ name: 'soon', by: CA, until: 10 });
  const late = certify({ name: 'late', authority: true, from: -20, until: -3 });
  const folder = folderOf(t, {
    'soon.crt': soon.certificate,
    'soon.key': soon.key,
    'late.pem': CA.certificate + late.certificate,
  });
  const route = {
    name: 'a',
    protocol: 'kafka',
    listen: '127.0.0.1:9092',
    upstream: {
      bootstrap: ['127.0.0.1:1'],
      tls: { caFile: 'late.pem', certificateFile: 'soon.crt', keyFile: 'soon.key' },
    },
    brokers: { portBase: 29_092 },
  };
  const { code, out } = await invoke('check', '-c', folder.write('checked.yaml', JSON.stringify({ routes: [route] })));
  t.equal(code, 0);
  t.match(out, /warning: route a: the certificate of CN=soon in .*soon\.crt expires in 9 days/);
  t.match(out, /warning: route a: the certificate of CN=late in .*late\.pem expired 3 days ago/);
  t.match(out, /a +upstream_ca +.*late\.pem +CN=late \(of 2\)/, 'of several the first to expire');
});
