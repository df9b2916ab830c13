/** The tests' brokers and clients of Pulsar on a network in memory, with a sidecar in between; nothing moves by itself. */
import type { Credential } from '../../../src/contract/credential.ts';
import type { MultiplexingContext } from '../../../src/contract/multiplexing.ts';
import type { CoreEvent } from '../../../src/core/events.ts';
import type { Identities } from '../../../src/core/login.ts';
import { Route } from '../../../src/core/route.ts';
import { LiveRouteControl } from '../../../src/core/route-control.ts';
import { protocolNamed } from '../../../src/protocols/registry.ts';
import { LISTEN, type Overrides, routeOptions } from '../core-fixture.ts';
import { FakeNetwork } from '../fake-network.ts';
import type { FakePeer } from '../fake-peer.ts';
import { ManualClock } from '../manual-clock.ts';
import { FakeBroker } from './broker.ts';
import type { BrokerConnection, Transport } from './broker-connection.ts';
import { ScriptedClient } from './client.ts';
import { type ClusterOptions, FakeCluster } from './cluster.ts';

export interface SidecarOptions extends Overrides {
  /** That of what was made before; else one of its own. */
  readonly clock?: ManualClock;
  readonly cluster?: ClusterOptions;
  readonly protocolName?: string;
  readonly multiplexing?: Partial<MultiplexingContext>;
  readonly credential?: Credential;
}

/** A peer that holds back what it reads while it is paused. */
function transportOf(peer: FakePeer, pump: () => void): Transport & { take(bytes: Buffer): void; to: Sink | null } {
  let held: Buffer[] | null = null;
  const transport = {
    to: null as Sink | null,
    write: (bytes: Buffer): void => {
      peer.send(bytes);
      pump();
    },
    end: (): void => {
      peer.close();
      pump();
    },
    reset: (): void => {
      peer.rst();
      pump();
    },
    pause: (): void => {
      held ??= [];
    },
    resume: (): void => {
      const bytes = held ?? [];
      held = null;
      for (const each of bytes) transport.take(each);
    },
    take: (bytes: Buffer): void => {
      if (held === null) transport.to?.feed(bytes);
      else held.push(bytes);
    },
  };
  return transport;
}

type Over = (transport: Transport, peer: FakePeer) => Transport;

interface Sink {
  feed(bytes: Buffer): void;
  ended(): void;
}

/** Bytes that a peer gets go there. */
function follow(peer: FakePeer, transport: ReturnType<typeof transportOf>, to: Sink): void {
  transport.to = to;
  peer.onBytes = (bytes) => transport.take(Buffer.from(bytes));
  peer.onEnd = () => {
    to.ended();
    peer.close();
  };
}

export class PulsarSidecar {
  readonly clock: ManualClock;
  readonly network = new FakeNetwork();
  readonly cluster: FakeCluster;
  readonly events: CoreEvent[] = [];
  onEvent: (event: CoreEvent) => void = () => undefined;
  readonly route: Route;
  readonly control: LiveRouteControl;
  /** What the brokers' connections are over. */
  readonly peers = new WeakMap<BrokerConnection, FakePeer>();
  #pumping = false;
  #seconds = 0;

  constructor({
    clock = new ManualClock(),
    cluster,
    brokers = 1,
    protocolName = 'pulsar',
    multiplexing,
    credential,
    ...overrides
  }: SidecarOptions) {
    this.clock = clock;
    this.clock.input = () => this.pump();
    this.cluster = new FakeCluster(cluster);
    for (let index = 0; index < brokers; index += 1) this.addBroker();
    const options = routeOptions({
      ...overrides,
      brokersOptions: { portBase: undefined, ...overrides.brokersOptions },
    });
    this.route = new Route({
      options: {
        ...options,
        protocol: protocolName,
        upstream: { ...options.upstream, bootstrap: [{ host: 'broker-1', port: 6650 }], ...overrides.upstream },
      },
      protocol: protocolNamed(protocolName),
      clock: this.clock,
      network: this.network,
      observe: (event) => {
        this.events.push(event);
        this.onEvent(event);
      },
      random: () => 0.5,
      multiplexing: {
        wholeFrameBytes: options.limits.wholeFrameBytes,
        passed: null,
        isUpstreamSecured: false,
        isAllowedBroker: () => false,
        rewritesLookups: false,
        keepsTopicsAlive: false,
        ...multiplexing,
      },
      ...(credential === undefined ? {} : { identities: identitiesOf(credential) }),
      ...(overrides.identities === undefined ? {} : { identities: overrides.identities }),
    });
    this.control = new LiveRouteControl(this.route);
  }

