/** Pulsar, small: six clients with 4 producers each, 4 s of idleness. The full sizes are in test/soak. */
import t from 'tap';
import { flawless, percentile } from './ledger.ts';
import { PulsarFleet } from './pulsar/pulsar-fleet.ts';
import { openPulsarWays, realPulsar } from './pulsar/pulsar-setting.ts';
import type { PulsarWay } from './pulsar/pulsar-way.ts';
import {
  fallAsleep,
  type PulsarSleep,
  type PulsarSteady,
  produceSteadily,
} from './pulsar/scenarios/steady-production.ts';

const MAX_IDLE_SECONDS = 4;
const INTERVAL_SECONDS = 1;
const SPREAD_SECONDS = Math.min(INTERVAL_SECONDS / 10, 5);
/** DESIGN's rule, and a second for looking. */
const GONE_AFTER_SECONDS = MAX_IDLE_SECONDS + INTERVAL_SECONDS + SPREAD_SECONDS + 1;
const PRODUCERS = 4;
const SECONDS = 8;

const { cluster, judge } = await realPulsar(t, { brokers: 1 });
const ways = await openPulsarWays(t, cluster, {
  allowShortIdle: true,
  connectionMaxIdleSeconds: MAX_IDLE_SECONDS,
  connectionIdleDetectionIntervalSeconds: INTERVAL_SECONDS,
});

interface Run {
  readonly way: PulsarWay;
  readonly fleet: PulsarFleet;
  steady?: PulsarSteady;
  asleep?: PulsarSleep;
}

const runs: Run[] = ways.map((way) => {
  const fleet = new PulsarFleet({ prefix: way.through, kinds: { python: 4, java: 2 }, producers: PRODUCERS });
  t.teardown(() => fleet.stop());
  return { way, fleet };
});

await t.test('24 Pulsar producers at work share a handful of broker connections', async (t) => {
  await Promise.all(
    runs.map(async (run) => {
      run.steady = await produceSteadily(run.fleet, run.way, { seconds: SECONDS, settledAfterSeconds: SECONDS / 2 });
    }),
  );
  for (const { way, fleet, steady } of runs) {
    t.strictSame(steady?.report.failures, []);
    t.equal(steady?.report.acknowledged, SECONDS * fleet.producers, `${way.through}: every message is acknowledged`);
    const latencies = steady?.report.allLatencies ?? [];
    t.comment(
      `${way.through}: at most ${steady?.starting.total} connections while starting, ${steady?.settled.total} then; ` +
        `p50 ${percentile(latencies, 0.5)} ms, p99 ${percentile(latencies, 0.99)} ms`,
    );
    if (way.through === 'sidecar') t.ok((steady?.settled.broker ?? 99) <= 4, 'at most 4 at any broker');
    else t.equal(steady?.settled.total, fleet.clients, 'direct: every client has its own');
  }
});

await t.test('silent Pulsar producers hold no broker connection and notice nothing', async (t) => {
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
    t.equal(asleep?.clientSockets.after, asleep?.clientSockets.before, 'every client socket stays open');
    if (way.through === 'sidecar') {
      t.equal(asleep?.connectionsLeft, 0, `no connection is left after ${GONE_AFTER_SECONDS} s`);
      t.ok((asleep?.secondsToZero ?? 0) >= MAX_IDLE_SECONDS - 1, `not sooner than agreed: ${asleep?.secondsToZero} s`);
      t.equal(asleep?.peakAsleep, 0, 'nothing is dialled');
      t.ok((asleep?.clientSockets.before ?? 0) > 0);
    } else t.ok((asleep?.connectionsLeft ?? 0) > 0, `direct: ${asleep?.connectionsLeft} connections stay`);
  }
});

await t.test('Pulsar producers that wake up deliver every message once and in order', async (t) => {
  const reports = await Promise.all(runs.map(({ fleet }) => fleet.sendOne()));
  for (const [index, { way, fleet }] of runs.entries()) {
    const report = reports[index];
    const latencies = report?.allLatencies ?? [];
    t.comment(
      `${way.through}: first message p50 ${percentile(latencies, 0.5)} ms, p99 ${percentile(latencies, 0.99)} ms`,
    );
    t.strictSame(report?.failures, [], `${way.through}: no client meets an error`);
    t.equal(latencies.length, fleet.producers);
    t.strictSame(await judge.verdict(fleet.topics, report?.sent ?? {}), flawless(report?.total ?? -1), way.through);
    t.strictSame(fleet.complaints(), [], `${way.through}: no client logs a warning`);
  }
});
