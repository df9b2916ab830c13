/** Real Pulsar and the ways to it for one long measurement; all gone when the work is done. */
import { PulsarCluster, type PulsarOptions } from '../brokers/pulsar/pulsar-cluster.ts';
import { PulsarFleet, type PulsarFleetOptions } from '../brokers/pulsar/pulsar-fleet.ts';
import { PulsarJudge } from '../brokers/pulsar/pulsar-judge.ts';
import { openPulsarWays } from '../brokers/pulsar/pulsar-setting.ts';
import type { PulsarWay } from '../brokers/pulsar/pulsar-way.ts';
import type { SidecarSettings } from '../brokers/sidecar.ts';
import { PULSAR } from '../brokers/versions.ts';
import { type PULSAR_CLIENTS, tell, type Values } from './arguments.ts';

export interface PulsarStage {
  readonly cluster: PulsarCluster;
  readonly judge: PulsarJudge;
  readonly ways: readonly PulsarWay[];
  /** Run in reverse order in the end. */
  later(work: () => unknown): void;
}

export type ClientValues = Values<typeof PULSAR_CLIENTS>;

export function optionsOf(values: Pick<ClientValues, 'brokers' | 'load-manager'>): PulsarOptions {
  return {
    brokers: values.brokers === '2' ? 2 : 1,
    loadManager: values['load-manager'] === 'extensible' ? 'extensible' : 'modular',
    // Whatever is sent again is dropped, so that every message must be there once.
    properties: { brokerDeduplicationEnabled: true },
  };
}

export function fleetOf(
  prefix: string,
  values: ClientValues,
  settings: NonNullable<PulsarFleetOptions['settings']> = {},
): PulsarFleet {
  const { python, java, producers, processes } = values;
  const each = processes === 'each' ? { clientsPerProcess: 1 } : {};
  return new PulsarFleet({ prefix, kinds: { python, java }, producers, settings, ...each });
}

export async function onPulsarStage(
  options: PulsarOptions,
  settings: SidecarSettings,
  work: (stage: PulsarStage) => Promise<void>,
): Promise<void> {
  const endings: (() => unknown)[] = [];
  const later = (ending: () => unknown) => endings.push(ending);
  try {
    const cluster = await PulsarCluster.start(options);
    later(() => cluster.stop());
    tell(`${cluster.nodes.length} of Pulsar ${PULSAR} ready`);
    const judge = await PulsarJudge.start(cluster);
    later(() => judge.stop());
    const ways = await openPulsarWays(
      { teardown: later, comment: (...words) => tell(words.join(' ')) },
      cluster,
      settings,
    );
    await work({ cluster, judge, ways, later });
  } finally {
    for (const ending of endings.reverse()) await ending();
  }
}
