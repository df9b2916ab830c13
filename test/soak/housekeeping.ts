/** Clients with default settings sleep for long; their periodic metadata refresh is on. */
import { setTimeout as pause } from 'node:timers/promises';
import { ConnectionWatch } from '../brokers/connection-watch.ts';
import { Fleet } from '../brokers/fleet.ts';
import { flawless } from '../brokers/ledger.ts';
import { produceSteadily } from '../brokers/scenarios/steady-production.ts';
import { argumentsOf, CLIENTS, kindsOf, latencyFigures, latencyText, publish, tell } from './arguments.ts';
import { idleTimes, onStage } from './stage.ts';

const values = argumentsOf(
  'housekeeping',
  'Idempotent producers with default settings are silent for long; direct beside them in the same minutes.',
  {
    ...CLIENTS,
    minutes: { value: 20, help: 'how long to look on, once the sidecar’s pools are asleep' },
    topics: { value: ['one', 'each'], help: 'one topic for all, or a topic for every client' },
    seconds: { value: 20, help: 'how long they send, once a second, before they fall silent' },
    'max-idle': { value: 180, help: 'connectionMaxIdleSeconds' },
    interval: { value: 60, help: 'connectionIdleDetectionIntervalSeconds' },
  },
);
const { settings, withinSeconds } = idleTimes(values['max-idle'], values.interval);

/** `1/40`; nothing to compare with if the direct way is left out. */
function part(of: number, whole: number | undefined): string {
  if (whole === undefined) return 'unknown';
  return of === 0 ? 'none' : `1/${(whole / of).toFixed(0)}`;
}

await onStage(settings, async ({ judge, ways, later }) => {
  const lines = await Promise.all(
    ways.map(async (way) => {
      const kind = values.topics === 'each' ? 'each' : 'one';
      const fleet = new Fleet({ prefix: way.through, kinds: kindsOf(values), topics: kind });
      later(() => fleet.stop());
      await judge.createTopics(fleet.topics, kind === 'one' ? 12 : 3);
      await produceSteadily(fleet, way, { seconds: values.seconds, settledAfterSeconds: values.seconds / 2 });
      fleet.forget();
      tell(`${way.through}: ${fleet.size} producers are silent, ${way.total()} connections`);
      await pause(withinSeconds * 1000);
      tell(`${way.through}: looking on for ${values.minutes} minutes`);
      const before = await way.cluster.figures(way.listener);
      const watch = new ConnectionWatch(way);
      await pause(values.minutes * 60_000);
      watch.stop();
      const after = await way.cluster.figures(way.listener);
      const complaints = fleet.complaints();
      tell(`${way.through}: waking up`);
      const awake = await fleet.sendOne();
      const verdict = await judge.verdict(fleet.topics, awake.sent);
      return {
        through: way.through,
        connectionSeconds: watch.connectionSeconds(),
        peak: watch.peak().total,
        dials: after.created - before.created,
        bytes: after.bytesIn + after.bytesOut - before.bytesIn - before.bytesOut,
        requests: after.requests - before.requests,
        complaints,
        failures: awake.failures,
        awake: latencyFigures(awake.allLatencies),
        text: latencyText(awake.allLatencies),
        flawless: JSON.stringify(verdict) === JSON.stringify(flawless(awake.total)),
      };
    }),
  );
  const direct = lines.find(({ through }) => through === 'direct');
  publish(
    'housekeeping',
    [
      ['', ...lines.map(({ through }) => through)],
      ['broker-connection-seconds', ...lines.map((line) => line.connectionSeconds.toFixed(1))],
      ['of direct', ...lines.map(({ connectionSeconds }) => part(connectionSeconds, direct?.connectionSeconds))],
      ['dials', ...lines.map((line) => line.dials)],
      ['most connections at once', ...lines.map((line) => line.peak)],
      ['requests', ...lines.map((line) => line.requests)],
      ['bytes', ...lines.map((line) => line.bytes)],
      ['warnings asleep', ...lines.map((line) => line.complaints.length)],
      ['first message', ...lines.map((line) => line.text)],
      ['once and in order', ...lines.map((line) => String(line.flawless))],
    ],
    { ...values, lines },
  );
});