  addBroker(): FakeBroker {
    const index = this.cluster.brokers.length;
    const broker = new FakeBroker(this.cluster, `broker-${index + 1}:6650`);
    this.serve(index);
    return broker;
  }

  /** The broker listens, again perhaps. */
  serve(index: number): void {
    const broker = this.cluster.broker(index);
    this.network.serve(broker.address, (peer) => {
      const transport = transportOf(peer, () => this.pump());
      const connection = broker.accept(transport);
      this.peers.set(connection, peer);
      follow(peer, transport, connection);
    });
  }

  /** The broker's process ends: its connections are reset, and nobody listens. */
  kill(index: number): void {
    const broker = this.cluster.broker(index);
    this.network.refuse(broker.address);
    broker.kill();
    this.pump();
  }

  /** A socket of an application at the listener; `over` may stand between the client and its socket. */
  open(port: number = LISTEN.port, over: Over = (transport) => transport): ScriptedClient {
    const peer = this.network.connect('127.0.0.1', port);
    if (peer.refused) throw new Error(`nobody listens at ${port}`);
    const transport = transportOf(peer, () => this.pump());
    const client = new ScriptedClient(over(transport, peer));
    follow(peer, transport, client);
    return client;
  }

  get isListening(): boolean {
    return this.network.listening.includes(`${LISTEN.host}:${LISTEN.port}`);
  }

  /** Delivers all that is under way; not from inside of a delivery. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      this.network.pump();
    } finally {
      this.#pumping = false;
    }
  }

  /** Seconds pass, one by one, and brokers send their PINGs every thirty. */
  pass(seconds: number): void {
    for (let second = 0; second < seconds; second += 1) {
      this.clock.advance(Math.min(1, seconds - second) * 1000);
      this.#seconds += 1;
      if (this.#seconds % 30 === 0) for (const broker of this.cluster.brokers) broker.keepAlive();
      this.pump();
    }
  }
  get closeReasons(): readonly string[] {
    return this.events.flatMap((event) => (event.type === 'client.disconnected' ? [event.reason] : []));
  }
  get releaseReasons(): readonly string[] {
    return this.events.flatMap((event) => (event.type === 'upstream.released' ? [event.reason] : []));
  }
}

function identitiesOf(credential: Credential): Identities {
  const login = { fingerprint: 'of the test', tls: null, credential: () => credential };
  return { first: { name: '', login }, find: (name) => ({ name, login }), onChange: () => undefined };
}

interface Scope {
  teardown(task: () => Promise<void>): unknown;
}

/** A sidecar that has started and holds no connection; at the end it stops, and no fault may have come up. */
export async function startPulsar(scope: Scope, options: SidecarOptions = {}): Promise<PulsarSidecar> {
  const sidecar = new PulsarSidecar(options);
  scope.teardown(async () => {
    await sidecar.route.stop();
    sidecar.pump();
    const violations = sidecar.events.filter(({ type }) => type.startsWith('invariant'));
    const faults = [...sidecar.network.faults, ...violations.map((each) => JSON.stringify(each))];
    if (faults.length > 0) throw new Error(faults.join('; '));
  });
  await sidecar.route.start();
  await sidecar.network.settle();
  sidecar.pass(3);
  sidecar.events.length = 0;
  for (const { connections } of sidecar.cluster.brokers) connections.length = 0;
  return sidecar;
}
