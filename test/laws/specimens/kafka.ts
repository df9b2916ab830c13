/** Kafka: every answer that names brokers in every version, and at least one API of each class. */
import { Demand } from '../../../src/contract/protocol.ts';
import type { PinReason } from '../../../src/contract/reasons.ts';
import {
  answer,
  apiVersionsBody,
  fetchBody,
  metadataBody,
  produceBody,
  type Range,
} from '../../protocols/kafka/answers.ts';
import { API_ROWS, rowOf } from '../../protocols/kafka/api-fixture.ts';
import { ALL_RANGES, BROKERS, local, requestsIn } from '../../protocols/kafka/kafka-bench.ts';
import {
  anyRequest,
  apiVersionsRequest,
  fetchRequest,
  joinGroupRequest,
  metadataRequest,
  produceRequest,
  request,
} from '../../protocols/kafka/requests.ts';
import { NAMING, PASSING, type Sample } from '../../protocols/kafka/samples.ts';
import { form, i16, i32, join } from '../../protocols/kafka/wire.ts';
import type { Exchange, ProtocolSpecimen, Refusal } from '../specimen.ts';

const API_VERSIONS = 18;
const NEWEST_API_VERSIONS = 4;
const UNSUPPORTED_VERSION = 35;
const HIDDEN = new Set(['refuse', 'hidden', 'sasl']);
/** What clients are told without SASL. */
const OURS: readonly Range[] = ALL_RANGES.filter(({ key }) => !HIDDEN.has(rowOf(key).kind));

interface Class {
  readonly demand: Demand;
  readonly pin?: PinReason;
}

const CLASSES: Readonly<Record<string, Class>> = {
  hold: { demand: Demand.hold },
  'pin hard': { demand: Demand.pinHard, pin: 'share_session' },
};

function classOf(key: number): Pick<Exchange, 'demand' | 'pin' | 'work'> {
  const { kind, clock } = rowOf(key);
  const { demand, pin } = CLASSES[kind] ?? { demand: Demand.pool };
  return { demand, pin, work: clock === 'yes' };
}

function sampled({ name, key, version, body, seen }: Sample): Exchange {
  return {
    name,
    request: (id) => anyRequest(key, version, id),
    answer: (id) => answer(key, version, id, body(BROKERS, 0)),
    seen: (id) => answer(key, version, id, seen(BROKERS, local(BROKERS), 0)),
    local: false,
    ...classOf(key),
  };
}

/** Answered with a body that nobody looks into. */
export function plain(key: number, version: number, ask: (id: number) => Buffer, body: Buffer): Exchange {
  const answered = (id: number): Buffer => answer(key, version, id, body);
  const name = `${rowOf(key).name} v${version}`;
  return { name, request: ask, answer: answered, seen: answered, local: false, ...classOf(key) };
}

const unknown = (id: number): Buffer => join(i32(20), i32(id), Buffer.alloc(16, 0xff));

export const FORWARDED: readonly Exchange[] = [
  ...[...NAMING, ...PASSING].map(sampled),
  plain(11, 9, (id) => joinGroupRequest(9, id, 10_000, 60_000), join(i32(0), Buffer.alloc(20, 1))),
  plain(14, 5, (id) => anyRequest(14, 5, id), join(i32(0), i16(0), Buffer.alloc(9, 1))),
  plain(1, 10, (id) => fetchRequest(10, id, 500), join(i32(0), i16(0), i32(1), form(false).array([]))),
  plain(47, 0, (id) => anyRequest(47, 0, id), join(i16(0), i32(0), form(false).array([]))),
  plain(41, 3, (id) => anyRequest(41, 3, id), join(i16(0), form(true).array([]), i32(0), form(true).tags())),
  {
    name: 'an API that nobody knows',
    request: (id) => request(500, 3, id, { body: Buffer.from('whatever') }),
    answer: unknown,
    seen: unknown,
    local: false,
    ...{ demand: Demand.pin, pin: 'unknown_api', work: true },
  },
  {
    name: 'Produce with acks=0',
    request: (id) => produceRequest(9, id, { acks: 0 }),
    answer: () => Buffer.alloc(0),
    seen: () => Buffer.alloc(0),
    local: false,
    ...{ demand: Demand.pin, pin: 'acks_zero', work: true },
  },
];

const LARGE = Buffer.alloc(60_000, 'record');
const TOPICS = Array.from({ length: 200 }, (_, index) => `a-topic-with-a-rather-long-name-to-fill-the-memory-${index}`);
const MANY = TOPICS.join().repeat(2);

