/**
 * The two ways from clients to brokers: `direct`, which is the baseline, and through the sidecar. Each uses a
 * listener of its own at every broker, so both can run at once and be counted apart.
 */
import type { KafkaCluster } from './kafka-cluster.ts';
import type { Listener } from './kafka-node.ts';
import { Sidecar, type SidecarSettings } from './sidecar.ts';

export type Through = 'direct' | 'sidecar';

export class Way {
  readonly through: Through;
  readonly cluster: KafkaCluster;
  readonly listener: Listener;
  readonly #sidecar: Sidecar | undefined;

  private constructor(through: Through, cluster: KafkaCluster, sidecar: Sidecar | undefined) {
    this.through = through;
    this.cluster = cluster;
    this.listener = sidecar === undefined ? 'DIRECT' : 'HIDDEN';
    this.#sidecar = sidecar;
  }

  /** Starts a sidecar if the way leads through one. */
  static async open(through: Through, cluster: KafkaCluster, settings: SidecarSettings = {}): Promise<Way> {
    const sidecar = through === 'sidecar' ? await Sidecar.start(cluster, settings) : undefined;
    return new Way(through, cluster, sidecar);
  }

  /** What clients are told for `bootstrap.servers`. */
  get bootstrap(): string {
    return this.#sidecar?.bootstrap ?? this.cluster.bootstrap('DIRECT');
  }

  /** @throws Error on the direct way */
  get sidecar(): Sidecar {
    if (this.#sidecar === undefined) throw new Error('there is no sidecar on the direct way');
    return this.#sidecar;
  }

  /** Connections held now at each broker, by node id. */
  connections(): Map<number, number> {
    return this.cluster.connections(this.listener);
  }

  total(): number {
    return [...this.connections().values()].reduce((sum, count) => sum + count, 0);
  }

  async close(): Promise<void> {
    await this.#sidecar?.stop();
  }
}
