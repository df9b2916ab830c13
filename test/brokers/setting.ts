/** What a test file with real brokers begins with; everything is gone when the file ends. */
import type { Test } from 'tap';
import { Judge } from './judge.ts';
import { type ClusterOptions, KafkaCluster } from './kafka-cluster.ts';
import type { SidecarSettings } from './sidecar.ts';
import { type Through, Way } from './way.ts';

export interface Setting {
  readonly cluster: KafkaCluster;
  readonly judge: Judge;
}

/** Group members hear of changes sooner than after the usual 5 s. */
export const QUICK_GROUPS = {
  'group.consumer.min.heartbeat.interval.ms': 500,
  'group.consumer.heartbeat.interval.ms': 1_000,
  'group.share.min.heartbeat.interval.ms': 500,
  'group.share.heartbeat.interval.ms': 1_000,
} as const;

type Stoppable = Pick<Test, 'teardown'>;

export async function realKafka(t: Stoppable, options: ClusterOptions): Promise<Setting> {
  const cluster = await KafkaCluster.start(options);
  t.teardown(() => cluster.stop());
  const judge = await Judge.start(cluster);
  t.teardown(() => judge.stop());
  return { cluster, judge };
}

/**
 * The ways that are tested: through the sidecar, and direct beside it as the baseline. SLACKWATER_THROUGH=direct or
 * =sidecar leaves one out, for work on the tests themselves.
 *
 * @throws Error if SLACKWATER_THROUGH is neither
 */
export function waysTested(): readonly Through[] {
  const only = process.env.SLACKWATER_THROUGH;
  if (only === undefined || only === '') return ['direct', 'sidecar'];
  if (only === 'direct' || only === 'sidecar') return [only];
  throw new Error('SLACKWATER_THROUGH must be direct, sidecar or empty');
}

export async function openWays(t: Stoppable, cluster: KafkaCluster, settings: SidecarSettings = {}): Promise<Way[]> {
  const ways: Way[] = [];
  for (const through of waysTested()) {
    const way = await Way.open(through, cluster, settings);
    t.teardown(() => way.close());
    ways.push(way);
  }
  return ways;
}

/** `ID HOST:PORT` of every broker, as clients that come this way are to be told. */
export function addressesToldBy(way: Way): string[] {
  return way.cluster.nodes.map((node) => {
    const address = way.through === 'sidecar' ? way.sidecar.brokerAddress(node.id) : node.advertised('DIRECT');
    return `${node.id} ${address}`;
  });
}
