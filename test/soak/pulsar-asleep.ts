/** Pulsar: clients fall silent, cost nothing, and wake up. */
import { flawless } from '../brokers/ledger.ts';
import { fallAsleep, produceSteadily } from '../brokers/pulsar/scenarios/steady-production.ts';
import { argumentsOf, latencyFigures, latencyText, PULSAR_CLIENTS, publish, tell } from './arguments.ts';
import { fleetOf, onPulsarStage, optionsOf } from './pulsar-stage.ts';
import { idleTimes } from './stage.ts';

const values = argumentsOf(
  'pulsar-asleep',
  'Clients of Pulsar send for a while, fall silent, and send once more; direct beside them at the same time.',
  {
    ...PULSAR_CLIENTS,
    seconds: { value: 15, help: 'how long they send, once a second, before they fall silent' },
    'max-idle': { value: 180, help: 'connectionMaxIdleSeconds' },
    interval: { value: 60, help: 'connectionIdleDetectionIntervalSeconds' },
    partitions: { value: 0, help: 'of each topic, which clients then ask for once a minute; 0: not partitioned' },
    quiet: { value: 600, help: 'seconds to look on once all are asleep' },
  },
);
const { settings, withinSeconds } = idleTimes(values['max-idle'], values.interval);

await onPulsarStage(optionsOf(values), settings, async ({ cluster, judge, ways, later }) => {
  const lines = await Promise.all(
    ways.map(async (way) => {
      const fleet = fleetOf(way.through, values, { named: true, sequenced: true });
      later(() => fleet.stop());
      const { seconds, partitions } = values;
      if (partitions > 0) for (const topic of fleet.topics) await cluster.admin.createPartitioned(topic, partitions);
      const steady = await produceSteadily(fleet, way, { seconds, settledAfterSeconds: seconds / 2 });
      tell(`${way.through}: ${fleet.producers} producers are silent, ${way.total()} connections`);
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
    'pulsar-asleep',
    [
      ['', ...lines.map(({ through }) => through)],
      ['connections at work', ...lines.map((line) => line.connectionsAtWork)],
      [`connections after ${withinSeconds} s`, ...lines.map((line) => line.sleep.connectionsLeft)],
      ['seconds to none', ...lines.map((line) => line.sleep.secondsToZero?.toFixed(1) ?? 'never')],
      [`most of them in ${values.quiet} s`, ...lines.map((line) => line.sleep.peakAsleep)],
      ['connection-seconds of these', ...lines.map((line) => line.sleep.connectionSecondsAsleep.toFixed(1))],
      [
        // The Java client closes the connection of its lookups by itself after a minute or two.
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
