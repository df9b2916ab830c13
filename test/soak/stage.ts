/** Real Kafka and the ways to it for one long measurement; all gone when the work is done. */
import { spreadSeconds } from '../../src/core/reaper.ts';
import { Judge } from '../brokers/judge.ts';
import { type ClusterOptions, KafkaCluster } from '../brokers/kafka-cluster.ts';
import { openWays } from '../brokers/setting.ts';
import type { SidecarSettings } from '../brokers/sidecar.ts';
import { KAFKA_CURRENT } from '../brokers/versions.ts';
import type { Way } from '../brokers/way.ts';
import { tell } from './arguments.ts';

export interface Stage {
  readonly cluster: KafkaCluster;
  readonly judge: Judge;
  readonly ways: readonly Way[];
  /** Run in reverse order in the end. */
  later(work: () => unknown): void;
}

/** A sidecar with these idle times, and within how many seconds of the last work it has let go of everything. */
export function idleTimes(maxIdle: number, interval: number): { settings: SidecarSettings; withinSeconds: number } {
  return {
    settings: {
      allowShortIdle: maxIdle < 30,
      connectionMaxIdleSeconds: maxIdle,
      connectionIdleDetectionIntervalSeconds: interval,
    },
    withinSeconds: maxIdle + interval + spreadSeconds(interval) + 1,
  };
}

/** Brokers of the current version, three if nothing else is said. */
export async function withBrokers(
  options: Partial<ClusterOptions>,
  work: (stage: Omit<Stage, 'ways'>) => Promise<void>,
): Promise<void> {
  const endings: (() => unknown)[] = [];
  const later = (ending: () => unknown) => endings.push(ending);
  try {
    const cluster = await KafkaCluster.start({ version: KAFKA_CURRENT, brokers: 3, ...options });
    later(() => cluster.stop());
    tell(`${cluster.nodes.length} of Kafka ${KAFKA_CURRENT} ready`);
    const judge = await Judge.start(cluster);
    later(() => judge.stop());
    await work({ cluster, judge, later });
  } finally {
    for (const ending of endings.reverse()) await ending();
  }
}

/** Three brokers of the current version, and a sidecar with these settings. */
export async function onStage(settings: SidecarSettings, work: (stage: Stage) => Promise<void>): Promise<void> {
  await withBrokers({}, async (stage) => {
    const ways = await openWays({ teardown: stage.later }, stage.cluster, settings);
    await work({ ...stage, ways });
  });
}
