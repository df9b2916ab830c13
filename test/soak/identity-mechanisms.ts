/** Every mechanism over TLS and without: sharing and reaping as with plaintext, direct beside it at the same time. */
import { Fleet } from '../brokers/fleet.ts';
import { directAccess, identityFiles, PASSAGES, type Passage, passageRoute } from '../brokers/identities.ts';
import { flawless } from '../brokers/ledger.ts';
import { fallAsleep } from '../brokers/scenarios/falling-asleep.ts';
import { produceSteadily } from '../brokers/scenarios/steady-production.ts';
import { Sidecar } from '../brokers/sidecar.ts';
import { Way } from '../brokers/way.ts';
import { argumentsOf, kindsOf, latencyFigures, latencyText, publish, tell } from './arguments.ts';
import { idleTimes, withBrokers } from './stage.ts';

const values = argumentsOf(
  'identity-mechanisms',
  'Twenty producers send for a while, fall silent and send once more, one mechanism after the other; direct with the ' +
    'same credentials beside them at the same time.',
  {
    librdkafka: { value: 10, help: 'librdkafka producers' },
    java: { value: 5, help: 'Java producers' },
    kafkajs: { value: 5, help: 'kafkajs producers' },
    seconds: { value: 15, help: 'how long they send, once a second' },
    'max-idle': { value: 5, help: 'connectionMaxIdleSeconds' },
    interval: { value: 1, help: 'connectionIdleDetectionIntervalSeconds' },
    quiet: { value: 5, help: 'seconds to look on once all are asleep' },
    only: { value: ['all', ...PASSAGES.map(({ name }) => name)], help: 'one of them alone' },
  },
);
const { settings, withinSeconds } = idleTimes(values['max-idle'], values.interval);
const passages = PASSAGES.filter(({ name }) => values.only === 'all' || values.only === name);

await withBrokers({ security: { tls: true, sasl: true } }, async ({ cluster, judge, later }) => {
  const files = identityFiles(cluster, 'alice');
  later(() => files.remove());
  const routes = passages.map((passage) => passageRoute(passage, 'alice', files));
  const sidecar = await Sidecar.start(cluster, settings, { routes });
  later(() => sidecar.stop());

  async function line(way: Way, passage: Passage) {
    const prefix = `${way.through}-${passage.name}`;
    const refresh = { metadataRefreshMilliseconds: 30 * 60_000 };
    const fleet = new Fleet({ prefix, kinds: kindsOf(values), topics: 'one', ...refresh });
    try {
      await judge.createTopics(fleet.topics, 12);
      const steady = await produceSteadily(fleet, way, {
        seconds: values.seconds,
        settledAfterSeconds: values.seconds / 2,
      });
      fleet.forget();
      const sleep = await fallAsleep(fleet, way, {
        lastWork: steady.lastWork,
        withinSeconds,
        quietSeconds: values.quiet,
      });
      const awake = await fleet.sendOne();
      const verdict = await judge.verdict(fleet.topics, awake.sent);
      return {
        ...{ name: passage.name, through: way.through, starting: steady.starting, settled: steady.settled, sleep },
        failures: [...steady.report.failures, ...awake.failures],
        complaints: fleet.complaints(),
        awake: latencyFigures(awake.allLatencies),
        awakeText: latencyText(awake.allLatencies),
        flawless: JSON.stringify(verdict) === JSON.stringify(flawless(awake.total)),
      };
    } finally {
      await fleet.stop();
    }
  }

  const lines = [];
  for (const passage of passages) {
    tell(passage.name);
    const direct = Way.direct(
      cluster,
      directAccess(cluster, 'alice', passage.mechanism, passage.tls),
      passage.tls ? 'DIRECT' : 'DIRECT_CLEAR',
    );
    lines.push(
      ...(await Promise.all([direct, Way.routed(sidecar, {}, passage.name)].map((way) => line(way, passage)))),
    );
  }
  publish(
    'identity-mechanisms',
    [
      [
        '',
        '',
        'peak starting',
        'at work',
        'asleep',
        'after',
        'bytes',
        'first message',
        'warnings',
        'once and in order',
      ],
      ...lines.map(
        (one) =>
          [
            one.name,
            one.through,
            one.starting.total,
            one.settled.total,
            one.sleep.connectionsLeft,
            one.sleep.secondsToZero === null ? 'never' : `${one.sleep.secondsToZero.toFixed(1)} s`,
            one.sleep.bytes,
            one.awakeText,
            one.complaints.length + one.sleep.complaints.length,
            String(one.flawless && one.failures.length === 0),
          ] as const,
      ),
    ],
    {
      ...values,
      withinSeconds,
      failedAuthentications: (await cluster.figures('HIDDEN')).failedAuthentications,
      lines,
    },
  );
});
