/** A Kafka route with one broker connection, driven byte by byte. */
import {
  type ClientSession,
  type UpstreamSession,
  type UpstreamSink,
  Verdict,
} from '../../../src/contract/protocol.ts';
import type { ReleaseReason } from '../../../src/contract/reasons.ts';
import { BOOTSTRAP, type LocalAddress, type Topology } from '../../../src/contract/topology.ts';
import { APIS } from '../../../src/protocols/kafka/api-table.ts';
import { KafkaRoute } from '../../../src/protocols/kafka/route.ts';
import { answer, encode, request, uvarint } from './review-wire.ts';

export class Sink implements UpstreamSink<string> {
  readonly events: string[] = [];
  readonly topologies: Topology[] = [];
  failures: { reason: ReleaseReason; detail: string }[] = [];
  delivered = Buffer.alloc(0);
  ready(): void {
    this.events.push('ready');
  }
  deliver(_tenant: string, bytes: Buffer, start: number, end: number): void {
    this.events.push(`deliver ${end - start}`);
    this.delivered = Buffer.concat([this.delivered, bytes.subarray(start, end)]);
  }
  worked(): void {
    this.events.push('worked');
  }
  settled(): void {
    this.events.push('settled');
  }
  ponged(): void {
    this.events.push('ponged');
  }
  refreshed(): void {
    this.events.push('refreshed');
  }
  muted(milliseconds: number): void {
    this.events.push(`muted ${milliseconds}`);
  }
  named(topology: Topology): void {
    this.events.push('named');
    this.topologies.push(topology);
  }
  fail(reason: ReleaseReason, detail: string): void {
    this.events.push(`fail ${reason}`);
    this.failures.push({ reason, detail });
  }
}

export const LOCAL: ReadonlyMap<string, LocalAddress> = new Map([
  ['1', { host: 'localhost', port: 29093 }],
  ['2', { host: 'localhost', port: 29094 }],
]);

export class Bench {
  readonly addresses = new Map<string, LocalAddress | 'unbindable'>(LOCAL);
  readonly route: KafkaRoute;
  constructor(maxFrameBytes = 100 * 1024 * 1024) {
    const find = (node: string): LocalAddress | 'unbindable' | undefined => this.addresses.get(node);
    this.route = new KafkaRoute({ addresses: { find }, maxFrameBytes, portBase: 29092, ports: {} });
  }

  /** A connection whose greeting was answered. @param limits the newest version that the broker has of an api */
  upstream(limits: Readonly<Record<number, number>> = {}, newest = 4): UpstreamSession<string> {
    const session = this.route.upstream<string>({ node: BOOTSTRAP, host: 'b', port: 1 });
    const greeting = session.greeting();
    const sink = new Sink();
    for (const each of requestsIn(greeting ?? Buffer.alloc(0))) {
      const bytes = greetingAnswer(each, limits, newest);
      session.read(bytes, 0, bytes.length, sink);
    }
    if (sink.failures.length > 0) throw new Error(JSON.stringify(sink.failures));
    session.lend('tenant');
    return session;
  }
}

export interface SentRequest {
  readonly key: number;
  readonly version: number;
  readonly id: number;
}

export function requestsIn(bytes: Buffer): SentRequest[] {
  const found: SentRequest[] = [];
  for (let at = 0; at < bytes.length; at += 4 + bytes.readInt32BE(at)) {
    found.push({ key: bytes.readInt16BE(at + 4), version: bytes.readInt16BE(at + 6), id: bytes.readInt32BE(at + 8) });
  }
  return found;
}

const int16 = (value: number): Buffer => encode('int16', value, 0, false);
const int32 = (value: number): Buffer => encode('int32', value, 0, false);

export function greetingAnswer(
  { key, version, id }: SentRequest,
  limits: Readonly<Record<number, number>>,
  newest: number,
): Buffer {
  if (key === 3) {
    const broker = Buffer.concat([
      int32(1),
      encode('string', 'b1', 0, false),
      int32(9092),
      encode('string', null, 0, false),
    ]);
    return answer(
      id,
      false,
      Buffer.concat([int32(1), broker, encode('string', 'the-cluster', 0, false), int32(1), int32(0)]),
    );
  }
  if (version > newest) return answer(id, false, Buffer.concat([int16(35), int32(0)]));
  const flexible = version >= 3;
  const rows = APIS.map((api) =>
    Buffer.concat([int16(api.key), int16(0), int16(limits[api.key] ?? 99), flexible ? uvarint(0) : Buffer.alloc(0)]),
  );
  const length = flexible ? uvarint(rows.length + 1) : int32(rows.length);
  const tail = version >= 1 ? int32(0) : Buffer.alloc(0);
  return answer(id, false, Buffer.concat([int16(0), length, ...rows, tail, flexible ? uvarint(0) : Buffer.alloc(0)]));
}

/** Lets the client send a request that goes to the broker. */
export function ask(session: UpstreamSession<string>, client: ClientSession, bytes: Buffer): void {
  const verdict = client.inspect(bytes, 0, bytes.length, true, session.owed > 0);
  if (verdict !== Verdict.forward) throw new Error(`verdict ${verdict}: ${client.closeDetail}`);
  const refusal = session.admit(client, 'tenant');
  if (refusal !== undefined) throw new Error(refusal);
}

export function asked(key: number, version: number, id: number): Buffer {
  const api = APIS[key];
  const flexible = api !== undefined && version >= api.firstFlexible;
  // Produce: no transactional id, acks all; whatever else asks is not looked into
  const body =
    key === 0 ? [version >= 3 ? (flexible ? uvarint(0) : int16(-1)) : Buffer.alloc(0), int16(-1), int32(9)] : [];
  return request(key, version, id, flexible, Buffer.concat(body));
}
