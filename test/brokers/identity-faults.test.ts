/**
 * Everything that may be wrong with credentials and certificates, against a real broker: what it is called, said once and
 * with its remedy, and dialled rarely although somebody asks all the time.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import t from 'tap';
import { accessSettings } from './clients/access.ts';
import { Driver } from './clients/driver.ts';
import { as, identityFiles, upstreamSasl } from './identities.ts';
import { contentOf, MountedFiles } from './mounted-files.ts';
import { realKafka } from './setting.ts';
import { type RoutePlan, Sidecar } from './sidecar.ts';
import { signedToken } from './token.ts';
import { TokenEndpoint } from './token-endpoint.ts';
import { until } from './until.ts';
import { KAFKA_CURRENT } from './versions.ts';

const LOOK_SECONDS = 30;
/** What somebody must mend is dialled after 5 s at the soonest half of that, then twice as long each time. */
const MOST_DIALS = 5;

const { cluster, judge } = await realKafka(t, {
  version: KAFKA_CURRENT,
  brokers: 1,
  security: { tls: true, sasl: true },
  properties: { 'listener.name.direct_clear.sasl.enabled.mechanisms': 'PLAIN' },
});
const { authority } = cluster.certificates;
const node = cluster.node(1);
const expired = await cluster.certificates.issue('expired', { expired: true });
await judge.showCertificate('DIRECT', expired);
const stranger = await cluster.certificates.found('stranger');
const server = await authority.issue('sidecar', { name: 'sidecar', names: ['IP:127.0.0.1'] });
const files = identityFiles(cluster, 'alice');
const wrong = new MountedFiles({
  password: 'wrong',
  'ca.pem': contentOf(stranger.caFile),
  token: signedToken('alice'),
});
t.teardown(() => [files, wrong].map((folder) => folder.remove()));
const endpoint = await TokenEndpoint.open('alice', 'another secret', 3_600);
t.teardown(() => endpoint.close());

const tls = { caFile: files.path('ca.pem') };
const sasl = upstreamSasl('alice', 'SCRAM-SHA-256', files);
const misnamed = `elsewhere.invalid:${node.port('HIDDEN')}`;

interface Fault {
  readonly what: string;
  /** How a dial fails. */
  readonly reason: string;
  readonly route: Omit<RoutePlan, 'name'>;
}

const FAULTS: readonly Fault[] = [
  {
    what: 'a wrong password of PLAIN',
    reason: 'authentication_failed',
    route: { upstream: { tls, sasl: upstreamSasl('alice', 'PLAIN', wrong) } },
  },
  {
    what: 'a wrong password of SCRAM',
    reason: 'authentication_failed',
    route: { upstream: { tls, sasl: upstreamSasl('alice', 'SCRAM-SHA-512', wrong) } },
  },
  {
    what: 'a wrong token',
    reason: 'authentication_failed',
    route: { listener: 'HIDDEN_CLEAR', upstream: { sasl: upstreamSasl('alice', 'OAUTHBEARER', wrong) } },
  },
  {
    what: 'a token endpoint that refuses its client',
    reason: 'credential_unavailable',
    route: {
      upstream: {
        tls,
        sasl: {
          mechanism: 'OAUTHBEARER',
          tokenEndpoint: { url: endpoint.url, clientId: 'alice', clientSecret: 'wrong' },
        },
      },
    },
  },
  {
    what: 'a mechanism that the broker does not offer',
    reason: 'mechanism_unsupported',
    route: { listener: 'DIRECT_CLEAR', upstream: { sasl } },
  },
  {
    what: 'an authority that is not trusted',
    reason: 'tls_untrusted',
    route: { upstream: { tls: { caFile: wrong.path('ca.pem') }, sasl } },
  },
  {
    what: 'a certificate for another name',
    reason: 'tls_name_mismatch',
    route: { upstream: { bootstrap: [misnamed], dialAddresses: { [misnamed]: node.address('HIDDEN') }, tls, sasl } },
  },
  {
    what: 'a certificate that has expired',
    reason: 'tls_expired',
    route: { listener: 'DIRECT', upstream: { tls, sasl } },
  },
  {
    what: 'TLS on a port that speaks plaintext',
    reason: 'tls_failed',
    route: { listener: 'HIDDEN_CLEAR', upstream: { tls, sasl } },
  },
  {
    what: 'plaintext on a port that speaks TLS',
    reason: 'tls_failed',
    route: { upstream: { sasl } },
  },
];
const nameOf = ({ what }: Fault) => what.replaceAll(' ', '-').toLowerCase();
const GOOD = 'good';
const GUARDED = 'guarded';

const sidecar = await Sidecar.start(
  cluster,
  {},
  {
    waitFor: '/livez',
    routes: [
      ...FAULTS.map((fault) => ({ ...fault.route, name: nameOf(fault) })),
      { name: GOOD, upstream: { tls, sasl } },
      {
        name: GUARDED,
        upstream: { tls, sasl },
        keys: {
          listenTls: { certificateFile: server.certificateFile, keyFile: server.keyFile },
          listenSasl: { credentialsFile: credentials() },
        },
      },
    ],
  },
);
t.teardown(() => sidecar.stop());

