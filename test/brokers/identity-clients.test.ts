/**
 * Clients that say who they are: to the broker, through a connection of their own; or to the sidecar, which knows them
 * and is somebody else for each of them. Whatever they do, no broker sees one of them act as another.
 */

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import type { Access } from './clients/access.ts';
import { Fleet } from './fleet.ts';
import { as, identityFiles, upstreamSasl } from './identities.ts';
import { flawless } from './ledger.ts';
import { contentOf, MountedFiles } from './mounted-files.ts';
import { attempt } from './scenarios/attempt.ts';
import { decisionsOn } from './scenarios/two-users.ts';
import { MECHANISMS, USERS, type User } from './security.ts';
import { realKafka } from './setting.ts';
import { Sidecar } from './sidecar.ts';
import { KAFKA_CURRENT } from './versions.ts';
import { Way } from './way.ts';

const PASS_THROUGH = 'pass-through';
const KNOWN = 'known';
const GUARDED = 'guarded';
const NAMED = 'named';
const LOCAL = { alice: 'local-alice', bob: 'local-bob' } as const;

const security = { tls: true, sasl: true, acls: true } as const;
const { cluster, judge } = await realKafka(t, { version: KAFKA_CURRENT, brokers: 3, security });
const { authority } = cluster.certificates;
const owners = { alice: identityFiles(cluster, 'alice'), bob: identityFiles(cluster, 'bob') };
const server = await authority.issue('sidecar', { name: 'sidecar', names: ['DNS:localhost', 'IP:127.0.0.1'] });
const certificates = {
  alice: await authority.issue('alice', { name: 'alice' }),
  bob: await authority.issue('bob', { name: 'bob' }),
};
const users = {
  alice: { password: LOCAL.alice, sasl: upstreamSasl('alice', 'SCRAM-SHA-512', owners.alice) },
  bob: { password: LOCAL.bob, sasl: upstreamSasl('bob', 'PLAIN', owners.bob) },
};
const local = new MountedFiles({
  'users.yaml': JSON.stringify({ users }),
  'ca.pem': contentOf(authority.caFile),
  'server.pem': contentOf(server.certificateFile),
  'server.key': contentOf(server.keyFile),
});
t.teardown(() => [owners.alice, owners.bob, local].map((folder) => folder.remove()));
const stateFile = local.path('topology.json');

const tls = { caFile: local.path('ca.pem') };
const listenTls = { certificateFile: local.path('server.pem'), keyFile: local.path('server.key') };
const credentialsFile = local.path('users.yaml');
const sidecar = await Sidecar.start(
  cluster,
  { shutdownGraceSeconds: 6 },
  {
    routes: [
      { name: PASS_THROUGH, upstream: { tls, saslPassThrough: true }, keys: { stateFile } },
      { name: KNOWN, upstream: { tls, sasl: users.alice.sasl }, keys: { listenSasl: { credentialsFile } } },
      {
        name: GUARDED,
        upstream: { tls, sasl: users.alice.sasl },
        keys: { listenTls, listenSasl: { credentialsFile } },
      },
      {
        name: NAMED,
        upstream: { tls, sasl: users.alice.sasl },
        keys: {
          listenTls: { ...listenTls, clientCaFile: local.path('ca.pem'), subjectIsUser: true },
          listenSasl: { mechanisms: [], credentialsFile },
        },
      },
    ],
  },
);
t.teardown(() => sidecar.stop());

const topics = { alice: 'topic-a', bob: 'topic-b' } as const;
await judge.createTopics(Object.values(topics), 3);
for (const user of ['alice', 'bob'] as const) await judge.allow(user, [topics[user]]);

/** Who may do something with these topics, and who tried and may not, as the brokers decided. */
function decided(wanted: readonly string[]): { may: string[]; mayNot: string[] } {
  const { allowed, denied } = decisionsOn(wanted, cluster.authorizations());
  return { may: Object.keys(allowed).sort(), mayNot: Object.keys(denied).sort() };
}

await t.test('every library authenticates itself to the brokers on a connection of its own', async (t) => {
  const ways = MECHANISMS.map((mechanism) => Way.routed(sidecar, { sasl: as('alice', mechanism) }, PASS_THROUGH));
  const kinds = { librdkafka: 4, java: 4, kafkajs: 4, platformatic: 4 };
  const fleet = new Fleet({ prefix: 'through', kinds, topics: 'one' });
  t.teardown(() => fleet.stop());
  await judge.createTopics(fleet.topics, 6);
  await judge.allow('alice', fleet.topics);
  await fleet.open(ways[0]!, ...ways.slice(1));
  await fleet.start(5, 500);
  const { failures, sent, total } = await fleet.finish(false);
  t.strictSame(failures, []);
  t.equal(total, 5 * fleet.size);
  t.strictSame(await judge.verdict(fleet.topics, sent), flawless(total));
  t.strictSame(
    fleet.log().filter((line) => line.includes('.invalid')),
    [],
    'no address leaks',
  );
  const clients = await sidecar.clients(PASS_THROUGH);
  const pinned = clients.filter(({ pins }) => pins.includes('sasl'));
  t.ok(pinned.length >= fleet.size, `${pinned.length} of ${clients.length} clients have a connection of their own`);
  t.strictSame(decided(fleet.topics), { may: [`User:alice ${fleet.topics[0]}`], mayNot: [] });
});

await t.test('a wrong password is told as the broker tells it', async (t) => {
  await Promise.all(
    (['PLAIN', 'SCRAM-SHA-256'] as const).map(async (mechanism) => {
      const way = Way.routed(sidecar, { sasl: as('alice', mechanism, 'wrong') }, PASS_THROUGH);
      t.match(await attempt(way, topics.alice), { delivered: 0, complaints: [/Authentication failed/] }, mechanism);
    }),
  );
});

