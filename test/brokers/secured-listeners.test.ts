/** The tests' own ground: brokers with TLS, SASL and ACLs let in who they should, without anything in between. */
import t from 'tap';
import type { Access } from './clients/access.ts';
import { Fleet } from './fleet.ts';
import { flawless } from './ledger.ts';
import { attempt } from './scenarios/attempt.ts';
import { MECHANISMS, type Mechanism, USERS } from './security.ts';
import { realKafka } from './setting.ts';
import { until } from './until.ts';
import { KAFKA_CURRENT } from './versions.ts';
import { Way } from './way.ts';

const security = { tls: true, sasl: true, acls: true } as const;
const { cluster, judge } = await realKafka(t, { version: KAFKA_CURRENT, brokers: 1, security });
const { caFile } = cluster.certificates.authority;

function as(user: keyof typeof USERS, mechanism: Mechanism, password: string = USERS[user]): Access {
  return { caFile, sasl: { mechanism, username: user, ...(mechanism === 'OAUTHBEARER' ? {} : { password }) } };
}

function clear({ sasl }: Access): Access {
  return sasl === undefined ? {} : { sasl };
}

await t.test('every library is let in by every mechanism, with and without TLS', async (t) => {
  const ways = MECHANISMS.flatMap((mechanism) => [
    Way.direct(cluster, as('alice', mechanism)),
    Way.direct(cluster, clear(as('alice', mechanism)), 'DIRECT_CLEAR'),
  ]);
  const each = ways.length;
  const kinds = { librdkafka: each, java: each, kafkajs: each, platformatic: each };
  const fleet = new Fleet({ prefix: 'secured', kinds, topics: 'one' });
  t.teardown(() => fleet.stop());
  await judge.createTopics(fleet.topics, 3);
  await judge.allow('alice', fleet.topics);
  const [first, ...others] = ways;
  await fleet.open(first!, ...others);
  const report = await fleet.sendOne();
  t.strictSame(report.failures, []);
  t.strictSame(await judge.verdict(fleet.topics, report.sent), flawless(4 * each));
  const figures = await cluster.figures('DIRECT');
  t.ok(figures.authentications >= (4 * each) / 2, JSON.stringify(figures));
  t.equal(figures.failedAuthentications, 0);
  const principals = new Set(cluster.authorizations().map(({ principal }) => principal));
  t.strictSame([...principals].sort(), ['User:ANONYMOUS', 'User:alice']);
});

await t.test('a wrong password, another’s topic and an unknown authority are refused', async (t) => {
  await judge.createTopics(['of-alice', 'of-bob'], 1);
  await judge.allow('alice', ['of-alice']);
  await judge.allow('bob', ['of-bob']);
  const alice = as('alice', 'SCRAM-SHA-256');
  const stranger = await cluster.certificates.found('stranger');

  const [good, wrong, foreign, untrusted] = await Promise.all([
    attempt(Way.direct(cluster, alice), 'of-alice'),
    attempt(Way.direct(cluster, as('alice', 'SCRAM-SHA-256', 'wrong')), 'of-alice'),
    attempt(Way.direct(cluster, alice), 'of-bob'),
    attempt(Way.direct(cluster, { ...alice, caFile: stranger.caFile }), 'of-alice'),
  ]);
  t.strictSame(good, { delivered: 1, failures: [], complaints: [] });
  t.match(wrong, { delivered: 0, complaints: [/Authentication failed/] });
  t.match(foreign, { delivered: 0, failures: [/TOPIC_AUTHORIZATION_FAILED/] });
  t.match(untrusted, { delivered: 0, complaints: [/certificate verify failed/] });
});

await t.test('a password and a certificate can be replaced while the broker runs', async (t) => {
  const { authority } = cluster.certificates;
  await judge.changePassword('bob', 'bob-secret-2');
  await until('bob’s new password to be taken', 10_000, async () => {
    const { delivered, complaints } = await attempt(
      Way.direct(cluster, as('bob', 'SCRAM-SHA-512', 'bob-secret-2')),
      'of-bob',
    );
    return delivered === 1 ? true : complaints.join('\n');
  });
  const second = await cluster.certificates.found('second');
  await judge.showCertificate('DIRECT', await cluster.certificates.issue('brokers', { by: second }));
  const alice = as('alice', 'SCRAM-SHA-256');
  const way = (caFile: string) => Way.direct(cluster, { ...alice, caFile });
  const [before, after, oldAuthority] = await Promise.all([
    attempt(Way.direct(cluster, { ...as('bob', 'SCRAM-SHA-512'), caFile: second.caFile }), 'of-bob'),
    attempt(way(second.caFile), 'of-alice'),
    attempt(way(authority.caFile), 'of-alice'),
  ]);
  t.match(before, { delivered: 0, complaints: [/Authentication failed/] }, 'the password before');
  t.match(after, { delivered: 1, complaints: [] });
  t.match(oldAuthority, { delivered: 0, complaints: [/certificate verify failed/] });
});
