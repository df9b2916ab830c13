/** One broker of Pulsar; test/soak has two, with both load managers. */
import t from 'tap';
import { flawless } from './ledger.ts';
import { PulsarFleet } from './pulsar/pulsar-fleet.ts';
import { openPulsarWays, realPulsar } from './pulsar/pulsar-setting.ts';
import type { PulsarWay } from './pulsar/pulsar-way.ts';
import { RoughClient } from './pulsar/rough-client.ts';
import { moveAll, underLoad, untilParked } from './pulsar/scenarios/moves.ts';

const MAX_IDLE_SECONDS = 2;
const PARKED_SECONDS = 10;

// A message whose acknowledgement was lost is sent again; brokers that know the producer's name drop it.
const { cluster, judge } = await realPulsar(t, { brokers: 1, properties: { brokerDeduplicationEnabled: true } });
const ways = await openPulsarWays(t, cluster, {
  allowShortIdle: true,
  connectionMaxIdleSeconds: MAX_IDLE_SECONDS,
  connectionIdleDetectionIntervalSeconds: 1,
});

/**
 * One after the other: while a bundle is on its way no broker can say who owns a topic in it, and lookups that come
 * together, here those of clients that come back, may get one answer (see PulsarFleet).
 */
async function bothWays(run: (way: PulsarWay) => Promise<void>): Promise<void> {
  for (const way of ways) await run(way);
}

const NAMED = { named: true, sequenced: true } as const;

function fleetOf(way: PulsarWay, prefix: string, settings: Partial<typeof NAMED> = {}): PulsarFleet {
  const whole = `${way.through}-${prefix}`;
  const fleet = new PulsarFleet({ prefix: whole, kinds: { python: 2, java: 1 }, producers: 2, settings });
  t.teardown(() => fleet.stop());
  return fleet;
}

await t.test('topics that move under load lose and double nothing', async (t) => {
  await bothWays(async (way) => {
    const fleet = fleetOf(way, 'moving', NAMED);
    await fleet.open(way);
    const outcome = await underLoad(fleet, judge, () => moveAll(fleet, way));
    t.strictSame(outcome.failures, [], `${way.through}: no client meets an error`);
    t.strictSame(outcome.verdict, flawless(outcome.sent), `${way.through}: ${outcome.slowest} ms at most`);
    await fleet.stop();
  });
});

await t.test('topics that move, or are deleted, while their producers are parked take the next message', async (t) => {
  await bothWays(async (way) => {
    const fleet = fleetOf(way, 'parked');
    await fleet.open(way);
    await fleet.sendOne();
    await untilParked(way, PARKED_SECONDS);
    await moveAll(fleet, way);
    const moved = await fleet.sendOne();
    t.strictSame(moved.failures, [], `${way.through}: moved`);
    t.strictSame(await judge.verdict(fleet.topics, moved.sent), flawless(moved.total), way.through);
    await untilParked(way, PARKED_SECONDS);
    const [deleted = ''] = fleet.topics;
    await cluster.admin.delete(deleted, true);
    const after = await fleet.sendOne();
    t.strictSame(after.failures, [], `${way.through}: deleted`);
    const name = deleted.split('/').at(-1);
    t.strictSame(Object.values(await judge.read([deleted])), [[`${name} 2`]], `${way.through}: begun anew`);
    await fleet.stop();
  });
});

await t.test('one name is one producer’s, and is free as soon as its client is gone', async (t) => {
  await bothWays(async (way) => {
    const first = fleetOf(way, 'same', { named: true });
    await first.open(way);
    const second = fleetOf(way, 'same', { named: true });
    await t.rejects(second.open(way), /ProducerBusy/, `${way.through}: busy`);
    await second.stop();
    await untilParked(way, PARKED_SECONDS);
    const late = fleetOf(way, 'same', { named: true });
    await t.rejects(late.open(way), /ProducerBusy/, `${way.through}: busy, also while it is parked`);
    await late.stop();
    const report = await first.sendOne();
    t.strictSame(report.failures, [], `${way.through}: the first one is not disturbed`);
    // Killed, not closed: nobody says CLOSE_PRODUCER for it.
    await first.stop();
    const third = fleetOf(way, 'same', { named: true });
    await third.open(way);
    await third.stop();
  });
});

