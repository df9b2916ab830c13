/** Producers at work, how many broker connections they hold and what it costs in latency. */
import { Fleet } from '../brokers/fleet.ts';
import { flawless } from '../brokers/ledger.ts';
import { produceSteadily, type SteadyOutcome } from '../brokers/scenarios/steady-production.ts';
import type { Through } from '../brokers/way.ts';
import { argumentsOf, CLIENTS, kindsOf, latencyFigures, latencyText, publish, tell } from './arguments.ts';
import { onStage } from './stage.ts';

const values = argumentsOf(
  'sharing',
  'Idempotent producers that each send once a second: direct first, then through the sidecar.',
  {
    ...CLIENTS,
    seconds: { value: 60, help: 'how long they send' },
    settled: { value: 20, help: 'from which second of these connections count as settled' },
    'max-idle': { value: 5, help: 'connectionMaxIdleSeconds' },
    interval: { value: 1, help: 'connectionIdleDetectionIntervalSeconds' },
    rounds: { value: 1, help: 'how often each way is measured, in turn' },
  },
);

interface Line extends SteadyOutcome {
  readonly through: Through;
  readonly flawless: boolean;
}

await onStage(
  {
    allowShortIdle: true,
    connectionMaxIdleSeconds: values['max-idle'],
    connectionIdleDetectionIntervalSeconds: values.interval,
  },
  async ({ judge, ways }) => {
    const lines: Line[] = [];
    for (let round = 0; round < values.rounds; round++) {
      for (const way of ways) {
        const fleet = new Fleet({ prefix: `${way.through}-${round}`, kinds: kindsOf(values), topics: 'one' });
        await judge.createTopics(fleet.topics, 12);
        tell(`${way.through}: ${fleet.size} producers, ${values.seconds} s`);
        try {
          const options = { seconds: values.seconds, settledAfterSeconds: values.settled };
          const outcome = await produceSteadily(fleet, way, options);
          const verdict = await judge.verdict(fleet.topics, outcome.report.sent);
          const expected = JSON.stringify(flawless(outcome.report.total));
          lines.push({ ...outcome, through: way.through, flawless: JSON.stringify(verdict) === expected });
        } finally {
          await fleet.stop();
        }
      }
    }
    publish(
      'sharing',
      [
        ['', 'peak while starting', 'then, all', 'then, one broker', 'latency', 'once and in order'],
        ...lines.map(
          ({ through, starting, settled, report, flawless }) =>
            [
              through,
              starting.total,
              settled.total,
              settled.broker,
              latencyText(report.allLatencies),
              String(flawless),
            ] as const,
        ),
      ],
      {
        ...values,
        lines: lines.map(({ through, starting, settled, report, flawless }) => ({
          ...{ through, starting, settled, flawless, failures: report.failures.length },
          latency: latencyFigures(report.allLatencies),
          byKind: Object.fromEntries(
            Object.entries(report.latencies).map(([kind, all]) => [kind, latencyFigures(all)]),
          ),
        })),
      },
    );
  },
);
