/**
 * The two ways from clients to brokers: `direct`, which is the baseline, and through the sidecar. Each uses a
 * listener of its own at every broker, so both can run at once and be counted apart.
 */
import type { Access } from './clients/access.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import type { Listener } from './kafka-node.ts';
import { Sidecar, type SidecarSettings } from './sidecar.ts';

export type Through = 'direct' | 'sidecar';

export class Way {
  readonly through: Through;
  readonly cluster: KafkaCluster;
  readonly listener: Listener;
  /** What clients that go this way show, and whom they believe. */
  readonly access: Access;
  /** What they are told for `bootstrap.servers`. */
  readonly bootstrap: string;
  readonly #sidecar: Sidecar | undefined;
  readonly #route: string | undefined;

  private constructor(
    cluster: KafkaCluster,
    listener: Listener,
    access: Access,
    ahead: { readonly sidecar: Sidecar; readonly route: string } | undefined,
  ) {
    this.through = ahead === undefined ? 'direct' : 'sidecar';
    this.cluster = cluster;
    this.listener = listener;
    this.access = access;
    this.bootstrap = ahead?.sidecar.bootstrapOf(ahead.route) ?? cluster.bootstrap(listener);
    this.#sidecar = ahead?.sidecar;
    this.#route = ahead?.route;
  }

  /** Starts a sidecar if the way leads through one. */
  static async open(through: Through, cluster: KafkaCluster, settings: SidecarSettings = {}): Promise<Way> {
    return through === 'direct' ? Way.direct(cluster) : Way.routed(await Sidecar.start(cluster, settings));
  }

  static direct(cluster: KafkaCluster, access: Access = {}, listener: Listener = 'DIRECT'): Way {
    return new Way(cluster, listener, access, undefined);
  }

  /** Through one route of a sidecar that runs already; the first if none is named. */
  static routed(sidecar: Sidecar, access: Access = {}, route = sidecar.routes[0]?.name ?? ''): Way {
    return new Way(sidecar.cluster, sidecar.listenerOf(route), access, { sidecar, route });
  }

  /** @throws Error on the direct way */
  get sidecar(): Sidecar {
    if (this.#sidecar === undefined) throw new Error('there is no sidecar on the direct way');
    return this.#sidecar;
  }

  /** @throws Error on the direct way */
  get route(): string {
    if (this.#route === undefined) throw new Error('there is no route on the direct way');
    return this.#route;
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
