import type { ProtocolRoute } from '../contract/protocol.ts';
import type { CloseReason } from '../contract/reasons.ts';
import { BOOTSTRAP, type Topology } from '../contract/topology.ts';
import { BrokerPools } from './broker-pools.ts';
import { Client } from './client.ts';
import type { ClientHost, LaneHost } from './client-host.ts';
import { dismissIfQuiet, sweepClient } from './client-sweep.ts';
import type { Clock } from './clock.ts';
import { ClusterMap } from './cluster-map.ts';
import { Distribution } from './distribution.ts';
import type { CoreEvent } from './events.ts';
import { invariant } from './invariant.ts';
import { LaneClient } from './lane-client.ts';
import { Listeners } from './listeners.ts';
import { ANONYMOUS, type Identities } from './login.ts';
import type { RouteOptions } from './options.ts';
import type { Pool } from './pool.ts';
import { Reaper } from './reaper.ts';
import { type RouteClient, waitingFirst } from './route-client.ts';
import type { RouteParts } from './route-parts.ts';
import { openStreams } from './streams.ts';
import { SWEEP_MILLISECONDS, sweepPool } from './sweep.ts';
import { BIND_RETRY_MILLISECONDS, TopologyFollower } from './topology-follower.ts';
import type { Upstream } from './upstream.ts';
import type { Sharing } from './views.ts';
import type { FailedHandshake, Wire, WireHandler } from './wire.ts';

