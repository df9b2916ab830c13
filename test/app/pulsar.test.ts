/** A sidecar with a route for Pulsar: who its clients are for the brokers, and that none of them is given away. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startApp } from '../../src/app.ts';
import { parseConfig } from '../../src/config/load.ts';
import { freePorts } from '../../src/demo/free-ports.ts';
import { authority, certify } from '../support/certificates.ts';
import { temporaryFolder } from '../support/mounted-folder.ts';
import { Outputs, Planted } from '../support/planted.ts';
import { openClient, startCluster } from '../support/pulsar/sockets.ts';
import { until } from '../support/until.ts';

const TOPIC = 'persistent://public/default/orders';

/** A broker and a sidecar before it; relative paths of `upstream` lead into a folder of its own. */
async function sidecarOf(t: Test, upstream: object, credentials: readonly string[]) {
  const { cluster, ports } = await startCluster(t, 1, { credentials: new Set(credentials) });
  const folder = temporaryFolder(t);
  const bootstrap = [`pulsar://127.0.0.1:${ports[0]?.port}`];
  const loopback = { listen: '127.0.0.1:0' };
  const lingering = { housekeepingLingerSeconds: 600 };
  const route = { name: 'events', protocol: 'pulsar', ...loopback, upstream: { bootstrap, ...upstream }, ...lingering };
  const keys = { routes: [route], admin: loopback, health: loopback, log: { level: 'trace' } };
  const outputs = new Outputs();
  const start = async () => {
    const config = parseConfig(JSON.stringify(keys), join(folder, 'config.yaml'));
    const app = await startApp(config, { writeLog: (line) => outputs.add('log', line) });
    t.teardown(() => app.stop());
    const port = Number(app.routes[0]?.view().listen.split(':').at(-1));
    const open = () => openClient(t, port);
    const look = async (): Promise<void> => {
      for (const path of ['/v1/routes', '/v1/upstreams', '/v1/clients', '/v1/config']) {
        outputs.add(path, await (await fetch(`${app.adminUrl}${path}`)).text());
      }
      outputs.add('metrics', await (await fetch(`${app.healthUrl}/metrics`)).text());
    };
    return { app, open, look };
  };
  const shown = (): string[] => cluster.broker().connections.flatMap((connection) => connection.shown);
  return { cluster, folder, outputs, start, shown };
}

t.test('clients that show the same share a connection for their lookups, others have another one', async (t) => {
  const planted = new Planted();
  const [one, two] = [planted.plantWord('first token'), planted.plantWord('second token')];
  const { cluster, outputs, start, shown } = await sidecarOf(t, {}, [one, two]);
  const { app, open, look } = await start();
  const clients = [await open(), await open(), await open()];
  for (const [index, client] of clients.entries()) {
    await client.connect({ token: index < 2 ? one : two });
    t.equal((await client.lookup(TOPIC)).url, cluster.broker().url);
  }
  const counts = [one, two].map((token) => shown().filter((each) => each === `token:${token}`).length);
  t.strictSame(counts, [1, 1], 'each token was shown once');
  const identities = new Set(app.routes[0]?.clients().map(({ identity }) => identity));
  t.equal(identities.size, 2);
  for (const identity of identities) t.match(identity, /^token-[0-9a-f]{16}$/);
  await look();
  t.strictSame(outputs.showing(planted), []);
  for (const client of clients) client.end();
  await until(
    'connections of those who are gone go',
    () => app.routes[0]?.upstreams().every(({ identity }) => identity === '') === true,
  );
});

t.test('a token that brokers refuse closes the client that shows it, and no other', async (t) => {
  const planted = new Planted();
  const [right, wrong] = [planted.plantWord('token'), planted.plantWord('wrong token')];
  const { outputs, start } = await sidecarOf(t, {}, [right]);
  const { app, open, look } = await start();
  const good = await open();
  await good.connect({ token: right });
  const bad = await open();
  bad.hello({ token: wrong });
  await bad.ending;
  t.ok((await good.lookup(TOPIC)).url);
  t.equal(app.routes[0]?.clients().length, 1);
  await look();
  t.match(outputs.all('log'), 'authentication_failed');
  t.strictSame(outputs.showing(planted), []);
});

