/** Small: ten producers, 5 s of idleness. The full sizes are in test/soak. */
import t from 'tap';
import { Fleet } from './fleet.ts';
import { flawless, percentile } from './ledger.ts';
import { fallAsleep, type SleepOutcome } from './scenarios/falling-asleep.ts';
import { produceSteadily, type SteadyOutcome } from './scenarios/steady-production.ts';
import { openWays, realKafka } from './setting.ts';
import { KAFKA_CURRENT } from './versions.ts';
import type { Way } from './way.ts';

const MAX_IDLE_SECONDS = 5;
const INTERVAL_SECONDS = 1;
const SPREAD_SECONDS = Math.min(INTERVAL_SECONDS / 10, 5);
/** DESIGN's rule, and a second for looking. */
const GONE_AFTER_SECONDS = MAX_IDLE_SECONDS + INTERVAL_SECONDS + SPREAD_SECONDS + 1;
const THIRTY_MINUTES = 30 * 60_000;

const { cluster, judge } = await realKafka(t, { version: KAFKA_CURRENT, brokers: 3 });
const ways = await openWays(t, cluster, {
  allowShortIdle: true,
  connectionMaxIdleSeconds: MAX_IDLE_SECONDS,
  connectionIdleDetectionIntervalSeconds: INTERVAL_SECONDS,
});

interface Run {
  readonly way: Way;
  readonly fleet: Fleet;
  steady?: SteadyOutcome;
  asleep?: SleepOutcome;
}

const runs: Run[] = [];
for (const way of ways) {
  const kinds = { librdkafka: 4, java: 3, kafkajs: 3 };
  const fleet = new Fleet({ prefix: way.through, kinds, topics: 'one', metadataRefreshMilliseconds: THIRTY_MINUTES });
  t.teardown(() => fleet.stop());
  await judge.createTopics(fleet.topics, 12);
  runs.push({ way, fleet });
}

await t.test('ten producers at work share a handful of broker connections', async (t) => {
  await Promise.all(
    runs.map(async (run) => {
      run.steady = await produceSteadily(run.fleet, run.way, { seconds: 14, settledAfterSeconds: 8 });
    }),
  );
  for (const { way, fleet, steady } of runs) {
    t.strictSame(steady?.report.failures, []);
    t.equal(steady?.report.acknowledged, 14 * fleet.size, `${way.through}: every message is acknowledged`);
    const latencies = steady?.report.allLatencies ?? [];
    t.comment(
      `${way.through}: at most ${steady?.starting.total} connections while starting, ${steady?.settled.total} then, ` +
        `${steady?.settled.broker} at one broker; p50 ${percentile(latencies, 0.5)} ms, p99 ${percentile(latencies, 0.99)} ms`,
    );
    if (way.through === 'sidecar') t.ok((steady?.settled.broker ?? 99) <= 4, 'at most 4 at any broker');
    else t.ok((steady?.settled.total ?? 0) >= 2 * fleet.size, 'direct: every client has its own');
  }
});

await t.test('silent producers hold no broker connection, cost no byte and notice nothing', async (t) => {
  await Promise.all(
    runs.map(async (run) => {
      const lastWork = run.steady?.lastWork ?? Number.NaN;
      run.fleet.forget();
      run.asleep = await fallAsleep(run.fleet, run.way, {
        lastWork,
        withinSeconds: GONE_AFTER_SECONDS,
        quietSeconds: 4,
      });
    }),
  );
  for (const { way, asleep } of runs) {
    t.strictSame(asleep?.complaints, [], `${way.through}: no client logs a warning`);
    if (way.through === 'sidecar') {
      t.equal(asleep?.connectionsLeft, 0, `no connection is left after ${GONE_AFTER_SECONDS} s`);
      t.ok((asleep?.secondsToZero ?? 0) >= MAX_IDLE_SECONDS - 1, `not sooner than agreed: ${asleep?.secondsToZero} s`);
      t.equal(asleep?.bytes, 0, 'no byte passes');
      t.equal(asleep?.dials, 0, 'nothing is dialled');
      t.ok((asleep?.clientSockets.before ?? 0) > 0);
      t.equal(asleep?.clientSockets.after, asleep?.clientSockets.before, 'every client socket stays open');
    } else t.ok((asleep?.connectionsLeft ?? 0) > 0, `direct: ${asleep?.connectionsLeft} connections stay`);
  }
});

await t.test('producers that wake up deliver every message once and in order', async (t) => {
  const reports = await Promise.all(runs.map(({ fleet }) => fleet.sendOne()));
  for (const [index, { way, fleet }] of runs.entries()) {
    const report = reports[index];
    const latencies = report?.allLatencies ?? [];
    t.comment(
      `${way.through}: first message p50 ${percentile(latencies, 0.5)} ms, p99 ${percentile(latencies, 0.99)} ms`,
    );
    t.strictSame(report?.failures, [], `${way.through}: no client meets an error`);
    t.equal(latencies.length, fleet.size);
    t.strictSame(await judge.verdict(fleet.topics, report?.sent ?? {}), flawless(report?.total ?? -1), way.through);
    t.strictSame(fleet.complaints(), [], `${way.through}: no client logs a warning`);
  }
});
