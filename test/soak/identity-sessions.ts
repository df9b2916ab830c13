/** Brokers that believe nobody for longer than ten seconds (KIP-368), under steady load. */
import { setTimeout as pause } from 'node:timers/promises';
import { as, identityFiles, PASSAGES, passageRoute } from '../brokers/identities.ts';
import { flawless } from '../brokers/ledger.ts';
import { SteadyLoad } from '../brokers/scenarios/steady-load.ts';
import { Sidecar } from '../brokers/sidecar.ts';
import { Way } from '../brokers/way.ts';
import { argumentsOf, kindsOf, latencyFigures, latencyText, publish, tell } from './arguments.ts';
import { withBrokers } from './stage.ts';

const values = argumentsOf(
  'identity-sessions',
  'Producers and consumers at work through routes with every mechanism, and on a pass-through route where the clients ' +
    'authenticate anew by themselves.',
  {
    librdkafka: { value: 12, help: 'librdkafka producers' },
    java: { value: 4, help: 'Java producers' },
    kafkajs: { value: 4, help: 'kafkajs producers' },
    seconds: { value: 300, help: 'how long' },
    lifetime: { value: 10, help: 'connections.max.reauth.ms, in seconds' },
    every: { value: 200, help: 'milliseconds between the messages of a producer' },
  },
);
const THROUGH = 'through';

await withBrokers(
  { security: { tls: true, sasl: true, reauthMilliseconds: values.lifetime * 1000 } },
  async ({ cluster, judge, later }) => {
    const files = identityFiles(cluster, 'alice');
    later(() => files.remove());
    const passages = PASSAGES.filter(({ tls, mechanism }) => tls === mechanism.startsWith('SCRAM'));
    const routes = [
      ...passages.map((passage) => passageRoute(passage, 'alice', files)),
      { name: THROUGH, listener: 'HIDDEN_CLEAR' as const, upstream: { saslPassThrough: true } },
    ];
    const sidecar = await Sidecar.start(cluster, {}, { routes });
    later(() => sidecar.stop());
    const every = { everyMilliseconds: values.every };
    const [first, ...others] = passages.map(({ name }) => Way.routed(sidecar, {}, name));
    if (first === undefined) throw new Error('no route');
    const shared = new SteadyLoad(judge, [first, ...others], { prefix: 'shared', kinds: kindsOf(values), ...every });
    later(() => shared.stop());
    const own = Way.routed(sidecar, { sasl: as('bob', 'SCRAM-SHA-512') }, THROUGH);
    const through = new SteadyLoad(judge, [own], { prefix: 'through', kinds: { librdkafka: 2, java: 2 }, ...every });
    later(() => through.stop());
    await Promise.all([shared.start(), through.start()]);
    tell(`everybody works, for ${values.seconds} s`);
    await pause(values.seconds * 1000);
    const closed = (await sidecar.metrics()).filter(
      ({ name, value }) => name === 'slackwater_client_connections_closed_total' && value > 0,
    );
    const ended = await sidecar.metric('upstream_connections_closed_total', { reason: 'session_expired' });
    const loads = await Promise.all([shared.finish(), through.finish()]);
    const figures = await Promise.all((['HIDDEN', 'HIDDEN_CLEAR'] as const).map((name) => cluster.figures(name)));
    const expired = figures.reduce((sum, each) => sum + each.expired, 0);
    const lines = loads.map((load, index) => ({
      through: index === 0 ? 'shared' : 'pass-through',
      sent: load.sent,
      failures: load.failures,
      complaints: load.complaints,
      taken: load.taken,
      latency: latencyFigures(load.latencies),
      text: latencyText(load.latencies),
      flawless: JSON.stringify(load.verdict) === JSON.stringify(flawless(load.sent)),
    }));
    publish(
      'identity-sessions',
      [
        ['', ...lines.map((line) => line.through)],
        ['messages', ...lines.map((line) => line.sent)],
        ['failed', ...lines.map((line) => line.failures.length)],
        ['once and in order', ...lines.map((line) => String(line.flawless))],
        ['warnings of clients', ...lines.map((line) => line.complaints.length)],
        ['latency', ...lines.map((line) => line.text)],
        [
          'clients closed',
          closed.map(({ labels, value }) => `${labels.route} ${labels.reason} ${value}`).join(', ') || 0,
        ],
        ['sessions ended in time', ended],
        ['used past their lifetime', expired],
      ],
      { ...values, lines, ended, expired, figures, closed },
    );
  },
);
