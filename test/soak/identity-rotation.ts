/** Everything that an identity consists of is replaced under load, by symlink swap, round after round. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Authority } from '../brokers/certificates.ts';
import { flawless } from '../brokers/ledger.ts';
import { RotatingIdentity, type Takeover, takeOver, untilTold } from '../brokers/scenarios/rotation.ts';
import { SteadyLoad } from '../brokers/scenarios/steady-load.ts';
import { Sidecar } from '../brokers/sidecar.ts';
import { Way } from '../brokers/way.ts';
import { argumentsOf, kindsOf, latencyFigures, latencyText, publish, tell } from './arguments.ts';
import { withBrokers } from './stage.ts';

const values = argumentsOf(
  'identity-rotation',
  'Producers and a consumer at work over TLS and SCRAM while password, certificate and key, and authority are replaced.',
  {
    librdkafka: { value: 12, help: 'librdkafka producers' },
    java: { value: 4, help: 'Java producers' },
    kafkajs: { value: 4, help: 'kafkajs producers' },
    rounds: { value: 3, help: 'how often each is replaced' },
    every: { value: 100, help: 'milliseconds between the messages of a producer' },
  },
);
const ROUTE = 'rotating';

await withBrokers({ security: { tls: 'mutual', sasl: true } }, async ({ cluster, judge, later }) => {
  const identity = await RotatingIdentity.make(cluster, judge);
  later(() => identity.files.remove());
  const sidecar = await Sidecar.start(cluster, {}, { routes: [identity.route(ROUTE)] });
  later(() => sidecar.stop());
  const way = Way.routed(sidecar, { caFile: cluster.certificates.authority.caFile }, ROUTE);
  const load = new SteadyLoad(judge, [way], {
    prefix: 'rotating',
    kinds: kindsOf(values),
    everyMilliseconds: values.every,
  });
  later(() => load.stop());
  await load.start();
  const takeovers: (Takeover & { readonly what: string })[] = [];
  const replaced = async (what: string, replace: () => unknown) => {
    takeovers.push({ what, ...(await takeOver(sidecar, ROUTE, replace)) });
    tell(what);
    await pause(1_000);
  };
  for (let round = 0; round < values.rounds; round++) {
    await replaced('password', () => identity.password());
    await replaced('certificate and key', () => identity.clientCertificate());
    let second: Authority | undefined;
    await replaced('both authorities', async () => {
      second = await identity.secondAuthority();
    });
    await replaced('the other authority', () => second && identity.authority(second));
    await identity.serverCertificate();
    await untilTold(sidecar, ROUTE, 'refused', () => identity.wrongPassword());
    tell('wrong password');
    identity.rightPassword();
    await untilTold(sidecar, ROUTE, 'unreadable', () => identity.noAuthority());
    identity.theAuthority();
    await pause(3_000);
  }
  const closed = await sidecar.closeReasons();
  const report = await load.finish();
  const verdict = JSON.stringify(report.verdict) === JSON.stringify(flawless(report.sent));
  const kinds = [...new Set(takeovers.map(({ what }) => what))];
  const slowest = (what: string, field: 'inUseSeconds' | 'goneSeconds') =>
    `${Math.max(...takeovers.filter((each) => each.what === what).map((each) => each[field])).toFixed(1)} s`;
  publish(
    'identity-rotation',
    [
      ['', 'in use after', 'the ones before gone after'],
      ...kinds.map((what) => [what, slowest(what, 'inUseSeconds'), slowest(what, 'goneSeconds')] as const),
      ['messages', report.sent],
      ['failed', report.failures.length],
      ['once and in order', String(verdict)],
      [
        'taken',
        Object.values(report.taken)
          .map(({ taken }) => taken)
          .join(', '),
      ],
      ['warnings of clients', report.complaints.length],
      ['clients closed', JSON.stringify(closed)],
      ['latency', latencyText(report.latencies)],
    ],
    {
      ...values,
      takeovers,
      closed,
      sent: report.sent,
      failures: report.failures,
      complaints: report.complaints,
      taken: report.taken,
      latency: latencyFigures(report.latencies),
      flawless: verdict,
    },
  );
});
