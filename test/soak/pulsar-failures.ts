/** Pulsar: two brokers whose topics move, one of which is killed, and a sidecar that is killed. */
import { setTimeout as pause } from 'node:timers/promises';
import { flawless } from '../brokers/ledger.ts';
import type { PulsarWay } from '../brokers/pulsar/pulsar-way.ts';
import { moveAll, type TroubleOutcome, underLoad, untilParked } from '../brokers/pulsar/scenarios/moves.ts';
import { argumentsOf, PULSAR_CLIENTS, publish, tell } from './arguments.ts';
import { fleetOf, onPulsarStage, optionsOf } from './pulsar-stage.ts';

const { brokers: _, ...clients } = PULSAR_CLIENTS;
const values = argumentsOf(
  'pulsar-failures',
  'Two brokers: topics that move under load and while parked, a broker killed and back, the sidecar killed.',
  {
    ...clients,
    python: { value: 4, help: 'Python (C++) clients' },
    java: { value: 2, help: 'Java clients' },
    rounds: { value: 3, help: 'how often all of it happens' },
    every: { value: 100, help: 'milliseconds between messages of a producer' },
  },
);
const MAX_IDLE_SECONDS = 3;
const settings = {
  allowShortIdle: true,
  connectionMaxIdleSeconds: MAX_IDLE_SECONDS,
  connectionIdleDetectionIntervalSeconds: 1,
};

interface Line {
  readonly way: string;
  readonly what: string;
  readonly sent: number;
  readonly failures: number;
  readonly slowest: number;
  readonly flawless: boolean;
  readonly verdict: TroubleOutcome['verdict'] | null;
}

await onPulsarStage(optionsOf({ ...values, brokers: '2' }), settings, async ({ cluster, judge, ways, later }) => {
  const lines: Line[] = [];
  const fleets = new Map(
    ways.map((way) => [way, fleetOf(way.through, { ...values, brokers: '2' }, { named: true, sequenced: true })]),
  );
  for (const [way, fleet] of fleets) {
    later(() => fleet.stop());
    await fleet.open(way);
  }
  /** Both ways have the same trouble at the same time. */
  const round = async (what: string, trouble: () => Promise<void>, only: (way: PulsarWay) => boolean = () => true) => {
    const begun = Promise.withResolvers<void>();
    const mine = [...fleets].filter(([way]) => only(way));
    const done = mine.map(([, fleet]) =>
      underLoad(fleet, judge, () => begun.promise, { everyMilliseconds: values.every }),
    );
    await pause(1500);
    await trouble();
    begun.resolve();
    for (const [index, [way]] of mine.entries()) {
      const outcome = await (done[index] ?? Promise.reject(new Error('no outcome')));
      const { sent, failures, verdict, slowest } = outcome;
      const isFlawless = failures.length === 0 && JSON.stringify(verdict) === JSON.stringify(flawless(sent));
      lines.push({
        ...{ way: way.through, what, sent, failures: failures.length, slowest, flawless: isFlawless },
        verdict: isFlawless ? null : verdict,
      });
      tell(`${way.through}: ${what}: ${isFlawless ? 'once and in order' : 'NOT once and in order'}`);
    }
  };
  for (let turn = 0; turn < values.rounds; turn++) {
    const [firstWay] = ways;
    const fleet = firstWay === undefined ? undefined : fleets.get(firstWay);
    if (firstWay === undefined || fleet === undefined) throw new Error('there is no way');
    await round('topics move', () => moveAll(fleet, firstWay));
    for (const way of ways) await untilParked(way, MAX_IDLE_SECONDS + 10);
    await moveAll(fleet, firstWay);
    await round('topics moved while parked', () => Promise.resolve());
    await round('a broker is killed, and back', async () => {
      await cluster.kill(2);
      await cluster.revive(2);
    });
    await round(
      'the sidecar is killed',
      async () => {
        for (const way of ways.filter(({ through }) => through === 'sidecar')) {
          way.sidecar.signal('SIGKILL');
          await way.sidecar.gone();
          await way.sidecar.launch();
        }
      },
      ({ through }) => through === 'sidecar',
    );
  }
  publish(
    'pulsar-failures',
    [
      ['', 'what', 'sent', 'failures', 'slowest, ms', 'once and in order'],
      ...lines.map(
        ({ way, what, sent, failures, slowest, flawless }) =>
          [way, what, sent, failures, Math.round(slowest), String(flawless)] as const,
      ),
    ],
    { ...values, lines },
  );
});
