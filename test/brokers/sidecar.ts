/** The sidecar under test, with routes to Kafka. */
import { freePortBlock } from './free-ports.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import type { Listener } from './kafka-node.ts';
import { FIRST_ROUTE_OFFSET, SidecarProcess, type SidecarSettings } from './sidecar-process.ts';

export type { Connection, Metric, SidecarSettings } from './sidecar-process.ts';

/** Of each route: where it listens, and a port for each of the first node ids. */
const PORTS_PER_ROUTE = 12;

/** A route of the sidecar under test. */
export interface RoutePlan {
  readonly name: string;
  /** Where it leads; default HIDDEN. */
  readonly listener?: Listener;
  /** Keys of `upstream`, over bootstrap and dialAddresses. */
  readonly upstream?: Readonly<Record<string, unknown>>;
  /** Other keys of the route. */
  readonly keys?: Readonly<Record<string, unknown>>;
}

const ONE_ROUTE: readonly RoutePlan[] = [{ name: 'kafka' }];

export interface SidecarOptions {
  /** Default: one, to HIDDEN. */
  readonly routes?: readonly RoutePlan[];
  /** What `start` and `launch` wait for; default: readiness. A sidecar that learns nothing is never ready. */
  readonly waitFor?: '/readyz' | '/livez';
}

export class Sidecar extends SidecarProcess {
  readonly cluster: KafkaCluster;
  readonly routes: readonly RoutePlan[];
  readonly #firstPort: number;

  private constructor(cluster: KafkaCluster, firstPort: number, options: SidecarOptions) {
    const routes = options.routes ?? ONE_ROUTE;
    super({ firstPort, routePorts: routes.length * PORTS_PER_ROUTE, waitFor: options.waitFor ?? '/readyz' });
    this.cluster = cluster;
    this.routes = routes;
    this.#firstPort = firstPort;
  }

  /** Writes a configuration with routes to the cluster, and waits for readiness. */
  static async start(
    cluster: KafkaCluster,
    settings: SidecarSettings = {},
    options: SidecarOptions = {},
  ): Promise<Sidecar> {
    const { length } = options.routes ?? ONE_ROUTE;
    const firstPort = await freePortBlock(FIRST_ROUTE_OFFSET + length * PORTS_PER_ROUTE);
    const sidecar = new Sidecar(cluster, firstPort, options);
    await sidecar.begin(
      sidecar.routes.map((plan) => sidecar.#route(plan)),
      settings,
    );
    return sidecar;
  }

  #route({ name, listener = 'HIDDEN', upstream = {}, keys = {} }: RoutePlan): object {
    return {
      name,
      protocol: 'kafka',
      listen: this.bootstrapOf(name),
      upstream: {
        bootstrap: this.cluster.bootstrap(listener).split(','),
        dialAddresses: this.cluster.hiddenAddresses(listener),
        ...upstream,
      },
      brokers: { portBase: this.#portOf(name) },
      ...keys,
    };
  }

  /** Of a route's bootstrap listener; those of its brokers follow. */
  #portOf(route: string): number {
    const index = this.routes.findIndex(({ name }) => name === route);
    if (index < 0) throw new Error(`no route ${route}`);
    return this.#firstPort + FIRST_ROUTE_OFFSET + index * PORTS_PER_ROUTE;
  }

  bootstrapOf(route: string): string {
    return `127.0.0.1:${this.#portOf(route)}`;
  }

  /** The brokers' listener that a route leads to. */
  listenerOf(route: string): Listener {
    return this.routes.find(({ name }) => name === route)?.listener ?? 'HIDDEN';
  }

  /** `host:port` at which clients are told to find a broker; the first route's if none is named. */
  brokerAddress(id: number, route = this.routes[0]?.name ?? ''): string {
    return `127.0.0.1:${this.#portOf(route) + id}`;
  }
}