const WAIT_BOUNDS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export class Route implements ClientHost, LaneHost {
  readonly options: RouteOptions;
  readonly clock: Clock;
  readonly protocol: ProtocolRoute;
  readonly opaque: boolean;
  readonly cluster: ClusterMap;
  readonly listeners: Listeners;
  readonly topology: TopologyFollower;
  readonly pools: BrokerPools;
  readonly reaper: Reaper;
  readonly identities: Identities;
  readonly clients = new Set<RouteClient>();
  readonly leaseWaitSeconds = new Distribution(WAIT_BOUNDS_SECONDS);
  /** By broker: how long connections that are shared were not read. */
  readonly stalledSeconds = new Map<string, number>();
  readonly resumeSeconds = new Distribution(WAIT_BOUNDS_SECONDS);
  bytesFromClients = 0;
  bytesToClients = 0;
  reaped = 0;
  detectorLastRunSeconds = 0;
  readonly #parts: RouteParts;
  #nextClient = 1;
  #sweepTimer: { cancel(): void } | null = null;
  #accepting = true;
  #stopped = false;
  #whenEmpty: (() => void) | null = null;

  constructor(parts: RouteParts) {
    const { options, clock, network, random } = parts;
    this.#parts = parts;
    this.options = options;
    this.clock = clock;
    this.identities = parts.identities ?? ANONYMOUS;
    this.cluster = new ClusterMap(options.brokers.removeAfterSeconds);
    this.listeners = new Listeners(options.brokers.advertisedHost, {
      network,
      tls: parts.listenTls,
      accept: (node, wire) => this.#accept(node, wire),
      handshakeFailed: (node, failure) => this.#handshakeFailed(node, failure),
      settled: () => this.#unblock(),
      bindFailed: (broker, detail) => this.emit({ type: 'listener.bind_failed', route: options.name, broker, detail }),
    });
    this.protocol = parts.protocol.createRoute({
      addresses: this.listeners,
      maxFrameBytes: options.limits.maxFrameBytes,
      portBase: options.brokers.portBase,
      ports: options.brokers.ports,
      saslPassThrough: parts.saslPassThrough ?? false,
      users: parts.users ?? null,
      multiplexing: parts.multiplexing,
    });
    this.opaque = this.protocol.dialsAtAccept;
    this.topology = new TopologyFollower(this);
    this.pools = new BrokerPools(this, network, random);
    this.reaper = new Reaper({
      clock,
      random,
      options,
      pools: () => this.pools,
      warm: () => this.warm,
      streams: () => (this.opaque ? openStreams(this.clients) : []),
      reaped: () => {
        this.reaped += 1;
      },
      ran: () => {
        this.detectorLastRunSeconds = clock.unixSeconds();
      },
    });
  }

  get name(): string {
    return this.options.name;
  }
  /** With whom a client shares broker connections. */
  get sharing(): Sharing {
    if (this.opaque || this.#parts.saslPassThrough === true) return 'none';
    return this.#parts.users === undefined && (this.#parts.multiplexing?.passed ?? null) === null ? 'route' : 'user';
  }
  /** The topology was learnt at least once, or there is none to learn. */
  get learnt(): boolean {
    return this.opaque || this.cluster.learnt || (!this.protocol.asksForTopology && this.pools.reached);
  }
  get stopped(): boolean {
    return this.#stopped;
  }
  get accepting(): boolean {
    return this.#accepting;
  }
  get warm(): number {
    return this.clients.size > 0 ? this.options.pool.minWarmConnectionsPerBroker : 0;
  }

  get stallMilliseconds(): number {
    return this.options.limits.clientStallSeconds * 1000;
  }

  remember(topology: Topology): void {
    this.#parts.remember?.(topology);
  }

  emit(event: CoreEvent): void {
    this.#parts.observe(event);
  }

  // --- life -----------------------------------------------------------------------------------------------------

  /** Binds the listener and begins to learn the topology. Rejects with the system's error if it cannot be bound. */
  async start(): Promise<void> {
    await this.listeners.open(BOOTSTRAP, this.options.listen);
    this.identities.onChange((name) => this.#identityChanged(name));
    const { remembered } = this.#parts;
    if (remembered !== undefined) this.topology.named({ ...remembered, complete: false });
    this.reaper.start();
    this.#scheduleSweep();
    if (!this.opaque) this.pools.learn();
  }

  /** No new clients; those that are idle are told goodbye, the others as soon as nothing is owed to them. */
  async drain(): Promise<void> {
    this.#accepting = false;
    await this.listeners.close();
    for (const client of [...this.clients]) dismissIfQuiet(client);
  }

  /** Resolves once no client is left. */
  emptied(): Promise<void> {
    if (this.clients.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenEmpty = resolve;
    });
  }

  /** Everything ends now. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#accepting = false;
    this.reaper.stop();
    this.#sweepTimer?.cancel();
    for (const client of waitingFirst([...this.clients])) client.close('shutdown', 'shutdown', 'end');
    this.pools.shutDown();
    await this.listeners.close();
  }

  #scheduleSweep(): void {
    this.#sweepTimer = this.clock.after(SWEEP_MILLISECONDS, () => {
      this.#scheduleSweep();
      // The process may have stood still: the sockets are read first, and judged then.
      this.clock.afterInput(() => this.#sweep());
    });
  }

  #sweep(): void {
    if (this.#stopped) return;
    const now = this.clock.now();
    const idleMarked = (pool: Pool, upstream: Upstream): void => this.#idleMarked(pool, upstream, now);
    const stalled = ({ broker }: Pool, seconds: number): void => {
      this.stalledSeconds.set(broker, (this.stalledSeconds.get(broker) ?? 0) + seconds);
    };
    for (const pool of this.pools) sweepPool(pool, now, { warm: () => this.warm, idleMarked, stalled });
    for (const client of [...this.clients]) sweepClient(client, now, this);
    this.listeners.retryFailed(now, BIND_RETRY_MILLISECONDS);
  }

  #idleMarked(pool: Pool, upstream: Upstream, now: number): void {
    const ageSeconds = (now - upstream.createTime) / 1000;
    this.emit({
      type: 'upstream.idle_marked',
      route: this.name,
      broker: pool.broker,
      upstream: upstream.id,
      ageSeconds,
    });
  }

  // --- clients --------------------------------------------------------------------------------------------------

  #accept(listener: string, wire: Wire): WireHandler {
    const node = listener === BOOTSTRAP ? null : listener;
    const session = this.protocol.client(listener, this.#parts.subjectIsUser === true ? wire.peerName : null);
    const of = [this.#nextClient, listener, node, session, wire, this] as const;
    const client = this.protocol.multiplexes ? new LaneClient(...of) : new Client(...of);
    this.#nextClient += 1;
    // Asked for now, it is remembered when the socket is gone.
    const { remote } = wire;
    this.emit({ type: 'client.connected', route: this.name, broker: listener, client: client.id, remote });
    if (!this.#accepting) {
      client.close('shutdown', 'shutdown', 'reset');
      return client;
    }
    if (this.clients.size >= this.options.maxClients) {
      client.close('too_many_clients', 'more than maxClients are connected', 'reset');
      return client;
    }
    this.clients.add(client);
    if (this.opaque && client instanceof Client) client.attachAtOnce();
    return client;
  }

  /** Counted like any other client that came and went. */
  #handshakeFailed(broker: string, { plaintext, remote, detail }: FailedHandshake): void {
    const client = { route: this.name, broker, client: `c${this.#nextClient}`, remote };
    this.#nextClient += 1;
    const reason = plaintext ? 'plaintext_on_tls' : 'tls_failed';
    this.emit({ type: 'client.connected', ...client });
    this.emit({ type: 'client.disconnected', ...client, reason, detail, ageSeconds: 0 });
  }

  mayAnswer(client: RouteClient): boolean {
    const { pools } = this;
    const identity = pools.lookedAtBy(client);
    const { routing } = client.session;
    if (routing !== undefined) return pools.isTrusted(routing.node, identity);
    const stays = client.listener !== BOOTSTRAP || (client.node !== null && pools.isReachable(client.node, identity));
    return pools.isTrusted(stays ? client.node : pools.choose(client.node, identity), identity);
  }

  poolFor(client: Client, toLearn: boolean): Pool {
    invariant(toLearn || client.session.identity !== '' || this.#parts.users === undefined, 'nobody sends as nobody');
    const identity = toLearn ? this.pools.lookedAtBy(client) : this.pools.identity(client.session.identity);
    if (client.listener === BOOTSTRAP) client.node = this.pools.choose(client.node, identity);
    return identity.get(client.node ?? BOOTSTRAP);
  }

  poolOf(node: string, identity: string): Pool {
    return this.pools.identity(identity).get(node);
  }

  /** Nobody of a user that is gone goes on. */
  #identityChanged(name: string): void {
    if (this.identities.find(name) === undefined) {
      const its = [...this.clients].filter(({ session }) => session.identity === name);
      for (const client of waitingFirst(its)) {
        client.close('identity_removed', `user ${name} was removed`, 'end');
      }
    }
    this.pools.identityChanged(name);
  }

  violated(detail: string): void {
    this.emit({ type: 'invariant.violated', route: this.name, detail });
  }

  clientClosed(client: RouteClient, reason: CloseReason, detail: string): void {
    this.clients.delete(client);
    this.emit({
      type: 'client.disconnected',
      route: this.name,
      broker: client.listener,
      client: client.id,
      remote: client.wire.remote,
      reason,
      detail,
      ageSeconds: (this.clock.now() - client.createTime) / 1000,
    });
    if (this.clients.size === 0) this.#whenEmpty?.();
  }

  resumed(milliseconds: number): void {
    this.resumeSeconds.observe(milliseconds / 1000);
  }

  #unblock(): void {
    for (const pool of this.pools) {
      for (const upstream of [...pool.supply.upstreams(), ...pool.open]) upstream.unblock();
    }
  }
}
