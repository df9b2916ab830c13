/** Pulsar: throughput, and what stands between costs, beside Pulsar's own proxy and nothing. */
import { cpuMilliseconds } from '../brokers/cpu-time.ts';
import { type PerfOutcome, perf } from '../brokers/pulsar/perf-tool.ts';
import { PulsarCluster } from '../brokers/pulsar/pulsar-cluster.ts';
import { PulsarWay } from '../brokers/pulsar/pulsar-way.ts';
import { argumentsOf, publish, tell } from './arguments.ts';

const values = argumentsOf(
  'pulsar-cost',
  "Pulsar's own load tool produces and consumes, direct, through Pulsar's own proxy and through the sidecar, in turn.",
  {
    rounds: { value: 5, help: 'that count; one more before them warms everything up' },
    seconds: { value: 8, help: 'of producing at full speed; all of it is consumed then' },
    messages: { value: ['all', 'batched', 'alone', 'large'], help: '200 B in batches, 200 B each alone, 100 KB' },
  },
);

const LOADS = [
  { kind: 'batched', name: '200 B in batches', bytes: 200, flags: [] },
  { kind: 'alone', name: '200 B each alone', bytes: 200, flags: ['--disable-batching'] },
  { kind: 'large', name: '100 KB', bytes: 100_000, flags: ['--disable-batching'] },
].filter(({ kind }) => values.messages === 'all' || values.messages === kind);
const OUTSTANDING = ['--max-outstanding', '1000', '--max-outstanding-across-partitions', '1000'];

type Load = (typeof LOADS)[number];

interface Place {
  readonly name: string;
  readonly url: string;
  /** Of what stands between. */
  readonly pid?: number;
}

interface Sample {
  readonly messagesPerSecond: number;
  readonly microsecondsPerMessage: number;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

/** What a run costs at a place. */
async function measured(place: Place, run: () => Promise<PerfOutcome>): Promise<Sample & PerfOutcome> {
  const before = place.pid === undefined ? 0 : cpuMilliseconds(place.pid);
  const outcome = await run();
  const used = place.pid === undefined ? 0 : cpuMilliseconds(place.pid) - before;
  return { ...outcome, microsecondsPerMessage: (used * 1000) / outcome.messages };
}

/** All that is produced is consumed. */
async function bothCommands(place: Place, topic: string, { bytes, flags }: Load) {
  const target = { url: place.url, topic };
  const time = ['--test-duration', String(values.seconds)];
  const fast = ['--rate', '10000000', '--size', String(bytes), ...OUTSTANDING, ...flags];
  const produce = await measured(place, () => perf('produce', target, [...time, ...fast]));
  const count = ['--num-messages', String(produce.messages)];
  const earliest = ['--subscription-position', 'Earliest'];
  const consume = await measured(place, () => perf('consume', target, [...count, ...earliest]));
  return { produce, consume };
}

const cluster = await PulsarCluster.start({ brokers: 1, tuned: true });
try {
  const proxy = await cluster.proxy({ copies: false });
  const copying = await cluster.proxy({ copies: true });
  const way = await PulsarWay.open('sidecar', cluster, {});
  try {
    const places: Place[] = [
      { name: 'direct', url: cluster.url('DIRECT') },
      { name: 'proxy', url: proxy.url, pid: proxy.pid },
      { name: 'copying proxy', url: copying.url, pid: copying.pid },
      { name: 'sidecar', url: way.url, pid: way.sidecar.pid },
    ];
    const samples = new Map<string, Sample[]>();
    for (let round = 0; round <= values.rounds; round++) {
      for (const [number, load] of LOADS.entries()) {
        for (const [index, place] of places.entries()) {
          const topic = `cost-${index}-${number}-${round}`;
          const both = await bothCommands(place, topic, load);
          for (const [command, one] of Object.entries(both)) {
            const key = `${command} ${load.name} ${place.name}`;
            const rate = Math.round(one.messagesPerSecond);
            tell(`${round}: ${key}: ${rate} a second, ${one.microsecondsPerMessage.toFixed(2)} µs each`);
            if (round > 0) samples.set(key, [...(samples.get(key) ?? []), one]);
          }
          await cluster.admin.delete(topic, true);
        }
      }
    }
    const rows = LOADS.flatMap(({ name }) =>
      (['produce', 'consume'] as const).flatMap((command) => {
        const of = (figure: keyof Sample) =>
          places.map((place) =>
            median((samples.get(`${command} ${name} ${place.name}`) ?? []).map((one) => one[figure])),
          );
        const rates = of('messagesPerSecond').map((rate) => Math.round(rate));
        const costs = of('microsecondsPerMessage');
        const own = costs.at(-1) ?? Number.NaN;
        const ratios = costs.map((cost) => (own / cost).toFixed(2));
        return [
          [`${command} ${name}: a second`, ...rates],
          ['  CPU between, µs each', ...costs.map((cost) => cost.toFixed(2))],
          ["  sidecar's against it", ...ratios],
        ] as const;
      }),
    );
    publish('pulsar-cost', [['', ...places.map(({ name }) => name)], ...rows], {
      ...values,
      samples: Object.fromEntries(samples),
    });
  } finally {
    await way.close();
  }
} finally {
  await cluster.stop();
}
