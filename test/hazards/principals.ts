/** Brokers that want to know who asks, a sidecar with two users, and applications that are one of them; nothing moves by itself. */
import { Secret } from '../../src/contract/credential.ts';
import type { CoreEvent } from '../../src/core/events.ts';
import type { Identities } from '../../src/core/login.ts';
import { Route } from '../../src/core/route.ts';
import { protocolNamed } from '../../src/protocols/registry.ts';
import { answer, heartbeatBody } from '../protocols/kafka/answers.ts';
import { BROKERS, requestsIn } from '../protocols/kafka/kafka-bench.ts';
import { request } from '../protocols/kafka/requests.ts';
import {
  authenticateRequest,
  handshakeRequest,
  tokensOf,
  UserTable,
} from '../protocols/kafka/sasl/sasl-application.ts';
import { SaslBroker } from '../protocols/kafka/sasl/sasl-broker.ts';
import { form } from '../protocols/kafka/wire.ts';
import { routeOptions } from '../support/core-fixture.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import type { FakePeer } from '../support/fake-peer.ts';
import { ManualClock } from '../support/manual-clock.ts';

const HEARTBEAT = 12;
const FIRST_PORT = 30_000;

/** Who is there, with the password at brokers, which is another than the one at the sidecar. */
export const AT_BROKERS = { alice: 'alice-upstream', bob: 'bob-upstream' } as const;
export type User = keyof typeof AT_BROKERS;
export const AT_SIDECAR = { alice: 'alice-local', bob: 'bob-local' } as const;

/** A connection, as its broker sees it. */
interface Served {
  readonly sasl: SaslBroker;
  readonly peer: FakePeer;
  until: number;
}

/** A request that came, who the broker took the sender for, and who it was. */
export interface Came {
  readonly principal: string;
  readonly sender: string;
}

export class Application {
  readonly user: string;
  readonly peer: FakePeer;
  heard = Buffer.alloc(0);
  sent = 0;
  readonly #network: FakeNetwork;

  constructor(user: string, peer: FakePeer, network: FakeNetwork) {
    this.user = user;
    this.peer = peer;
    this.#network = network;
    peer.onBytes = (bytes) => {
      this.heard = Buffer.concat([this.heard, bytes]);
    };
  }

  /** Answers what is heard then. */
  send(bytes: Buffer): Buffer {
    this.heard = Buffer.alloc(0);
    this.peer.send(bytes);
    this.#network.pump();
    return this.heard;
  }

  /** @returns the last answer */
  authenticate(password: string): Buffer {
    this.send(handshakeRequest(1, 1, 'PLAIN'));
    return this.send(authenticateRequest(2, 2, tokensOf('PLAIN', this.user, password).first));
  }

  /** Valid data, marked with its sender. */
  work(): boolean {
    this.sent += 1;
    const id = this.sent;
    return this.send(request(HEARTBEAT, 4, id, { clientId: this.user, body: form(true).string('group') })).equals(
      answer(HEARTBEAT, 4, id, heartbeatBody(4)),
    );
  }
}

export class Stage {
  readonly clock = new ManualClock();
  readonly network = new FakeNetwork();
  readonly events: CoreEvent[] = [];
  readonly came: Came[] = [];
  readonly served: Served[] = [];
  readonly route: Route;
  /** Of sessions, in milliseconds; 0: without end. */
  readonly lifetime: number;
  /** Requests on a connection whose session was over. */
  late = 0;

  constructor(lifetime: number) {
    this.lifetime = lifetime;
    this.clock.input = () => this.network.pump();
    for (const { host, port } of BROKERS) this.network.serve(`${host}:${port}`, (peer) => this.#serve(peer));
    const options = routeOptions({ brokersOptions: { portBase: FIRST_PORT, advertisedHost: 'localhost' } });
    const bootstrap = BROKERS.map(({ host, port }) => ({ host, port }));
    this.route = new Route({
      options: { ...options, protocol: 'kafka', upstream: { ...options.upstream, bootstrap } },
      protocol: protocolNamed('kafka'),
      clock: this.clock,
      network: this.network,
      observe: (event) => this.events.push(event),
      random: () => 0.5,
      users: new UserTable(AT_SIDECAR),
      identities: identities(),
    });
  }

  #serve(peer: FakePeer): void {
    const sasl = new SaslBroker({ passwords: AT_BROKERS, lifetime: this.lifetime });
    const served: Served = { sasl, peer, until: Number.POSITIVE_INFINITY };
    this.served.push(served);
    peer.onEnd = () => peer.close();
    peer.onBytes = (bytes) => this.#hear(served, bytes);
  }

  #hear(served: Served, bytes: Buffer): void {
    const { sasl, peer } = served;
    if (!sasl.authenticated || requestsIn(bytes).every(({ id }) => id < 0)) {
      const wasKnown = sasl.authenticated;
      peer.send(sasl.take(bytes));
      if (!wasKnown && sasl.authenticated && this.lifetime > 0) served.until = this.clock.now() + this.lifetime;
      return;
    }
    for (const { key, version, id, bytes: whole } of requestsIn(bytes)) {
      if (this.clock.now() > served.until) {
        this.late += 1;
        peer.close();
        return;
      }
      const sender = whole.subarray(14, 14 + whole.readInt16BE(12)).toString();
      this.came.push({ principal: sasl.principal, sender });
      peer.send(key === HEARTBEAT ? answer(key, version, id, heartbeatBody(version)) : sasl.take(whole));
    }
  }

  connect(user: string): Application {
    return new Application(user, this.network.connect('127.0.0.1', FIRST_PORT + 1), this.network);
  }

  pass(seconds: number): void {
    this.clock.advance(seconds * 1000);
  }

  get closes(): string[] {
    return this.events.flatMap((event) => (event.type === 'client.disconnected' ? [event.reason] : []));
  }
  get releases(): string[] {
    return this.events.flatMap((event) => (event.type === 'upstream.released' ? [event.reason] : []));
  }
}

function identities(): Identities {
  const sources = new Map(
    Object.entries(AT_BROKERS).map(([name, password]) => {
      const credential = { mechanism: 'SCRAM-SHA-256', username: name, password: new Secret(password) } as const;
      return [name, { name, login: { fingerprint: name, tls: null, credential: () => credential } }];
    }),
  );
  const first = sources.get('alice');
  if (first === undefined) throw new Error('alice is there');
  return { first, find: (name) => sources.get(name), onChange: () => undefined };
}

interface Scope {
  teardown(task: () => Promise<void>): unknown;
}

/** It knows its brokers. */
export async function startStage(scope: Scope, lifetime = 0): Promise<Stage> {
  const stage = new Stage(lifetime);
  scope.teardown(async () => {
    await stage.route.stop();
    stage.network.pump();
  });
  await stage.route.start();
  await stage.network.settle();
  stage.pass(3);
  return stage;
}
