/** Producers with rare metadata refreshes fall silent, cost nothing, and wake up. */
import { Fleet } from '../brokers/fleet.ts';
import { flawless } from '../brokers/ledger.ts';
import { fallAsleep } from '../brokers/scenarios/falling-asleep.ts';
import { produceSteadily } from '../brokers/scenarios/steady-production.ts';
import { argumentsOf, CLIENTS, kindsOf, latencyFigures, latencyText, publish, tell } from './arguments.ts';
import { idleTimes, onStage } from './stage.ts';

const values = argumentsOf(
  'asleep',
  'Idempotent producers send for a while, fall silent, and send once more; direct beside them at the same time.',
  {
    ...CLIENTS,
    seconds: { value: 20, help: 'how long they send, once a second, before they fall silent' },
    'max-idle': { value: 180, help: 'connectionMaxIdleSeconds' },
    interval: { value: 60, help: 'connectionIdleDetectionIntervalSeconds' },
    quiet: { value: 120, help: 'seconds to look on once all are asleep' },
    refresh: { value: 1800, help: 'seconds between the clients’ own metadata refreshes' },
  },
);
const { settings, withinSeconds } = idleTimes(values['max-idle'], values.interval);

await onStage(settings, async ({ judge, ways, later }) => {
  const lines = await Promise.all(
    ways.map(async (way) => {
      const refresh = { metadataRefreshMilliseconds: values.refresh * 1000 };
      const fleet = new Fleet({ prefix: way.through, kinds: kindsOf(values), topics: 'one', ...refresh });
      later(() => fleet.stop());
      await judge.createTopics(fleet.topics, 12);
      const steady = await produceSteadily(fleet, way, {
        seconds: values.seconds,
        settledAfterSeconds: values.seconds / 2,
      });
      tell(`${way.through}: ${fleet.size} producers are silent, ${way.total()} connections`);
      fleet.forget();
      const sleep = await fallAsleep(fleet, way, {
        lastWork: steady.lastWork,
        withinSeconds,
        quietSeconds: values.quiet,
      });
      tell(`${way.through}: ${sleep.connectionsLeft} connections are left; waking up`);
      const awake = await fleet.sendOne();
      const verdict = await judge.verdict(fleet.topics, awake.sent);
      return {
        through: way.through,
        connectionsAtWork: steady.settled.total,
        sleep,
        // A first message of clients whose connections are open: what waking up is compared with.
        awake: latencyFigures(awake.allLatencies),
        text: latencyText(awake.allLatencies),
        failures: awake.failures,
        complaints: fleet.complaints(),
        flawless: JSON.stringify(verdict) === JSON.stringify(flawless(awake.total)),
      };
    }),
  );
  publish(
    'asleep',
    [
      ['', ...lines.map(({ through }) => through)],
      ['connections at work', ...lines.map((line) => line.connectionsAtWork)],
      [`connections after ${withinSeconds} s`, ...lines.map((line) => line.sleep.connectionsLeft)],
      ['seconds to none', ...lines.map((line) => line.sleep.secondsToZero?.toFixed(1) ?? 'never')],
      [`bytes in ${values.quiet} s`, ...lines.map((line) => line.sleep.bytes)],
      [
        'client sockets before, after',
        ...lines.map(({ sleep }) => `${sleep.clientSockets.before}, ${sleep.clientSockets.after}`),
      ],
      ['warnings asleep', ...lines.map((line) => line.sleep.complaints.length)],
      ['first message', ...lines.map((line) => line.text)],
      ['warnings in the end', ...lines.map((line) => line.complaints.length)],
      ['once and in order', ...lines.map((line) => String(line.flawless))],
    ],
    { ...values, withinSeconds, lines },
  );
});
