/** Pulsar: clients at work, how many broker connections they hold and what it costs in latency. */
import { flawless } from '../brokers/ledger.ts';
import { type PulsarSteady, produceSteadily } from '../brokers/pulsar/scenarios/steady-production.ts';
import type { Through } from '../brokers/way.ts';
import { argumentsOf, latencyFigures, latencyText, PULSAR_CLIENTS, publish, tell } from './arguments.ts';
import { fleetOf, onPulsarStage, optionsOf } from './pulsar-stage.ts';
import { idleTimes } from './stage.ts';

const values = argumentsOf(
  'pulsar-sharing',
  'Clients of Pulsar whose producers each send once a second: direct first, then through the sidecar.',
  {
    ...PULSAR_CLIENTS,
    seconds: { value: 60, help: 'how long they send' },
    settled: { value: 20, help: 'from which second of these connections count as settled' },
    'max-idle': { value: 5, help: 'connectionMaxIdleSeconds' },
    interval: { value: 1, help: 'connectionIdleDetectionIntervalSeconds' },
  },
);
const { settings } = idleTimes(values['max-idle'], values.interval);

interface Line extends PulsarSteady {
  readonly through: Through;
  readonly flawless: boolean;
}

await onPulsarStage(optionsOf(values), settings, async ({ judge, ways }) => {
  const lines: Line[] = [];
  for (const way of ways) {
    const fleet = fleetOf(way.through, values, { named: true, sequenced: true });
    tell(`${way.through}: ${fleet.clients} clients with ${fleet.producers} producers, ${values.seconds} s`);
    try {
      const outcome = await produceSteadily(fleet, way, {
        seconds: values.seconds,
        settledAfterSeconds: values.settled,
      });
      const verdict = await judge.verdict(fleet.topics, outcome.report.sent);
      const expected = JSON.stringify(flawless(outcome.report.total));
      lines.push({ ...outcome, through: way.through, flawless: JSON.stringify(verdict) === expected });
    } finally {
      await fleet.stop();
    }
  }
  publish(
    'pulsar-sharing',
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
      })),
    },
  );
});
