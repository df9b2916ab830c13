/** Brokers that know who somebody is by the certificate alone (mutual TLS without SASL), in every form that it may have. */
import { join } from 'node:path';
import t from 'tap';
import { run } from './child.ts';
import { Fleet } from './fleet.ts';
import { flawless } from './ledger.ts';
import { contentOf, MountedFiles } from './mounted-files.ts';
import { decisionsOn } from './scenarios/two-users.ts';
import { realKafka } from './setting.ts';
import { Sidecar } from './sidecar.ts';
import { until } from './until.ts';
import { KAFKA_CURRENT } from './versions.ts';
import { Way } from './way.ts';

const PASSWORD = 'key-secret';

const security = { tls: 'mutual', acls: true } as const;
const { cluster, judge } = await realKafka(t, { version: KAFKA_CURRENT, brokers: 1, security });
const { authority } = cluster.certificates;
const client = await authority.issue('alice', { name: 'alice' });
const folder = t.testdir();
const [lockedKey, bundle] = [join(folder, 'locked.key'), join(folder, 'client.p12')];
const locked = ['-v2', 'aes-256-cbc', '-passout', `pass:${PASSWORD}`, '-out', lockedKey];
await run('openssl', ['pkcs8', '-topk8', '-in', client.keyFile, ...locked]);
const packed = ['-out', bundle, '-passout', `pass:${PASSWORD}`];
await run('openssl', ['pkcs12', '-export', '-in', client.certificateFile, '-inkey', client.keyFile, ...packed]);
const files = new MountedFiles({ 'ca.pem': contentOf(authority.caFile), password: `${PASSWORD}\n` });
t.teardown(() => files.remove());

const { certificateFile, keyFile } = client;
const caFile = files.path('ca.pem');
const FORMS = {
  pem: { caFile, certificateFile, keyFile },
  'locked-pem': { caFile, certificateFile, keyFile: lockedKey, keyPasswordFile: files.path('password') },
  pkcs12: { caFile, pkcs12File: bundle, pkcs12PasswordFile: files.path('password') },
};
const NONE = 'none';
const sidecar = await Sidecar.start(
  cluster,
  {},
  {
    waitFor: '/livez',
    routes: [
      ...Object.entries(FORMS).map(([name, tls]) => ({ name, upstream: { tls } })),
      { name: NONE, upstream: { tls: { caFile } } },
    ],
  },
);
t.teardown(() => sidecar.stop());

await t.test('the brokers take every form of it for the same user', async (t) => {
  const fleet = new Fleet({ prefix: 'certified', kinds: { librdkafka: 6, kafkajs: 3 }, topics: 'one' });
  t.teardown(() => fleet.stop());
  await judge.createTopics(fleet.topics, 3);
  await judge.allow('CN=alice', fleet.topics);
  const [first, ...others] = Object.keys(FORMS).map((name) => Way.routed(sidecar, {}, name));
  await fleet.open(first!, ...others);
  await fleet.start(10, 100);
  const { failures, sent, total } = await fleet.finish(false);
  t.strictSame(failures, []);
  t.strictSame(await judge.verdict(fleet.topics, sent), flawless(total));
  const { allowed, denied } = decisionsOn(fleet.topics, cluster.authorizations());
  t.strictSame(Object.keys(allowed), [`User:CN=alice ${fleet.topics[0]}`]);
  t.strictSame(denied, {});
  for (const name of Object.keys(FORMS)) {
    const { length } = await sidecar.upstreams(name);
    t.ok(length >= 1 && length <= 4, `${name}: ${length} connections for three producers`);
  }
});

await t.test('a route without one is told so once', async (t) => {
  await until('the broker to hang up', 10_000, async () => {
    const failures = await sidecar.metric('upstream_dial_failures_total', { route: NONE });
    return failures >= 2 ? true : `${failures} dials failed`;
  });
  const lines = sidecar.entries(NONE).filter(({ event }) => event === 'upstream.dial_failed');
  t.equal(lines.length, 1, 'one line');
  t.comment(`${lines[0]?.reason}: ${lines[0]?.detail}`);
  t.match(lines[0], { reason: /^(tls_failed|closed)$/, remedy: /certificate/ });
  t.equal(await sidecar.metric('invariant_violations_total'), 0);
});
