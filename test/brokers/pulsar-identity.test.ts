/** Brokers of Pulsar that ask who one is, over TLS: what clients show is theirs alone, and tokens that end are renewed. */
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { flawless } from './ledger.ts';
import { MountedFiles } from './mounted-files.ts';
import { PulsarFleet, type PulsarFleetOptions } from './pulsar/pulsar-fleet.ts';
import { openPulsarWays, realPulsar } from './pulsar/pulsar-setting.ts';
import { PulsarWay } from './pulsar/pulsar-way.ts';
import { untilParked } from './pulsar/scenarios/moves.ts';
import { waysTested } from './setting.ts';

const IDLE = { allowShortIdle: true, connectionMaxIdleSeconds: 3, connectionIdleDetectionIntervalSeconds: 1 };
const LIFE_SECONDS = 4;
const RENEWED_MILLISECONDS = 1_500;

const { cluster, judge } = await realPulsar(t, { brokers: 1, secured: true });
const { admin, security } = cluster;
await admin.createNamespace('public/private');
await admin.permit('public/private', 'alice');
for (const user of ['alice', 'bob', 'carol']) await admin.permit('public/default', user);

const tokens = new MountedFiles({
  alice: security.token('alice'),
  bob: security.token('bob'),
  carol: security.token('carol', LIFE_SECONDS),
  mallory: `${security.token('alice')}x`,
});
t.teardown(() => tokens.remove());
const renewing = setInterval(() => tokens.swap({ carol: security.token('carol', LIFE_SECONDS) }), RENEWED_MILLISECONDS);
t.teardown(() => clearInterval(renewing));
const ways = await openPulsarWays(t, cluster, IDLE);

function fleetOf(options: Pick<PulsarFleetOptions, 'prefix'> & Partial<PulsarFleetOptions>): PulsarFleet {
  const fleet = new PulsarFleet({ kinds: { python: 2, java: 2 }, producers: 2, ...options });
  t.teardown(() => fleet.stop());
  return fleet;
}

function fleetOfUser(way: PulsarWay, user: string): PulsarFleet {
  return fleetOf({ prefix: `${way.through}-${user}`, tokenFile: tokens.path(user) });
}

/** Whence brokers see the producers of a fleet. */
async function addresses(fleet: PulsarFleet): Promise<Set<string>> {
  const stats = await Promise.all(fleet.topics.map((topic) => admin.stats(topic)));
  return new Set(stats.flatMap(({ publishers }) => publishers.map(({ address }) => address ?? 'none')));
}

async function seeUsersApart(way: PulsarWay, t: Test): Promise<void> {
  const fleets = ['alice', 'bob'].map((user) => fleetOfUser(way, user));
  for (const fleet of fleets) await fleet.open(way);
  for (const fleet of fleets) await fleet.sendOne();
  const seen = await Promise.all(fleets.map(addresses));
  // The two kinds of client differ in what they tell brokers of themselves.
  const connections = way.through === 'sidecar' ? 2 : 4;
  for (const each of seen) t.equal(each.size, connections, `${way.through}: ${connections} connections of each user`);
  t.equal(new Set(seen.flatMap((each) => [...each])).size, 2 * connections, 'and none of both');
  await untilParked(way, 10);
  for (const fleet of fleets) {
    const { failures, sent, total } = await fleet.sendOne();
    t.strictSame(failures, []);
    t.strictSame(await judge.verdict(fleet.topics, sent), flawless(total));
    t.strictSame(fleet.complaints(), []);
    await fleet.leave();
  }
}

await t.test('clients of one user share connections, and never with those of another', async (t) => {
  await Promise.all(ways.map((way) => seeUsersApart(way, t)));
});

await t.test('whoever may not, or is not who he says, hears the same as directly', async (t) => {
  // A Python client that is nobody hears it as often as it tries, and tells its application after 30 s.
  const attempts = [
    ['bob', 'python'],
    ['bob', 'java'],
    ['mallory', 'java'],
  ] as const;
  for (const [user, kind] of attempts) {
    const heard = [];
    for (const way of ways) {
      const prefix = `${way.through}-${user}-${kind}`;
      const fleet = fleetOf({
        ...{ prefix, namespace: 'public/private', kinds: { [kind]: 1 }, producers: 1, tokenFile: tokens.path(user) },
      });
      const begun = performance.now();
      const error = String(await fleet.open(way).catch((reason: unknown) => reason));
      heard.push(/Auth[a-z]+/.exec(error)?.[0] ?? error);
      t.comment(`${way.through}: ${user}, ${kind}: after ${Math.round(performance.now() - begun)} ms`);
    }
    const what = user === 'bob' ? 'Authorization' : 'Authentication';
    t.strictSame(
      heard,
      ways.map(() => what),
      `${user}, ${kind}`,
    );
  }
});

/** At work for longer than a token is good, parked for longer than that, and at work again. */
async function seeOutlived(way: PulsarWay, fleet: PulsarFleet, t: Test): Promise<void> {
  await fleet.open(way);
  await fleet.start(8, 1000);
  await fleet.finish(false);
  await untilParked(way, 30); // those of all sidecars: they come to brokers by the same door
  await pause(2 * LIFE_SECONDS * 1000);
  t.strictSame(fleet.complaints(), [], `${way.through}: no client logs a warning`);
  const { failures, sent, total } = await fleet.sendOne();
  t.strictSame(failures, []);
  t.strictSame(await judge.verdict(fleet.topics, sent), flawless(total));
  t.strictSame(fleet.complaints(), [], `${way.through}: nor when it wakes up`);
  await fleet.leave();
}

/** Clients show nothing, and the sidecar what its file holds. */
async function seeFileOutlived(t: Test): Promise<void> {
  if (!waysTested().includes('sidecar')) return;
  const auth = { method: 'token', tokenFile: tokens.path('carol') };
  const way = await PulsarWay.open('sidecar', cluster, IDLE, { upstream: { auth } });
  t.teardown(() => way.close());
  await seeOutlived(way, fleetOf({ prefix: 'anybody' }), t);
}

await t.test(
  'tokens that end are renewed by clients at work, idle or parked, and from the sidecar’s file',
  async (t) => {
    await Promise.all([...ways.map((way) => seeOutlived(way, fleetOfUser(way, 'carol'), t)), seeFileOutlived(t)]);
  },
);
