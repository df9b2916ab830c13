/** What a test file with real Pulsar begins with; everything is gone when the file ends. */
import type { Test } from 'tap';
import { PROTOCOLS } from '../../../src/protocols/registry.ts';
import { waysTested } from '../setting.ts';
import type { SidecarSettings } from '../sidecar-process.ts';
import { PulsarCluster, type PulsarOptions } from './pulsar-cluster.ts';
import { PulsarJudge } from './pulsar-judge.ts';
import { PulsarWay } from './pulsar-way.ts';

export interface PulsarSetting {
  readonly cluster: PulsarCluster;
  readonly judge: PulsarJudge;
}

type Stoppable = Pick<Test, 'teardown'>;

export async function realPulsar(t: Stoppable, options: PulsarOptions): Promise<PulsarSetting> {
  const cluster = await PulsarCluster.start(options);
  t.teardown(() => cluster.stop());
  const judge = await PulsarJudge.start(cluster);
  t.teardown(() => judge.stop());
  return { cluster, judge };
}

/** See `waysTested()`; the direct way alone, and a word about it, while the sidecar does not speak Pulsar. */
export async function openPulsarWays(
  t: Stoppable & Pick<Test, 'comment'>,
  cluster: PulsarCluster,
  settings: SidecarSettings = {},
): Promise<PulsarWay[]> {
  const ways: PulsarWay[] = [];
  const spoken = PROTOCOLS.some(({ name }) => name === 'pulsar');
  if (!spoken) t.comment('NOT TESTED: the sidecar does not speak Pulsar yet, only the direct way is open');
  for (const through of waysTested()) {
    if (through === 'sidecar' && !spoken) continue;
    const way = await PulsarWay.open(through, cluster, settings);
    t.teardown(() => way.close());
    ways.push(way);
  }
  return ways;
}
