/**
 * Every mechanism, over TLS and without: the sidecar authenticates itself, its clients need nothing, and sharing and
 * reaping are as with plaintext. One route for each, all in one process.
 */
import t from 'tap';
import { Driver } from './clients/driver.ts';
import { Fleet, type FleetReport } from './fleet.ts';
import { identityFiles, PASSAGES, passageRoute } from './identities.ts';
import { flawless, percentile } from './ledger.ts';
import { fallAsleep } from './scenarios/falling-asleep.ts';
import { memberStates, takenBy } from './scenarios/taken.ts';
import { realKafka } from './setting.ts';
import { Sidecar } from './sidecar.ts';
import { TokenEndpoint } from './token-endpoint.ts';
import { until } from './until.ts';
import { KAFKA_CURRENT } from './versions.ts';
import { Way } from './way.ts';

const MAX_IDLE_SECONDS = 5;
const INTERVAL_SECONDS = 1;
const GONE_AFTER_SECONDS = MAX_IDLE_SECONDS + INTERVAL_SECONDS * 1.1 + 1;
const SECONDS = 8;
const THIRTY_MINUTES = 30 * 60_000;
const CLIENT_SECRET = 'endpoint-secret';

const security = { tls: true, sasl: true, acls: true } as const;
const { cluster, judge } = await realKafka(t, { version: KAFKA_CURRENT, brokers: 1, security });
const files = identityFiles(cluster, 'alice');
t.teardown(() => files.remove());
const endpoint = await TokenEndpoint.open('alice', CLIENT_SECRET, 3_600);
t.teardown(() => endpoint.close());

const GRANTED = 'oauthbearer-granted';
const routes = [
  ...PASSAGES.map((passage) => passageRoute(passage, 'alice', files)),
  {
    name: GRANTED,
    upstream: {
      tls: { caFile: files.path('ca.pem') },
      sasl: {
        mechanism: 'OAUTHBEARER',
        tokenEndpoint: { url: endpoint.url, clientId: 'alice', clientSecret: CLIENT_SECRET, scope: 'kafka' },
      },
    },
  },
];
const settings = {
  allowShortIdle: true,
  connectionMaxIdleSeconds: MAX_IDLE_SECONDS,
  connectionIdleDetectionIntervalSeconds: INTERVAL_SECONDS,
};
const each = routes.length;
const kinds = { librdkafka: 2 * each, java: each, kafkajs: each };
const fleet = new Fleet({ prefix: 'passages', kinds, topics: 'one', metadataRefreshMilliseconds: THIRTY_MINUTES });
t.teardown(() => fleet.stop());
await judge.createTopics(fleet.topics, 6);
await judge.allow('alice', fleet.topics);
const sidecar = await Sidecar.start(cluster, settings, { routes });
t.teardown(() => sidecar.stop());
const ways = routes.map(({ name }) => Way.routed(sidecar, {}, name));
const [secured, clear] = [ways[0]!, ways[1]!];
let lastWork = 0;
let report: FleetReport | undefined;

await t.test('producers of every route share its connections, which authenticate themselves', async (t) => {
  await fleet.open(ways[0]!, ...ways.slice(1));
  await fleet.start(SECONDS, 1_000);
  report = await fleet.finish(false, SECONDS * 1_000 + 30_000);
  lastWork = performance.now();
  const upstreams = await sidecar.metrics();
  t.strictSame(report.failures, []);
  t.equal(report.acknowledged, SECONDS * fleet.size);
  t.strictSame(await judge.verdict(fleet.topics, report.sent), flawless(report.total));
  for (const { name } of routes) {
    const open = upstreams
      .filter((metric) => metric.name === 'slackwater_upstream_connections' && metric.labels.route === name)
      .reduce((sum, { value }) => sum + value, 0);
    t.ok(open >= 1 && open <= 4, `${name}: ${open} connections for four producers`);
  }
  t.ok(endpoint.granted >= 1, `${endpoint.granted} tokens were granted`);
  t.ok(endpoint.granted <= 3, 'a token is fetched once, not for every dial');
});

