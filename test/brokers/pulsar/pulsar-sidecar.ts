/** The sidecar under test, with a route to Pulsar. */
import { freePortBlock } from '../free-ports.ts';
import { FIRST_ROUTE_OFFSET, SidecarProcess, type SidecarSettings } from '../sidecar-process.ts';
import type { PulsarCluster } from './pulsar-cluster.ts';

/** Where the route listens, and a port for each of the first brokers. */
const PORTS_PER_ROUTE = 12;
export const PULSAR_ROUTE = 'pulsar';

export interface PulsarSidecarOptions {
  /** Keys of the route, over ours. */
  readonly route?: Readonly<Record<string, unknown>>;
  /** Keys of `upstream`, over bootstrap and dialAddresses. */
  readonly upstream?: Readonly<Record<string, unknown>>;
}

export class PulsarSidecar extends SidecarProcess {
  readonly #firstPort: number;

  private constructor(firstPort: number) {
    super({ firstPort, routePorts: PORTS_PER_ROUTE, waitFor: '/readyz' });
    this.#firstPort = firstPort;
  }

  /** Writes a configuration with a route to the cluster's hidden addresses, and waits for readiness. */
  static async start(
    cluster: PulsarCluster,
    settings: SidecarSettings = {},
    { route = {}, upstream = {} }: PulsarSidecarOptions = {},
  ): Promise<PulsarSidecar> {
    const sidecar = new PulsarSidecar(await freePortBlock(FIRST_ROUTE_OFFSET + PORTS_PER_ROUTE));
    const plan = {
      name: PULSAR_ROUTE,
      protocol: 'pulsar',
      listen: sidecar.address,
      upstream: {
        bootstrap: cluster.nodes.map((node) => `${node.scheme('HIDDEN')}://${node.address('HIDDEN')}`),
        dialAddresses: cluster.hiddenAddresses(),
        ...(cluster.isSecured ? { tls: { caFile: cluster.security.certificates.authority.caFile } } : {}),
        ...upstream,
      },
      ...route,
    };
    await sidecar.begin([plan], settings);
    return sidecar;
  }

  /** `host:port` of the route. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get port(): number {
    return this.#firstPort + FIRST_ROUTE_OFFSET;
  }
}
