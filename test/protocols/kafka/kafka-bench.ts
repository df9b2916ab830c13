/** A route with its listeners, connections that have been greeted by a broker, and clients that ask. */
import {
  type ClientSession,
  type ProtocolRoute,
  type RouteContext,
  type UpstreamSession,
  Verdict,
} from '../../../src/contract/protocol.ts';
import type { CloseReason } from '../../../src/contract/reasons.ts';
import type { LocalAddress, LocalAddresses } from '../../../src/contract/topology.ts';
import { protocolNamed } from '../../../src/protocols/registry.ts';
import { RecordingSink } from '../recording-sink.ts';
import { answer, apiVersionsBody, type Broker, metadataBody, type Range } from './answers.ts';
import { API_ROWS } from './api-fixture.ts';
import type { Tag } from './wire.ts';

/** Long, so that no part of them comes about by chance. */
export const BROKERS: readonly Broker[] = [
  { node: 1, host: 'broker-one.kafka.internal', port: 9092, rack: 'a' },
  { node: 2, host: 'broker-two.kafka.internal', port: 9093, rack: null },
  { node: 3, host: 'broker-three.kafka.internal', port: 9094, rack: 'rack-c' },
];

export class ListenerTable implements LocalAddresses {
  readonly table = new Map<string, LocalAddress | 'unbindable'>();

  find(node: string): LocalAddress | 'unbindable' | undefined {
    return this.table.get(node);
  }

  bind(...brokers: readonly Broker[]): void {
    for (const { node } of brokers) this.table.set(String(node), { host: 'localhost', port: 30_000 + node });
  }
}

/** What a broker is like that greets us. */
export interface BrokerTraits {
  readonly node?: string;
  readonly ranges?: readonly Range[];
  readonly tags?: readonly Tag[];
  /** The newest ApiVersions that it knows. */
  readonly apiVersions?: number;
  readonly brokers?: readonly Broker[];
  readonly clusterId?: string | null;
  /** Of each ApiVersions that it answers, in order. */
  readonly throttles?: readonly number[];
  /** Whom it takes us for. */
  readonly identity?: string;
}

/** Everything that the fixture knows, from version 0 on. */
export const ALL_RANGES: readonly Range[] = API_ROWS.map(({ key, newest }) => ({ key, min: 0, max: newest }));

export interface Sent {
  readonly key: number;
  readonly version: number;
  readonly id: number;
  readonly bytes: Buffer;
}

/** Takes apart what we wrote to a broker. */
export function requestsIn(bytes: Buffer | undefined): Sent[] {
  const sent: Sent[] = [];
  for (let at = 0; bytes !== undefined && at < bytes.length; ) {
    const end = at + 4 + bytes.readInt32BE(at);
    const whole = bytes.subarray(at, end);
    sent.push({ key: whole.readInt16BE(4), version: whole.readInt16BE(6), id: whole.readInt32BE(8), bytes: whole });
    at = end;
  }
  return sent;
}

/** How a broker answers our greeting (KIP-511: an unknown version gets a v0 body with error 35). */
export function greetingAnswers(greeting: Buffer | undefined, traits: BrokerTraits = {}): Buffer {
  const { ranges = ALL_RANGES, tags = [], apiVersions = 4, brokers = BROKERS, clusterId = 'cluster-1' } = traits;
  const answers = requestsIn(greeting).map(({ key, version, id }, index) => {
    if (key === 3) return answer(3, version, id, metadataBody(version, brokers, { clusterId }));
    if (version <= apiVersions)
      return answer(
        18,
        version,
        id,
        apiVersionsBody(version, ranges, version >= 3 ? tags : [], 0, traits.throttles?.[index] ?? 0),
      );
    return answer(18, 0, id, apiVersionsBody(0, [{ key: 18, min: 0, max: apiVersions }], [], 35));
  });
  return Buffer.concat(answers);
}

export class Connection {
  readonly session: UpstreamSession<string>;
  readonly sink = new RecordingSink();

  constructor(session: UpstreamSession<string>) {
    this.session = session;
  }

  /** Inspects a request, expects that it goes to a broker, and registers it. */
  ask(client: ClientSession, bytes: Buffer, tenant = 'a'): CloseReason | undefined {
    const verdict = client.inspect(bytes, 0, bytes.length, true, false);
    if (verdict !== Verdict.forward) throw new Error(`not forwarded but ${verdict}: ${client.closeDetail}`);
    this.session.lend(tenant);
    return this.session.admit(client, tenant);
  }

  /** Feeds bytes in pieces that end at `cuts`, each in a buffer of its own, `lead` bytes behind its beginning. */
  read(bytes: Buffer, cuts: readonly number[] = [], lead = 0): this {
    let from = 0;
    for (const to of [...cuts, bytes.length]) {
      const piece = Buffer.concat([Buffer.alloc(lead, 0xee), bytes.subarray(from, to), Buffer.alloc(lead, 0xdd)]);
      this.session.read(piece, lead, lead + to - from, this.sink);
      piece.fill(0xcc); // whoever kept it would tell nonsense
      from = to;
    }
    return this;
  }
}

export class KafkaBench {
  readonly listeners = new ListenerTable();
  readonly route: ProtocolRoute;

  constructor(context: Partial<RouteContext> = {}) {
    this.listeners.bind(...BROKERS);
    this.route = protocolNamed('kafka').createRoute({
      addresses: this.listeners,
      maxFrameBytes: 100 * 1024 * 1024,
      portBase: 30_000,
      ports: {},
      saslPassThrough: false,
      users: null,
      ...context,
    });
  }

  /** A connection that has not been greeted. */
  dial(node = '1', identity = ''): Connection {
    const broker = BROKERS.find((each) => String(each.node) === node) ?? { host: 'seed.kafka.internal', port: 9092 };
    return new Connection(this.route.upstream<string>({ node, host: broker.host, port: broker.port }, identity));
  }

  /** A connection to a broker that has answered our greeting. */
  connect(traits: BrokerTraits = {}): Connection {
    const connection = this.dial(traits.node, traits.identity);
    connection.read(greetingAnswers(connection.session.greeting(null), traits));
    if (!connection.sink.facts.includes('ready')) throw new Error(`not ready: ${connection.sink.failure?.detail}`);
    connection.sink.reset();
    return connection;
  }

  /** @param user who it is by its certificate */
  client(node = '1', user: string | null = null): ClientSession {
    return this.route.client(node, user);
  }
}

/** The same brokers, as applications must see them. */
export function local(brokers: readonly Broker[]): Broker[] {
  return brokers.map((broker) => ({ ...broker, host: 'localhost', port: 30_000 + broker.node }));
}