await t.test('a consumer of every route takes every message', async (t) => {
  const sockets = sidecar.clientSockets();
  const consumers = await Driver.start('librdkafka');
  t.teardown(() => consumers.stop());
  const members = ways.map(({ route }) => `member-${route}`);
  for (const [index, way] of ways.entries()) {
    const request = { bootstrap: way.bootstrap, group: `group-${way.route}`, topics: fleet.topics, settings: {} };
    await consumers.request('consume', { ...request, members: [members[index]] });
  }
  const wanted = report?.total ?? -1;
  await until(`every member to take ${wanted} messages`, 30_000, async () => {
    const states = await memberStates(consumers);
    const counts = members.map((name) => takenBy({ [name]: states[name]! }).taken);
    return counts.every((count) => count === wanted) ? true : JSON.stringify(counts);
  });
  t.strictSame(consumers.complaints(), []);
  await consumers.request('leave', { members });
  lastWork = performance.now();
  await consumers.stop();
  await until('the sockets of the consumers to go', 5_000, () => {
    const left = sidecar.clientSockets();
    return left <= sockets ? true : `${left} are left, ${sockets} were there before`;
  });
});

await t.test('silent producers hold no connection at the brokers, cost no byte and notice nothing', async (t) => {
  fleet.forget();
  const options = { lastWork, withinSeconds: GONE_AFTER_SECONDS, quietSeconds: 4 };
  const outcomes = await Promise.all([secured, clear].map((way) => fallAsleep(fleet, way, options)));
  for (const [
    index,
    { connectionsLeft, secondsToZero, bytes, dials, clientSockets, complaints },
  ] of outcomes.entries()) {
    const { listener } = [secured, clear][index]!;
    t.equal(connectionsLeft, 0, `${listener}: no connection is left after ${secondsToZero} s`);
    t.strictSame({ bytes, dials, complaints }, { bytes: 0, dials: 0, complaints: [] }, listener);
    t.ok(clientSockets.after >= fleet.size, `${clientSockets.after} client sockets`);
  }
  // Clients may drop a socket that they do not need, such as librdkafka that to its bootstrap address.
  const { client_closed: _ended, client_reset: _dropped, ...others } = await sidecar.closeReasons();
  t.strictSame(others, {}, 'the sidecar closes none');
});

await t.test('producers that wake up authenticate their way anew and deliver once and in order', async (t) => {
  const before = await cluster.figures('HIDDEN');
  const { failures, sent, total, allLatencies } = await fleet.sendOne();
  const after = await cluster.figures('HIDDEN');
  t.comment(`first message p50 ${percentile(allLatencies, 0.5)} ms, p99 ${percentile(allLatencies, 0.99)} ms`);
  t.strictSame(failures, []);
  t.strictSame(await judge.verdict(fleet.topics, sent), flawless(total));
  t.strictSame(fleet.complaints(), [], 'no client logs a warning');
  t.ok(after.authentications > before.authentications, 'dials authenticate');
});

await t.test('brokers have seen alice and nobody else, and refused nothing', async (t) => {
  const principals = new Set(cluster.authorizations().map(({ principal }) => principal));
  t.strictSame([...principals].sort(), ['User:ANONYMOUS', 'User:alice']);
  for (const listener of ['HIDDEN', 'HIDDEN_CLEAR'] as const) {
    const { failedAuthentications, expired } = await cluster.figures(listener);
    t.strictSame({ failedAuthentications, expired }, { failedAuthentications: 0, expired: 0 }, listener);
  }
  t.equal(await sidecar.metric('invariant_violations_total'), 0);
  t.strictSame(sidecar.complaints(), []);
  t.notOk(
    sidecar.log.some((line) => [CLIENT_SECRET, 'alice-secret'].some((secret) => line.includes(secret))),
    'no secret is logged',
  );
});