await t.test('after a restart the ports of all brokers are there before any client has come', async (t) => {
  t.ok(existsSync(stateFile), 'the last map is kept');
  t.strictSame(await sidecar.terminate(), { code: 0, signal: null });
  await sidecar.launch();
  t.equal((await sidecar.clients(PASS_THROUGH)).length, 0, 'nobody has come yet');
  for (const { id } of cluster.nodes) {
    const [host, port] = sidecar.brokerAddress(id, PASS_THROUGH).split(':');
    const socket = connect(Number(port), host);
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
    t.pass(`broker ${id}`);
    socket.destroy();
  }
  const way = Way.routed(sidecar, { sasl: as('alice', 'SCRAM-SHA-512') }, PASS_THROUGH);
  t.match(await attempt(way, topics.alice), { delivered: 1, failures: [], complaints: [] });
});

/** Two users' clients, of every mechanism that they may use, at work at the same time. */
async function bothWork(t: Test, route: string, accessOf: (user: User, turn: number) => Access): Promise<void> {
  const before = cluster.authorizations().length;
  const runs = await Promise.all(
    (['alice', 'bob'] as const).map(async (user) => {
      const fleet = new Fleet({
        prefix: `${route}-${user}`,
        kinds: { librdkafka: 3, java: 3, kafkajs: 3 },
        topics: 'one',
      });
      t.teardown(() => fleet.stop());
      await judge.createTopics(fleet.topics, 6);
      await judge.allow(user, fleet.topics);
      const ways = [0, 1, 2].map((turn) => Way.routed(sidecar, accessOf(user, turn), route));
      await fleet.open(ways[0]!, ...ways.slice(1));
      const { failures } = await fleet.sendOne();
      t.strictSame(failures, [], user);
      // What librdkafka says while it drops its bootstrap connections is no complaint.
      fleet.forget();
      await fleet.start(10, 200);
      const report = await fleet.finish(false);
      return { user, fleet, report };
    }),
  );
  for (const { user, fleet, report } of runs) {
    t.strictSame(report.failures, [], user);
    t.strictSame(await judge.verdict(fleet.topics, report.sent), flawless(report.total), user);
    t.strictSame(decided(fleet.topics), { may: [`User:${user} ${fleet.topics[0]}`], mayNot: [] }, 'nobody else');
    t.strictSame(fleet.complaints(), []);
  }
  t.ok(cluster.authorizations().length > before);
  const upstreams = await sidecar.upstreams(route);
  t.ok(upstreams.length <= 2 * 3 * 4, `${upstreams.length} connections for 18 clients at three brokers`);
  await Promise.all(runs.map(({ fleet }) => fleet.stop()));
}

const LOCAL_MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

await t.test('users that the sidecar knows share connections with themselves and with nobody else', async (t) => {
  await bothWork(t, KNOWN, (user, turn) => ({ sasl: as(user, LOCAL_MECHANISMS[turn]!, LOCAL[user]) }));
});

await t.test('so they do over TLS', async (t) => {
  await bothWork(t, GUARDED, (user, turn) => ({
    caFile: authority.caFile,
    sasl: as(user, LOCAL_MECHANISMS[turn]!, LOCAL[user]),
  }));
});

await t.test('so do users that their certificates name', async (t) => {
  await bothWork(t, NAMED, (user) => ({ caFile: authority.caFile, certificate: certificates[user] }));
});

await t.test('a user is refused what the brokers refuse that user, and nobody acts in another’s name', async (t) => {
  for (const [user, foreign] of [
    ['alice', 'bob'],
    ['bob', 'alice'],
  ] as const) {
    const way = Way.routed(sidecar, { sasl: as(user, 'SCRAM-SHA-256', LOCAL[user]) }, KNOWN);
    t.match(await attempt(way, topics[foreign]), { delivered: 0, failures: [/TOPIC_AUTHORIZATION_FAILED/] }, user);
    t.match(await attempt(way, topics[user]), { delivered: 1, failures: [] }, user);
  }
  t.strictSame(decided(Object.values(topics)), {
    may: ['User:alice topic-a', 'User:bob topic-b'],
    mayNot: ['User:alice topic-b', 'User:bob topic-a'],
  });
});

await t.test('who does not know the local password hears so, and the brokers hear nothing', async (t) => {
  const before = await cluster.figures('HIDDEN');
  const strangers = LOCAL_MECHANISMS.flatMap((mechanism) => [
    as('alice', mechanism, USERS.alice),
    { mechanism, username: 'mallory', password: 'guess' },
  ]);
  await Promise.all(
    strangers.map(async (sasl) => {
      const outcome = await attempt(Way.routed(sidecar, { sasl }, KNOWN), topics.alice);
      t.match(outcome, { delivered: 0, complaints: [/Authentication failed/] }, `${sasl.username}, ${sasl.mechanism}`);
    }),
  );
  const after = await cluster.figures('HIDDEN');
  t.equal(after.failedAuthentications, before.failedAuthentications);
  t.equal(after.created, before.created, 'nothing is dialled for them');
});

await t.test('the sidecar broke no rule of its own and told no secret', async (t) => {
  t.equal(await sidecar.metric('invariant_violations_total'), 0);
  const secrets = [...Object.values(USERS), ...Object.values(LOCAL)];
  t.notOk(sidecar.log.some((line) => secrets.some((secret) => line.includes(secret))));
});
