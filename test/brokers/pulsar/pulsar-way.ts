/**
 * The two ways from clients to brokers of Pulsar: `direct`, which is the baseline, and through the sidecar. Each uses a
 * listener of its own at every broker, so both can run at once and be counted apart.
 */
import type { SidecarSettings } from '../sidecar-process.ts';
import type { Through } from '../way.ts';
import type { PulsarCluster } from './pulsar-cluster.ts';
import type { PulsarListener } from './pulsar-node.ts';
import { PulsarSidecar, type PulsarSidecarOptions } from './pulsar-sidecar.ts';

export class PulsarWay {
  readonly through: Through;
  readonly cluster: PulsarCluster;
  readonly listener: PulsarListener;
  /** The service URL of clients that go this way. */
  readonly url: string;
  readonly #sidecar: PulsarSidecar | undefined;

  private constructor(cluster: PulsarCluster, sidecar: PulsarSidecar | undefined) {
    this.cluster = cluster;
    this.#sidecar = sidecar;
    this.through = sidecar === undefined ? 'direct' : 'sidecar';
    this.listener = sidecar === undefined ? 'DIRECT' : 'HIDDEN';
    this.url = sidecar === undefined ? cluster.url('DIRECT') : `pulsar://${sidecar.address}`;
  }

  /** Starts a sidecar if the way leads through one. */
  static async open(
    through: Through,
    cluster: PulsarCluster,
    settings: SidecarSettings = {},
    options: PulsarSidecarOptions = {},
  ): Promise<PulsarWay> {
    const sidecar = through === 'direct' ? undefined : await PulsarSidecar.start(cluster, settings, options);
    return new PulsarWay(cluster, sidecar);
  }

  /** @throws Error on the direct way */
  get sidecar(): PulsarSidecar {
    if (this.#sidecar === undefined) throw new Error('there is no sidecar on the direct way');
    return this.#sidecar;
  }

  /** Connections from outside held now at each broker, by its id. */
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
