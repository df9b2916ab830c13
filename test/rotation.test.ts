/**
 * H39, and what an operator does every few weeks: credentials, certificate, key and authority are replaced under load, as
 * Kubernetes does it. Two sidecars in a row, so that one plays the broker's part of TLS and SASL for the other.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type App, startApp } from '../src/app.ts';
import { parseConfig } from '../src/config/load.ts';
import { produce } from '../src/demo/kafka/messages/produce.ts';
import { createTopic, produceTo, valuesOf } from './hazards/requests.ts';
import { authority, certify } from './support/certificates.ts';
import { startCluster } from './support/embedded-cluster.ts';
import { MountedFolder, temporaryFolder } from './support/mounted-folder.ts';
import { RawClient } from './support/raw-client.ts';
import { until } from './support/until.ts';

t.setTimeout(60_000);

const PRODUCERS = 4;
const ROTATIONS = 2;

type Keys = Readonly<Record<string, unknown>>;
type Line = Readonly<Record<string, unknown>>;

interface Sidecar {
  readonly app: App;
  readonly lines: Line[];
  /** Where the cluster, or its only broker, is reached. */
  port(broker?: '1'): number;
}

async function sidecarOf(t: Test, name: string, route: Keys): Promise<Sidecar> {
  const routes = [{ name, protocol: 'kafka', listen: '127.0.0.1:0', brokers: { ports: { 1: 1 } }, ...route }];
  const more = { admin: { listen: '127.0.0.1:0' }, health: { listen: '127.0.0.1:0' }, shutdownGraceSeconds: 0 };
  const config = parseConfig(JSON.stringify({ routes, ...more, log: { level: 'debug' } }), `${name}.yaml`);
  // Any free port, which a file cannot say.
  for (const { brokers } of config.routes) if (brokers !== undefined) brokers.ports = { 1: 0 };
  const lines: Line[] = [];
  const app = await startApp(config, { writeLog: (line) => lines.push(JSON.parse(line)) });
  t.teardown(() => app.stop());
  const view = () => app.routes[0]?.view();
  await until(`${name} knows its broker`, () => view()?.brokers.some(({ local }) => local !== null) === true);
  return {
    app,
    lines,
    port: (broker) => {
      const address = broker === undefined ? view()?.listen : view()?.brokers[0]?.local;
      return Number(address?.split(':').at(-1));
    },
  };
}

/** Sends one message after the other until it is told to stop. */
async function produceAll(t: Test, port: number, name: string, running: () => boolean): Promise<string[]> {
  const client = await RawClient.connect(t, port);
  const sent: string[] = [];
  while (running()) {
    const value = `${name} ${sent.length}`;
    const answer = await client.ask(produce, 9, produceTo(1, [value]));
    if (answer.topics[0]?.partitions[0]?.errorCode !== 0) throw new Error(`${value} was not taken`);
    sent.push(value);
  }
  client.socket.destroy();
  return sent;
}

t.test('everything that the sidecar shows brokers is replaced under load, and no request fails', async (t) => {
  const cluster = await startCluster(t, { brokers: 1 });
  createTopic(cluster);
  const brokersCa = authority('of brokers');
  const server = certify({ name: 'broker', by: brokersCa, hosts: ['127.0.0.1'] });
  const users = (...names: string[]) =>
    JSON.stringify({ users: Object.fromEntries(names.map((name) => [name, { password: `secret of ${name}` }])) });
  const folder = temporaryFolder(t);
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, `${name}.new`), text);
    renameSync(join(folder, `${name}.new`), join(folder, name));
    return join(folder, name);
  };
  let clientsCa = authority('of clients 0');
  const broker = await sidecarOf(t, 'broker', {
    upstream: { bootstrap: cluster.bootstrap },
    listenTls: {
      certificateFile: write('server.crt', server.certificate),
      keyFile: write('server.key', server.key),
      clientCaFile: write('clients.ca', clientsCa.certificate),
    },
    listenSasl: { mechanisms: ['SCRAM-SHA-512'], credentialsFile: write('users.yaml', users('app-0')) },
  });

  const shown = (version: number) => {
    const { certificate, key } = certify({ name: `app-${version}`, by: clientsCa });
    return {
      'tls.crt': certificate,
      'tls.key': key,
      'ca.crt': `${brokersCa.certificate}${version === 0 ? '' : authority(`spare ${version}`).certificate}`,
      username: `app-${version}\n`,
      password: `secret of app-${version}\n`,
    };
  };
  const mounted = new MountedFolder(t, shown(0));
  const sidecar = await sidecarOf(t, 'orders', {
    upstream: {
      bootstrap: [`127.0.0.1:${broker.port()}`],
      tls: {
        caFile: mounted.file('ca.crt'),
        certificateFile: mounted.file('tls.crt'),
        keyFile: mounted.file('tls.key'),
      },
      sasl: {
        mechanism: 'SCRAM-SHA-512',
        usernameFile: mounted.file('username'),
        passwordFile: mounted.file('password'),
      },
    },
  });
  const changes = (change: string): number =>
    sidecar.lines.filter((line) => line.event === 'identity.changed' && line.change === change).length;
  const openNow = () => sidecar.app.routes[0]?.upstreams().map(({ id }) => id) ?? [];
  let running = true;
  const producers = Promise.all(
    Array.from({ length: PRODUCERS }, (_, index) => produceAll(t, sidecar.port('1'), `p${index}`, () => running)),
  );

  for (let version = 1; version <= ROTATIONS; version += 1) {
    // First the brokers learn of the newer ones, as they must.
    const before = clientsCa.certificate;
    clientsCa = authority(`of clients ${version}`);
    write('clients.ca', before + clientsCa.certificate);
    write('users.yaml', users(`app-${version - 1}`, `app-${version}`));
    await until('the broker knows both', () =>
      broker.lines.some(({ identity, change }) => identity === `app-${version}` && change === 'read'),
    );
    const older = openNow();
    mounted.swap(shown(version));
    await until('the newer login is in force', () => changes('accepted') === version);
    await until('the older connections are gone', () => openNow().every((id) => !older.includes(id)));
    // Whoever still used the older one would be thrown out now.
    write('clients.ca', clientsCa.certificate);
    write('users.yaml', users(`app-${version}`));
    await until('the broker knows the newer one alone', () =>
      broker.lines.some(
        ({ identity, detail }) => identity === `app-${version - 1}` && detail === 'the user was removed',
      ),
    );
  }
  running = false;
  const sent = (await producers).flat();
  t.ok(sent.length > PRODUCERS * 10, `${sent.length} messages`);
  t.strictSame(valuesOf(cluster).sort(), sent.sort(), 'nothing is lost and nothing doubled');
  t.strictSame([changes('read'), changes('accepted')], [ROTATIONS, ROTATIONS], 'one new login for each rotation');
  t.strictSame([changes('refused'), changes('unreadable')], [0, 0]);
  const closed = [...broker.lines, ...sidecar.lines].filter(({ event, reason }) => {
    return event === 'client.disconnected' && reason !== 'client_closed';
  });
  t.strictSame(closed, [], 'nobody was thrown out, on either side');
  const failed = sidecar.lines.filter(({ event }) => event === 'upstream.dial_failed');
  t.strictSame(failed, []);
});