function credentials(): string {
  const mounted = new MountedFiles({
    'users.yaml': JSON.stringify({ users: { alice: { password: 'local-alice' } } }),
  });
  t.teardown(() => mounted.remove());
  return mounted.path('users.yaml');
}

await t.test('each is named, told once, and dialled rarely while clients ask all the time', async (t) => {
  await judge.createTopics(['asked'], 1);
  const driver = await Driver.start('librdkafka');
  t.teardown(() => driver.stop());
  for (const fault of FAULTS) {
    const name = nameOf(fault);
    const clients = [{ name, topic: 'asked' }];
    await driver.request('open', { bootstrap: sidecar.bootstrapOf(name), clients, settings: {} });
  }
  await driver.request('start', { messages: 1, everyMs: 0, spreadMs: 0 });
  await pause(LOOK_SECONDS * 1000);
  const failed = async (name: string, reason: string) =>
    sidecar.metric('upstream_dial_failures_total', { route: name, reason });
  for (const fault of FAULTS) {
    const name = nameOf(fault);
    const all = await sidecar.metric('upstream_dial_failures_total', { route: name });
    t.equal(await failed(name, fault.reason), all, `${fault.what}: every dial fails with ${fault.reason}`);
    t.ok(all >= 1 && all <= MOST_DIALS, `${fault.what}: ${all} dials in ${LOOK_SECONDS} s`);
    const lines = sidecar.entries(name).filter(({ event }) => event === 'upstream.dial_failed');
    t.equal(lines.length, 1, `${fault.what}: one line`);
    t.match(lines[0], { route: name, broker: 'bootstrap', reason: fault.reason, detail: /\S/, remedy: /\S/ });
    t.comment(`${fault.what}: ${lines[0]?.detail}`);
    const lately = (await sidecar.recent()).filter((entry) => entry.route === name && entry.reason === fault.reason);
    t.equal(lately.length, 1, `${fault.what}: one line of status`);
  }
  const { failedAuthentications } = await cluster.figures('HIDDEN');
  // Failed handshakes count there as well: of both passwords, the name, the authority, and plaintext.
  t.ok(
    failedAuthentications <= 4 * MOST_DIALS + 20,
    `the broker saw ${failedAuthentications} failed authentications there`,
  );
});

await t.test('plaintext on a port of the sidecar that speaks TLS, and the reverse, are told once', async (t) => {
  const [host, port] = sidecar.bootstrapOf(GUARDED).split(':');
  for (let turn = 0; turn < 3; turn++) {
    const socket = connect(Number(port), host);
    socket.on('error', () => undefined);
    // ApiVersions v0.
    socket.write(Buffer.from('0000000a00120000000000000000', 'hex'));
    await once(socket, 'close');
  }
  const [plainHost, plainPort] = sidecar.bootstrapOf(GOOD).split(':');
  for (let turn = 0; turn < 3; turn++) {
    const socket = connectTls({ host: plainHost, port: Number(plainPort), rejectUnauthorized: false });
    await once(socket, 'error');
    socket.destroy();
  }
  for (const [route, reason] of [
    [GUARDED, 'plaintext_on_tls'],
    [GOOD, 'tls_on_plaintext'],
  ] as const) {
    await until(`${reason} to be counted`, 5_000, async () => {
      const count = await sidecar.metric('client_connections_closed_total', { route, reason });
      return count === 3 ? true : `${count}`;
    });
    const lines = sidecar.entries(route).filter((entry) => entry.reason === reason);
    t.equal(lines.length, 1, `${reason}: one line`);
    t.match(lines[0], { route, remedy: /\S/ });
  }
});

await t.test(
  'a wrong local password is told once to whoever reads the log, and to the client every time',
  async (t) => {
    const driver = await Driver.start('librdkafka');
    t.teardown(() => driver.stop());
    const access = { caFile: authority.caFile, sasl: as('alice', 'SCRAM-SHA-256', 'wrong') };
    const settings = accessSettings('librdkafka', access);
    const clients = [{ name: 'stranger', topic: 'asked' }];
    await driver.request('open', { bootstrap: sidecar.bootstrapOf(GUARDED), clients, settings });
    await until('the client to be refused twice', 20_000, () => {
      const told = driver.complaints().filter((line) => line.includes('Authentication failed'));
      return told.length >= 2 ? true : driver.complaints().join('\n');
    });
    const lines = sidecar.entries(GUARDED).filter((entry) => entry.reason === 'authentication_failed');
    t.equal(lines.length, 1, 'one line');
    t.match(lines[0], { remedy: /listenSasl/ });
  },
);

await t.test('routes without a fault are not disturbed, and no secret is told', async (t) => {
  t.equal(await sidecar.metric('upstream_dial_failures_total', { route: GOOD }), 0);
  t.equal(await sidecar.metric('invariant_violations_total'), 0);
  t.notOk(sidecar.log.some((line) => /alice-secret|local-alice|another secret/.test(line)));
});
