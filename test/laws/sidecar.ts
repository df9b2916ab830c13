/** The whole sidecar, core and a protocol, between applications and servers of a specimen; nothing moves by itself. */

import type { Credential } from '../../src/contract/credential.ts';
import { BOOTSTRAP } from '../../src/contract/topology.ts';
import type { CoreEvent } from '../../src/core/events.ts';
import type { Identities } from '../../src/core/login.ts';
import { Route } from '../../src/core/route.ts';
import { protocolNamed } from '../../src/protocols/registry.ts';
import { LISTEN, type Overrides, routeOptions } from '../support/core-fixture.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import type { FakePeer } from '../support/fake-peer.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { FIRST_PORT, LOCAL_HOST, MULTIPLEXING } from './lab.ts';
import type { ProtocolSpecimen } from './specimen.ts';

/** DESIGN's defaults. */
export const MAX_IDLE_SECONDS = 180;
export const DETECTION_INTERVAL_SECONDS = 60;
/** Of the detector's releases. */
export const SPREAD_SECONDS = 5;

/** One connection, as its server sees it. */
export interface Served {
  readonly peer: FakePeer;
  /** Everything that came. */
  received: Buffer;
  /** The server could make no sense of it. */
  fault: string | null;
}

export class Application {
  readonly peer: FakePeer;
  heard: Buffer = Buffer.alloc(0);
  readonly #network: FakeNetwork;

  constructor(peer: FakePeer, network: FakeNetwork) {
    this.peer = peer;
    this.#network = network;
    peer.onBytes = (bytes) => {
      this.heard = Buffer.concat([this.heard, bytes]);
    };
  }

  send(bytes: Buffer): void {
    this.peer.send(bytes);
    this.#network.pump();
  }

  end(): void {
    this.peer.fin();
    this.#network.pump();
  }
}

export class Sidecar {
  readonly clock = new ManualClock();
  readonly network = new FakeNetwork();
  readonly served: Served[] = [];
  readonly events: CoreEvent[] = [];
  readonly route: Route;
  readonly #specimen: ProtocolSpecimen;

  constructor(specimen: ProtocolSpecimen, overrides: Overrides) {
    this.#specimen = specimen;
    this.clock.input = () => this.network.pump();
    for (const { host, port } of specimen.brokers) this.network.serve(`${host}:${port}`, (peer) => this.#serve(peer));
    const { passThrough, users, credential } = specimen.security ?? {};
    const [first] = specimen.brokers;
    const bootstrap = first === undefined ? [] : [{ host: first.host, port: first.port }];
    // Brokers are told to be where the lab has them, so that exchanges look the same.
    const brokersOptions = { portBase: FIRST_PORT, advertisedHost: LOCAL_HOST };
    const options = routeOptions({ ...overrides, brokersOptions });
    this.route = new Route({
      options: { ...options, protocol: specimen.protocol, upstream: { ...options.upstream, bootstrap } },
      protocol: protocolNamed(specimen.protocol),
      clock: this.clock,
      network: this.network,
      observe: (event) => this.events.push(event),
      random: () => 0.5,
      ...(specimen.multiplexing === undefined
        ? {}
        : { multiplexing: { ...MULTIPLEXING, wholeFrameBytes: options.limits.wholeFrameBytes } }),
      ...(passThrough === undefined
        ? {}
        : { saslPassThrough: passThrough, remembered: { clusterId: null, nodes: specimen.brokers, complete: true } }),
      ...(users === undefined ? {} : { users, subjectIsUser: true }),
      ...(users === undefined && credential === undefined ? {} : { identities: identitiesOf(credential ?? null) }),
    });
  }

  #serve(peer: FakePeer): void {
    const served: Served = { peer, received: Buffer.alloc(0), fault: null };
    const serve = this.#specimen.serve();
    this.served.push(served);
    peer.onEnd = () => peer.close();
    peer.onBytes = (bytes) => {
      served.received = Buffer.concat([served.received, bytes]);
      try {
        const answers = serve(bytes);
        if (answers.length > 0) peer.send(answers);
      } catch (error) {
        served.fault = String(error);
      }
    };
  }

  /** At the listener of the specimen's first broker. What all clients say first it has said, and was answered. */
  connect(): Application {
    const node = this.#specimen.brokers[0]?.node ?? BOOTSTRAP;
    const port =
      node === BOOTSTRAP || this.#specimen.multiplexing !== undefined ? LISTEN.port : FIRST_PORT + Number(node);
    const peer = this.network.connect('127.0.0.1', port, this.#specimen.security?.user);
    const application = new Application(peer, this.network);
    const opening = this.#specimen.multiplexing?.opening;
    if (opening === undefined) return application;
    application.send(opening);
    if (application.heard.length === 0) throw new Error('the opening was not answered');
    application.heard = Buffer.alloc(0);
    return application;
  }

  pass(seconds: number): void {
    this.clock.advance(seconds * 1000);
  }

  /** Connections that no side has closed. */
  get open(): number {
    return this.served.filter(({ peer }) => !peer.over && !peer.gone).length;
  }

  /** What servers were sent on behalf of applications, over all connections, is told by this. */
  carries(bytes: Buffer): boolean {
    return this.served.some(({ received }) => received.includes(bytes));
  }

  get faults(): readonly string[] {
    return [...this.network.faults, ...this.served.flatMap(({ fault }) => fault ?? [])];
  }

  get closeReasons(): readonly string[] {
    return this.events.flatMap((event) => (event.type === 'client.disconnected' ? [event.reason] : []));
  }
}

/** Any of them, with the same to show. */
function identitiesOf(credential: Credential | null): Identities {
  const login = { fingerprint: 'of the specimen', tls: null, credential: () => credential };
  return { first: { name: '', login }, find: (name) => ({ name, login }), onChange: () => undefined };
}

interface Scope {
  teardown(task: () => Promise<void>): unknown;
}

/** It knows its servers and holds no connection. */
export async function startSidecar(
  scope: Scope,
  specimen: ProtocolSpecimen,
  overrides: Overrides = {},
): Promise<Sidecar> {
  const sidecar = new Sidecar(specimen, overrides);
  scope.teardown(async () => {
    await sidecar.route.stop();
    sidecar.network.pump();
  });
  await sidecar.route.start();
  await sidecar.network.settle();
  if (specimen.multiplexing !== undefined) sidecar.connect().end(); // now it knows what brokers say of themselves
  sidecar.pass(3);
  sidecar.served.length = 0;
  sidecar.events.length = 0;
  return sidecar;
}
