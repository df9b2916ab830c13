/** A route of the core between applications and brokers that are all played by the test. */
import type { Protocol } from '../../src/contract/protocol.ts';
import { BOOTSTRAP, type Topology } from '../../src/contract/topology.ts';
import type { CoreEvent } from '../../src/core/events.ts';
import type { Identities } from '../../src/core/login.ts';
import type { RouteOptions } from '../../src/core/options.ts';
import { Route } from '../../src/core/route.ts';
import { LiveRouteControl } from '../../src/core/route-control.ts';
import type { ListenTls } from '../../src/core/wire.ts';
import { FakeApp } from './fake-app.ts';
import { FakeBroker, FakeCluster } from './fake-broker.ts';
import { FakeNetwork } from './fake-network.ts';
import { type LineRoute, lineProtocol } from './line-protocol.ts';
import { ManualClock } from './manual-clock.ts';

export const LISTEN = { host: '127.0.0.1', port: 9092 };
export const PORT_BASE = 29_092;

/** DESIGN's defaults, and what differs, by the keys of a route's options. */
export interface Overrides {
  readonly options?: Partial<Omit<RouteOptions, 'pool' | 'limits' | 'upstream' | 'brokers'>>;
  readonly pool?: Partial<RouteOptions['pool']>;
  readonly limits?: Partial<RouteOptions['limits']>;
  readonly upstream?: Partial<RouteOptions['upstream']>;
  readonly brokersOptions?: Partial<RouteOptions['brokers']>;
  readonly brokers?: number;
  readonly protocol?: Protocol;
  readonly random?: () => number;
  readonly identities?: Identities;
  readonly listenTls?: () => ListenTls;
  readonly remembered?: Topology;
  readonly remember?: (topology: Topology) => void;
  /** Before the route starts. */
  readonly prepare?: (core: CoreFixture) => void;
}

export function routeOptions({ options, pool, limits, upstream, brokersOptions }: Overrides = {}): RouteOptions {
  return {
    name: 'orders',
    protocol: 'line',
    listen: LISTEN,
    upstream: {
      bootstrap: [{ host: 'broker-1', port: 9092 }],
      dialAddresses: {},
      dialTimeoutMilliseconds: 3000,
      ...upstream,
    },
    brokers: {
      portBase: PORT_BASE,
      ports: {},
      listenHost: '127.0.0.1',
      advertisedHost: '127.0.0.1',
      removeAfterSeconds: 300,
      ...brokersOptions,
    },
    autoReleaseIdleConnectionsEnabled: true,
    connectionMaxIdleSeconds: 180,
    connectionIdleDetectionIntervalSeconds: 60,
    housekeepingLingerSeconds: 1,
    clientMaxIdleSeconds: 0,
    maxClients: 10_000,
    shutdownGraceSeconds: 25,
    pool: {
      maxConnectionsPerBroker: 16,
      growAfterWaitMilliseconds: 10,
      leaseMaxHoldMilliseconds: 50,
      slowAnswerMilliseconds: 500,
      maxWaiters: 10_000,
      maxWaitMilliseconds: 5000,
      excessLingerSeconds: 10,
      minWarmConnectionsPerBroker: 0,
      validateAfterIdleSeconds: 30,
      maxConnectionAgeSeconds: 3600,
      ...pool,
    },
    limits: {
      maxFrameBytes: 100 * 1024 * 1024,
      wholeFrameBytes: 64 * 1024,
      clientStallSeconds: 60,
      responseTimeoutSeconds: 120,
      ...limits,
    },
    ...options,
  };
}

export class CoreFixture {
  readonly clock = new ManualClock();
  readonly network = new FakeNetwork();
  readonly cluster = new FakeCluster();
  readonly events: CoreEvent[] = [];
  onEvent: (event: CoreEvent) => void = () => undefined;
  readonly route: Route;
  readonly control: LiveRouteControl;
  #nextApp = 1;

  constructor(overrides: Overrides = {}) {
    this.clock.input = () => this.network.pump();
    for (let node = 1; node <= (overrides.brokers ?? 1); node += 1) this.addBroker(`${node}`);
    this.route = new Route({
      options: routeOptions(overrides),
      protocol: overrides.protocol ?? lineProtocol,
      clock: this.clock,
      network: this.network,
      observe: (event) => {
        this.events.push(event);
        this.onEvent(event);
      },
      random: overrides.random ?? (() => 0.5),
      subjectIsUser: true,
      ...(overrides.identities === undefined ? {} : { identities: overrides.identities }),
      ...(overrides.listenTls === undefined ? {} : { listenTls: overrides.listenTls }),
      ...(overrides.remembered === undefined ? {} : { remembered: overrides.remembered }),
      ...(overrides.remember === undefined ? {} : { remember: overrides.remember }),
    });
    this.cluster.now = () => this.clock.now();
    overrides.prepare?.(this);
    this.control = new LiveRouteControl(this.route);
  }

  get line(): LineRoute {
    return this.route.protocol as LineRoute;
  }

  addBroker(node: string): FakeBroker {
    return new FakeBroker(node, `broker-${node}:9092`, this.network, this.cluster);
  }

  broker(node: number | string = 1): FakeBroker {
    const broker = this.cluster.brokers.get(`${node}`);
    if (broker === undefined) throw new Error(`there is no broker ${node}`);
    return broker;
  }

  /** An application connects to the listener of a broker. */
  connect(node: number | string = 1, user: string | null = null): FakeApp {
    const port = node === BOOTSTRAP ? LISTEN.port : PORT_BASE + Number(node);
    const app = new FakeApp(this.#nextApp, this.network.connect('127.0.0.1', port, user), this.network);
    this.#nextApp += 1;
    return app;
  }

  pump(): void {
    this.network.pump();
  }

  async settle(): Promise<void> {
    await this.network.settle();
  }

  /** Seconds pass, sockets are read after every timer. */
  pass(seconds: number): void {
    this.clock.advance(seconds * 1000);
  }

  /** Upstream connections that are open to a broker, as the broker sees it. */
  openTo(node: number | string = 1): number {
    return this.broker(node).open.length;
  }

  eventsOf<T extends CoreEvent['type']>(type: T): Extract<CoreEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<CoreEvent, { type: T }> => event.type === type);
  }

  /** Reasons of the releases of connections that had been open. */
  get released(): string[] {
    return this.eventsOf('upstream.released').flatMap(({ reason, opened }) => (opened ? [reason] : []));
  }

  get disconnected(): string[] {
    return this.eventsOf('client.disconnected').map(({ reason }) => reason);
  }
}

interface Scope {
  teardown(task: () => Promise<void>): unknown;
}

/**
 * A route that knows its brokers and holds no connection: what the learning of the topology left behind is forgotten.
 * At the end of the test it is stopped, and it must not have done to a socket what no socket bears.
 */
export async function startCore(scope: Scope, overrides: Overrides = {}): Promise<CoreFixture> {
  const core = new CoreFixture(overrides);
  scope.teardown(async () => {
    await core.route.stop();
    core.pump();
    if (core.network.faults.length > 0) throw new Error(core.network.faults.join('; '));
  });
  await core.route.start();
  await core.settle();
  core.pass(3);
  core.events.length = 0;
  core.network.dials.length = 0;
  for (const broker of core.cluster.brokers.values()) {
    broker.connections.length = 0;
    broker.received.length = 0;
  }
  return core;
}