t.test(
  'with upstream.auth the sidecar shows its own token, whatever clients show, and a new one when its file changes',
  async (t) => {
    const planted = new Planted();
    const [old, young, other] = ['old token', 'new token', "client's token"].map((name) => planted.plantWord(name));
    const { cluster, folder, outputs, start, shown } = await sidecarOf(
      t,
      { auth: { method: 'token', tokenFile: 'token' } },
      [old, young].map(String),
    );
    writeFileSync(join(folder, 'token'), `${old}\n`);
    const { app, open, look } = await start();
    const client = await open();
    await client.connect({ token: String(other) });
    await client.lookup(TOPIC);
    t.ok(shown().length > 0);
    t.ok(shown().every((each) => each === `token:${old}`));
    t.strictSame(
      app.routes[0]?.clients().map(({ identity }) => identity),
      [''],
    );
    writeFileSync(join(folder, 'token'), `${young}\n`);
    await until('the new token is shown', () => shown().at(-1) === `token:${young}`);
    t.ok((await client.lookup(TOPIC)).url);
    t.strictSame(cluster.faults, []);
    await look();
    t.strictSame(outputs.showing(planted), []);
  },
);

t.test('two sidecars in a row, with TLS between them, lead a client to its broker', async (t) => {
  const { cluster, ports } = await startCluster(t, 2);
  cluster.topic(TOPIC, 1);
  const ca = authority();
  const server = certify({ name: 'sidecar', by: ca, hosts: ['127.0.0.1'] });
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'ca.pem'), ca.certificate);
  writeFileSync(join(folder, 'tls.crt'), server.certificate);
  writeFileSync(join(folder, 'tls.key'), server.key);
  const loopback = { listen: '127.0.0.1:0' };
  const start = async (bootstrap: string, more: object, tls: object) => {
    const route = {
      name: 'events',
      protocol: 'pulsar',
      ...loopback,
      upstream: { bootstrap: [bootstrap], ...tls },
      ...more,
    };
    const config = parseConfig(
      JSON.stringify({ routes: [route], admin: loopback, health: loopback }),
      join(folder, 'a'),
    );
    const app = await startApp(config, { writeLog: () => undefined });
    t.teardown(() => app.stop());
    return app.routes[0]?.view().listen ?? '';
  };
  const listenTls = { certificateFile: 'tls.crt', keyFile: 'tls.key' };
  const far = await start(`127.0.0.1:${ports[0]?.port}`, { listenTls }, {});
  const near = await start(`pulsar+ssl://${far}`, {}, { tls: { caFile: 'ca.pem' } });
  const open = () => openClient(t, Number(near.split(':').at(-1)));
  const asking = await open();
  await asking.connect({ token: 'a' });
  const { url, proxyThroughServiceUrl } = await asking.lookup(TOPIC);
  t.equal(proxyThroughServiceUrl, true);
  const sending = await open();
  await sending.connect({ token: 'a', proxyToBrokerUrl: String(url).replace(/^.*:\/\//, '') });
  const producer = await sending.producer(TOPIC);
  await sending.send(producer, 'one');
  t.strictSame(cluster.topic(TOPIC).bodies, ['one']);
  t.strictSame(new Set(cluster.broker(1).connections.flatMap(({ shown }) => shown)), new Set(['token:a']));
  asking.end();
  sending.end();
});

t.test('a client that knows no proxy finds each broker on a local port of its own', async (t) => {
  const { cluster, ports } = await startCluster(t, 2);
  cluster.topic(TOPIC, 1);
  const { base } = await freePorts(2, 0);
  const config = {
    routes: [
      {
        name: 'events',
        protocol: 'pulsar',
        listen: '127.0.0.1:0',
        upstream: { bootstrap: [`127.0.0.1:${ports[0]?.port}`] },
        brokers: { rewriteLookups: 'listeners', portBase: base },
      },
    ],
    admin: { listen: '127.0.0.1:0' },
    health: { listen: '127.0.0.1:0' },
  };
  const app = await startApp(parseConfig(JSON.stringify(config), 'config.yaml'), { writeLog: () => undefined });
  t.teardown(() => app.stop());
  const asking = await openClient(t, Number(app.routes[0]?.view().listen.split(':').at(-1)));
  await asking.connect();
  const { url, urlTls, proxyThroughServiceUrl } = await asking.lookup(TOPIC);
  t.strictSame([url, urlTls], [`pulsar://127.0.0.1:${base}`, `pulsar+ssl://127.0.0.1:${base}`]);
  t.not(proxyThroughServiceUrl, true);
  const sending = await openClient(t, base);
  await sending.connect();
  await sending.send(await sending.producer(TOPIC), 'one');
  t.strictSame(cluster.topic(TOPIC).bodies, ['one']);
  t.match(app.routes[0]?.view().brokers, [{ broker: cluster.broker(1).address, local: `127.0.0.1:${base}` }]);
  asking.end();
  sending.end();
});