for (const way of ways.filter(({ through }) => through === 'sidecar')) {
  await t.test('what one client does wrong, the others do not notice', async (t) => {
    const fleet = fleetOf(way, 'neighbours');
    await fleet.open(way);
    fleet.forget();
    const broker = cluster.node(1).advertised('HIDDEN');
    const outcome = await underLoad(fleet, judge, async () => {
      const rough: Record<string, (client: RoughClient) => void> = {
        garbage: (client) => client.write(Buffer.from('GET / HTTP/1.1\r\nhost: me\r\n\r\n')),
        'a SEND for a producer that nobody has': (client) =>
          client.send('SEND', { producerId: 77n, sequenceId: 0n, numMessages: 1 }, Buffer.alloc(64)),
        'a frame that says it has 2 GiB': (client) => client.write(Buffer.from('7fffffff00000010', 'hex')),
        'a command that is none': (client) => client.write(Buffer.from('00000008000000040806ffff', 'hex')),
      };
      for (const [what, misbehave] of Object.entries(rough)) {
        const client = new RoughClient(way.url);
        t.teardown(() => client.destroy());
        await client.connect(broker);
        misbehave(client);
        await t.resolves(client.closed(), what);
      }
    });
    t.strictSame(outcome.failures, []);
    t.strictSame(outcome.verdict, flawless(outcome.sent));
    t.strictSame(fleet.complaints(), [], 'no neighbour logs a warning');
    await fleet.stop();
  });

  await t.test('who sends more than a broker takes of it holds nobody up for long', async (t) => {
    await cluster.admin.createNamespace('public/throttled');
    await cluster.admin.limitPublishing('public/throttled', 50);
    const kinds = { python: 1 };
    const hot = new PulsarFleet({ prefix: 'hot', kinds, producers: 1, namespace: 'public/throttled' });
    const quiet = new PulsarFleet({ prefix: 'quiet', kinds: { python: 2 }, producers: 1 });
    for (const fleet of [hot, quiet]) {
      t.teardown(() => fleet.stop());
      await fleet.open(way);
    }
    await hot.sendOne();
    await quiet.sendOne();
    await hot.start(400, 1);
    await quiet.start(40, 100);
    const before = await quiet.finish(false);
    t.ok(
      Math.max(...before.allLatencies) < 4000,
      `${Math.max(...before.allLatencies)} ms at most until it has its own`,
    );
    const purposes = (await way.sidecar.upstreams()).map(({ purpose }) => purpose);
    t.ok(
      purposes.some((purpose) => purpose.startsWith('bulk:')),
      'a connection of its own',
    );
    t.ok((await way.sidecar.metric('upstream_stalled_seconds')) > 0, 'it is noticed');
    await quiet.start(20, 100);
    const report = await quiet.finish(false);
    const whole = await hot.finish(true, 60_000);
    t.ok(Math.max(...report.allLatencies) < 500, `${Math.max(...report.allLatencies)} ms at most once it has its own`);
    t.strictSame(await judge.verdict(hot.topics, whole.sent), flawless(whole.total));
    t.strictSame([...whole.failures, ...report.failures], []);
    await hot.stop();
    await quiet.stop();
  });

  await t.test('a broker that no lookup named is not dialled', async (t) => {
    const client = new RoughClient(way.url);
    t.teardown(() => client.destroy());
    client.send('CONNECT', { clientVersion: 'rough', protocolVersion: 21, proxyToBrokerUrl: 'elsewhere.invalid:6650' });
    await client.heard('ERROR');
    await client.closed();
    t.equal((await way.sidecar.closeReasons()).broker_not_allowed, 1);
  });

  await t.test('a sidecar that was killed is found again, and nothing is lost or doubled', async (t) => {
    const fleet = fleetOf(way, 'restart', NAMED);
    await fleet.open(way);
    const outcome = await underLoad(fleet, judge, async () => {
      way.sidecar.signal('SIGKILL');
      await way.sidecar.gone();
      await way.sidecar.launch();
    });
    t.strictSame(outcome.failures, []);
    t.strictSame(outcome.verdict, flawless(outcome.sent), `${outcome.slowest} ms at most`);
    await fleet.stop();
  });

  await t.test('the sidecar broke no rule of its own', async (t) => {
    t.equal(await way.sidecar.metric('invariant_violations_total'), 0);
  });
}
