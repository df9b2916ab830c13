/** Brokers that die, stall and join, and a sidecar that is started again, while fifty producers work. */
import t, { type Test } from 'tap';
import { Gate } from './gate.ts';
import { flawless, percentile } from './ledger.ts';
import { Application } from './scenarios/application.ts';
import { freeze, grow, killAndRevive } from './scenarios/broker-failures.ts';
import { openWays, realKafka } from './setting.ts';
import { KAFKA_CURRENT } from './versions.ts';
import type { Way } from './way.ts';

const { cluster, judge } = await realKafka(t, { version: KAFKA_CURRENT, brokers: 3 });
const ways = await openWays(t, cluster, { shutdownGraceSeconds: 7 });
/** Failures hit every way at once; the direct one shows what is the clients' own share of the trouble. */
const SIZES = {
  direct: { librdkafka: 4, java: 2, kafkajs: 2 },
  sidecar: { librdkafka: 30, java: 10, kafkajs: 10 },
} as const;

const applications: { way: Way; application: Application }[] = [];
for (const way of ways) {
  const options = { prefix: `${way.through}-failures`, everyMilliseconds: 500, partitions: 12 };
  const application = new Application(way, judge, { ...options, kinds: SIZES[way.through] });
  t.teardown(() => application.stop());
  await application.open();
  applications.push({ way, application });
}
const topics = applications.flatMap(({ application }) => application.topics);

/** Everybody works while it happens; then nothing may be lost, doubled or out of order. */
async function nothingIsLost(t: Test, what: string, happens: () => Promise<unknown>): Promise<void> {
  const begun = new Gate(applications.length);
  const happening = begun.open.then(happens);
  const outcomes = await Promise.all(
    applications.map(({ application }) =>
      application.workThrough(what, async () => {
        begun.arrive();
        await happening;
      }),
    ),
  );
  for (const [index, { way }] of applications.entries()) {
    const outcome = outcomes[index];
    t.strictSame(outcome?.failures, [], `${way.through}: no message is given up`);
    t.strictSame(outcome?.lost, [], `${way.through}: nothing is lost`);
    const held = outcome?.exact.held ?? 0;
    t.strictSame(outcome?.exact, flawless(held), `${way.through}: ${held} of those who can, once and in order`);
    t.equal(outcome?.taken, outcome?.held, `${way.through}: the group takes all`);
    const latencies = outcome?.latencies ?? [];
    t.comment(`${way.through}: median ${percentile(latencies, 0.5)} ms, slowest ${Math.max(...latencies)} ms`);
  }
}

/** The broker that hurts most: it coordinates the group besides leading a third of the partitions. */
const coordinator = () => judge.coordinator(applications.at(-1)?.application.group ?? '');

await t.test('a broker is killed and comes back', async (t) => {
  const broker = await coordinator();
  await nothingIsLost(t, 'the kill', () => killAndRevive(cluster, judge, topics, { broker, deadSeconds: 5 }));
});

await t.test('a broker freezes for twenty seconds', async (t) => {
  const broker = await coordinator();
  await nothingIsLost(t, 'the freeze', () => freeze(cluster, judge, topics, { broker, seconds: 20 }));
});

await t.test('a fourth broker joins and takes partitions over', (t) =>
  nothingIsLost(t, 'the growth', () => grow(cluster, judge, topics)),
);

for (const { way, application } of applications.filter(({ way }) => way.through === 'sidecar')) {
  await t.test('no client was closed because it waited, and none met a name that it cannot resolve', async (t) => {
    const reasons = await way.sidecar.closeReasons();
    t.equal(reasons.wait_timeout ?? 0, 0, JSON.stringify(reasons));
    t.equal(reasons.too_many_waiters ?? 0, 0, JSON.stringify(reasons));
    t.equal(await way.sidecar.metric('invariant_violations_total'), 0);
    t.strictSame(
      application.log().filter((line) => line.includes('.invalid')),
      [],
      'no address leaks',
    );
  });

  await t.test('the sidecar is started again under load', async (t) => {
    await nothingIsLost(t, 'the restart', async () => {
      const ending = await way.sidecar.terminate();
      t.strictSame(ending, { code: 0, signal: null }, 'it ends by itself');
      await way.sidecar.launch();
    });
    const reasons = await way.sidecar.closeReasons();
    t.equal(reasons.wait_timeout ?? 0, 0, JSON.stringify(reasons));
  });
}
