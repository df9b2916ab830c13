/** Real brokers: two users' clients at work by a random schedule, each forbidden what the other may. */
import { setTimeout as pause } from 'node:timers/promises';
import { Fleet } from '../brokers/fleet.ts';
import { as, identityFiles, upstreamSasl } from '../brokers/identities.ts';
import { flawless } from '../brokers/ledger.ts';
import { MountedFiles } from '../brokers/mounted-files.ts';
import { attempt } from '../brokers/scenarios/attempt.ts';
import { decisionsOn } from '../brokers/scenarios/two-users.ts';
import { Sidecar } from '../brokers/sidecar.ts';
import { Way } from '../brokers/way.ts';
import { seeded } from '../support/seeded.ts';
import { argumentsOf, kindsOf, publish, tell } from './arguments.ts';
import { withBrokers } from './stage.ts';

const values = argumentsOf(
  'identity-users',
  'Producers of alice and of bob, who are known to one sidecar, send in bursts and pause long enough to be reaped; now and ' +
    'then each tries what only the other may.',
  {
    librdkafka: { value: 6, help: 'librdkafka producers of each' },
    java: { value: 4, help: 'Java producers of each' },
    kafkajs: { value: 4, help: 'kafkajs producers of each' },
    seconds: { value: 180, help: 'how long' },
    seed: { value: 1, help: 'of the schedule of bursts, pauses and attempts' },
  },
);
const USERS = ['alice', 'bob'] as const;
const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;
const MAX_PAUSE_MILLISECONDS = 5_000;
const MAX_BURST = 30;
const SETTINGS = { allowShortIdle: true, connectionMaxIdleSeconds: 2, connectionIdleDetectionIntervalSeconds: 1 };

await withBrokers({ security: { tls: true, sasl: true, acls: true } }, async ({ cluster, judge, later }) => {
  const files = { alice: identityFiles(cluster, 'alice'), bob: identityFiles(cluster, 'bob') };
  const users = {
    alice: { password: 'local-alice', sasl: upstreamSasl('alice', 'SCRAM-SHA-512', files.alice) },
    bob: { password: 'local-bob', sasl: upstreamSasl('bob', 'PLAIN', files.bob) },
  };
  const local = new MountedFiles({ 'users.yaml': JSON.stringify({ users }) });
  later(() => [files.alice, files.bob, local].map((folder) => folder.remove()));
  const upstream = { tls: { caFile: files.alice.path('ca.pem') }, sasl: users.alice.sasl };
  const route = { name: 'known', upstream, keys: { listenSasl: { credentialsFile: local.path('users.yaml') } } };
  const sidecar = await Sidecar.start(cluster, SETTINGS, { routes: [route] });
  later(() => sidecar.stop());
  const deadline = performance.now() + values.seconds * 1000;

  async function work(user: (typeof USERS)[number], index: number) {
    const random = seeded(values.seed + index);
    const fleet = new Fleet({ prefix: user, kinds: kindsOf(values), topics: 'one' });
    later(() => fleet.stop());
    await judge.createTopics(fleet.topics, 12);
    await judge.allow(user, fleet.topics);
    const [first, ...others] = MECHANISMS.map((mechanism) =>
      Way.routed(sidecar, { sasl: as(user, mechanism, users[user].password) }),
    );
    if (first === undefined) throw new Error('no mechanism');
    await fleet.open(first, ...others);
    const foreign = user === 'alice' ? 'bob-topic' : 'alice-topic';
    const failures: string[] = [];
    let [bursts, attempts, delivered] = [0, 0, 0];
    let last = await fleet.sendOne();
    while (performance.now() < deadline) {
      await fleet.start(1 + Math.floor(random() * MAX_BURST), 5 + Math.floor(random() * 40));
      last = await fleet.finish(false);
      failures.push(...last.failures);
      bursts += 1;
      if (random() < 0.2) {
        const outcome = await attempt(first, foreign);
        attempts += 1;
        delivered += outcome.delivered;
      }
      await pause(random() * MAX_PAUSE_MILLISECONDS);
    }
    const verdict = await judge.verdict(fleet.topics, last.sent);
    const whole = JSON.stringify(verdict) === JSON.stringify(flawless(last.total));
    return { user, bursts, attempts, delivered, sent: last.total, failures, complaints: fleet.complaints(), whole };
  }

  tell(`alice and bob are at work for ${values.seconds} s`);
  const lines = await Promise.all(USERS.map(work));
  const decisions = decisionsOn(['alice-topic', 'bob-topic'], cluster.authorizations());
  const rightful = new Set(['User:alice alice-topic', 'User:bob bob-topic']);
  const foreign = Object.entries(decisions.allowed).filter(([key]) => !rightful.has(key));
  publish(
    'identity-users',
    [
      ['', ...lines.map(({ user }) => user)],
      ['bursts', ...lines.map(({ bursts }) => bursts)],
      ['messages', ...lines.map(({ sent }) => sent)],
      ['failed', ...lines.map(({ failures }) => failures.length)],
      ['once and in order', ...lines.map(({ whole }) => String(whole))],
      ['attempts on the other’s topic', ...lines.map(({ attempts }) => attempts)],
      ['of them delivered', ...lines.map(({ delivered }) => delivered)],
      ['dials of the sidecar', (await cluster.figures('HIDDEN')).created],
      ['decisions for the right principal', Object.values(decisions.allowed).reduce((sum, count) => sum + count, 0)],
      ['for a foreign one', foreign.reduce((sum, [, count]) => sum + count, 0)],
      ['refused', JSON.stringify(decisions.denied)],
    ],
    { ...values, lines, decisions, foreign, violations: await sidecar.metric('invariant_violations_total') },
  );
});