const BULKY: readonly Exchange[] = [
  {
    name: 'Metadata of many topics',
    request: (id) => metadataRequest(9, id, { topics: TOPICS }),
    answer: (id) => answer(3, 9, id, metadataBody(9, BROKERS, { topic: MANY })),
    seen: (id) => answer(3, 9, id, metadataBody(9, local(BROKERS), { topic: MANY })),
    local: false,
    ...classOf(3),
  },
  {
    name: 'Fetch of many records',
    request: (id) => fetchRequest(16, id, 500),
    answer: (id) => answer(1, 16, id, fetchBody(16, BROKERS, { records: LARGE })),
    seen: (id) => answer(1, 16, id, fetchBody(16, BROKERS, { records: LARGE, voided: true })),
    local: false,
    ...classOf(1),
  },
  plain(0, 9, (id) => produceRequest(9, id, { acks: -1, records: LARGE }), produceBody(9, [])),
];

export function apiVersions(version: number, ranges: readonly Range[] = OURS): Exchange {
  const isKnown = version <= NEWEST_API_VERSIONS;
  const told = (id: number): Buffer =>
    isKnown
      ? answer(API_VERSIONS, version, id, apiVersionsBody(version, ranges))
      : answer(
          API_VERSIONS,
          0,
          id,
          apiVersionsBody(0, [{ key: API_VERSIONS, min: 0, max: 4 }], [], UNSUPPORTED_VERSION),
        );
  return {
    name: `ApiVersions v${version}`,
    request: (id) => apiVersionsRequest(version, id),
    answer: () => Buffer.alloc(0),
    seen: told,
    local: true,
    ...{ demand: Demand.pool, pin: undefined, work: false },
  };
}

const EXCHANGES: readonly Exchange[] = [...FORWARDED, ...[0, 1, 2, 3, 4, 127].map((version) => apiVersions(version))];

/** By everything but the correlation id and the size. */
const BY_REQUEST = byRequest([...FORWARDED, ...BULKY]);

function byRequest(exchanges: readonly Exchange[]): ReadonlyMap<string, Exchange> {
  return new Map(exchanges.map((each) => [nameOf(each.request(0)), each]));
}

function nameOf(bytes: Buffer): string {
  return bytes.toString('latin1', 4, 8) + bytes.toString('latin1', 12);
}

function answerTo(bytes: Buffer, more: ReadonlyMap<string, Exchange>): Buffer {
  const [{ key, version, id } = { key: -1, version: -1, id: -1 }] = requestsIn(bytes);
  const exchange = BY_REQUEST.get(nameOf(bytes)) ?? more.get(nameOf(bytes));
  if (exchange !== undefined) return exchange.answer(id);
  if (id < 0 && key === API_VERSIONS) return answer(key, version, id, apiVersionsBody(version, ALL_RANGES));
  if (id < 0 && key === 3) return answer(key, version, id, metadataBody(version, BROKERS));
  throw new Error(`nobody asked for this: key ${key}, version ${version}, id ${id}`);
}

/** Answers each request as soon as it is complete. @param more what it answers beside the exchanges of Kafka's own */
export function serve(more: readonly Exchange[] = []): (written: Buffer) => Buffer {
  let pending = Buffer.alloc(0);
  const also = byRequest(more);
  return (written) => {
    pending = Buffer.concat([pending, written]);
    const answers: Buffer[] = [];
    while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE()) {
      const end = 4 + pending.readInt32BE();
      answers.push(answerTo(pending.subarray(0, end), also));
      pending = pending.subarray(end);
    }
    return Buffer.concat(answers);
  };
}

const REFUSALS: readonly Refusal[] = [
  { name: 'TLS', bytes: Buffer.from('16030100c8010000c40303', 'hex'), reason: 'tls_on_plaintext' },
  { name: 'HTTP', bytes: Buffer.from('GET / HTTP/1.1\r\n\r\n'), reason: 'http_on_kafka' },
  { name: 'a negative length', bytes: join(i32(-5), Buffer.alloc(20)), reason: 'protocol_error' },
  { name: 'a length without a head', bytes: join(i32(7), Buffer.alloc(20)), reason: 'protocol_error' },
  { name: 'a length over the limit', bytes: join(i32(2 ** 31 - 1), Buffer.alloc(20)), reason: 'frame_too_large' },
  { name: 'a version below 0', bytes: request(12, -1, 1), reason: 'protocol_error' },
  { name: 'a Produce without acks', bytes: request(0, 9, 1, { body: Buffer.from([0]) }), reason: 'protocol_error' },
  ...API_ROWS.filter(({ kind }) => HIDDEN.has(kind)).map(({ name, key }): Refusal => {
    return { name, bytes: anyRequest(key, 0, 1), reason: 'refused_api' };
  }),
  { name: 'a Metadata that names brokers in an unknown way', bytes: request(3, 14, 1), reason: 'refused_api' },
];

export const kafkaSpecimen: ProtocolSpecimen = {
  protocol: 'kafka',
  name: 'kafka',
  framed: true,
  exchanges: EXCHANGES,
  bulky: BULKY,
  refusals: REFUSALS,
  brokers: BROKERS.map(({ node, host, port }) => ({ node: String(node), host, port })),
  serve: () => serve(),
};
