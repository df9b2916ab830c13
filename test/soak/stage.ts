/** Real Kafka and the ways to it for one long measurement; all gone when the work is done. */
import { spreadSeconds } from '../../src/core/reaper.ts';
import { Judge } from '../brokers/judge.ts';
import { KafkaCluster } from '../brokers/kafka-cluster.ts';
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

/** Three brokers of the current version, and a sidecar with these settings. */
export async function onStage(settings: SidecarSettings, work: (stage: Stage) => Promise<void>): Promise<void> {
  const endings: (() => unknown)[] = [];
  const later = (ending: () => unknown) => endings.push(ending);
  try {
    const cluster = await KafkaCluster.start({ version: KAFKA_CURRENT, brokers: 3 });
    later(() => cluster.stop());
    tell(`three brokers of Kafka ${KAFKA_CURRENT} are ready`);
    const judge = await Judge.start(cluster);
    later(() => judge.stop());
    const ways = await openWays({ teardown: later }, cluster, settings);
    await work({ cluster, judge, ways, later });
  } finally {
    for (const ending of endings.reverse()) await ending();
  }
}
