/** A route of the product between real sockets: what applications connect to, in front of the embedded brokers. */
import type { Test } from 'tap';
import type { CloseReason } from '../../src/contract/reasons.ts';
import { BOOTSTRAP } from '../../src/contract/topology.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import type { CoreEvent } from '../../src/core/events.ts';
import { Route } from '../../src/core/route.ts';
import { LiveRouteControl } from '../../src/core/route-control.ts';
import { tcpNetwork } from '../../src/core/socket-wire.ts';
import type { Network } from '../../src/core/wire.ts';
import type { EmbeddedCluster } from '../../src/demo/kafka/embedded-cluster.ts';
import { protocolNamed } from '../../src/protocols/registry.ts';
import { type Overrides, routeOptions } from '../support/core-fixture.ts';
import { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

export interface SidecarOptions extends Overrides {
  readonly network?: Network;
  /** The system's if not given. */
  readonly clock?: Clock;
  /** Of `bootstrap` and of nodes; any free ones if not given. */
  readonly ports?: Readonly<Record<string, number>>;
}

type Event<T extends CoreEvent['type']> = Extract<CoreEvent, { type: T }>;

export class Sidecar {
  readonly route: Route;
  readonly control: LiveRouteControl;
  readonly events: CoreEvent[] = [];
  #stopped: Promise<void> | undefined;

  constructor(
    cluster: EmbeddedCluster,
    { network = tcpNetwork, clock = systemClock, ports = {}, ...overrides }: SidecarOptions,
  ) {
    const nodes = Object.fromEntries(cluster.brokers.map(({ node }) => [String(node), ports[String(node)] ?? 0]));
    this.route = new Route({
      options: routeOptions({
        ...overrides,
        options: {
          protocol: 'kafka',
          listen: { host: '127.0.0.1', port: ports[BOOTSTRAP] ?? 0 },
          ...overrides.options,
        },
        upstream: {
          bootstrap: cluster.brokers.map(({ host, port }) => ({ host, port })),
          ...overrides.upstream,
        },
        brokersOptions: { portBase: undefined, ports: nodes, ...overrides.brokersOptions },
      }),
      protocol: protocolNamed('kafka'),
      clock,
      network,
      observe: (event) => this.events.push(event),
      random: Math.random,
    });
    this.control = new LiveRouteControl(this.route);
  }

  /** Where applications reach a node, or the cluster. */
  port(node: number | string = BOOTSTRAP): number {
    const local = this.route.listeners.find(String(node));
    if (local === undefined || local === 'unbindable') throw new Error(`${node} has no listener`);
    return local.port;
  }

  get bootstrap(): string[] {
    return [`127.0.0.1:${this.port()}`];
  }
  get ports(): Readonly<Record<string, number>> {
    const nodes = Object.keys(this.route.options.brokers.ports);
    return Object.fromEntries([BOOTSTRAP, ...nodes].map((node) => [node, this.port(node)]));
  }

  of<T extends CoreEvent['type']>(type: T): Event<T>[] {
    return this.events.filter((event): event is Event<T> => event.type === type);
  }
  /** Reasons of the clients that were closed, in order. */
  get closes(): CloseReason[] {
    return this.of('client.disconnected').map(({ reason }) => reason);
  }
  get releases(): string[] {
    return this.of('upstream.released').map(({ reason }) => reason);
  }
  get violations(): string[] {
    return this.of('invariant.violated').map(({ detail }) => detail);
  }

  /** Quiet connections are released, as the detector would. */
  async asleep(cluster: EmbeddedCluster): Promise<void> {
    const release = setInterval(() => this.control.reap({ olderThanSeconds: 0, dryRun: false }), 10);
    try {
      await until('no connection is left at the brokers', () => cluster.tally.open === 0);
    } finally {
      clearInterval(release);
    }
  }

  stop(): Promise<void> {
    this.#stopped ??= this.route.stop().then(() => this.route.pools.emptied());
    return this.#stopped;
  }
}

/** Ends with its test, which fails if the sidecar broke an invariant of its own. Resolves once it knows its cluster. */
export async function startSidecar(t: Test, cluster: EmbeddedCluster, options: SidecarOptions = {}): Promise<Sidecar> {
  const sidecar = new Sidecar(cluster, options);
  await sidecar.route.start();
  t.teardown(async () => {
    await sidecar.stop();
    if (sidecar.violations.length > 0) throw new Error(`invariants were violated: ${sidecar.violations.join('; ')}`);
  });
  await until('every broker has a listener', () =>
    cluster.brokers.every(({ node }) => sidecar.route.listeners.addressOf(String(node)) !== null),
  );
  return sidecar;
}

/** A client of frames at a node's listener, or at the bootstrap one. */
export function connect(t: Test, sidecar: Sidecar, node?: number): Promise<RawClient> {
  return RawClient.connect(t, sidecar.port(node));
}
