/** Pulsar: the questions of all clients over one connection. */
import { Demand } from '../../../src/contract/protocol.ts';
import type { PinReason } from '../../../src/contract/reasons.ts';
import { BOOTSTRAP } from '../../../src/contract/topology.ts';
import { FakeBroker } from '../../support/pulsar/broker.ts';
import { type ClusterOptions, FakeCluster } from '../../support/pulsar/cluster.ts';
import type { CommandName, FieldsOf } from '../../support/pulsar/commands.ts';
import { FrameSplitter, frame, rawFrame } from '../../support/pulsar/frames.ts';
import type { Exchange, ProtocolSpecimen, Refusal } from '../specimen.ts';

export const BROKER = { host: 'broker-1', port: 6650 };
const URL = `pulsar://${BROKER.host}:${BROKER.port}`;
export const TOPIC = 'persistent://public/default/orders';
const MOST = 200 * 1024 * 1024;
/** Far beyond what a float holds, as Java's are. */
const FIRST_REQUEST = 2n ** 61n + 1n;

export function requestId(id: number): bigint {
  return FIRST_REQUEST + BigInt(id);
}

/** A broker's side of one connection. */
export function brokerOf(options: ClusterOptions = {}, prepare: (broker: FakeBroker) => void = () => undefined) {
  return (): ((written: Buffer) => Buffer) => {
    const broker = new FakeBroker(new FakeCluster(options), `${BROKER.host}:${BROKER.port}`);
    broker.records = false;
    prepare(broker);
    const parts: Buffer[] = [];
    const connection = broker.accept({
      write: (bytes) => void parts.push(bytes),
      end: () => undefined,
      reset: () => undefined,
      pause: () => undefined,
      resume: () => undefined,
    });
    return (written) => {
      connection.feed(written);
      if (connection.fault !== null) throw new Error(connection.fault);
      return Buffer.concat(parts.splice(0));
    };
  };
}

/** What was written, in words, without the ids that connections give. */
export function inWords(...renumbered: readonly string[]): (written: Buffer) => Buffer {
  return (written) => {
    const splitter = new FrameSplitter(MOST);
    const words: string[] = [];
    splitter.push(written, ({ command, payload }) =>
      words.push(
        JSON.stringify([command, payload.toString('hex')], (key, value: unknown) => {
          if (renumbered.includes(key)) return 0;
          return typeof value === 'bigint' ? `${value}` : value;
        }),
      ),
    );
    if (splitter.partial > 0) words.push(`and ${splitter.partial} bytes`);
    return Buffer.from(words.join('\n'));
  };
}

const client = {
  clientVersion: 'Specimen-v1',
  protocolVersion: 21,
  flags: { authRefresh: true, brokerEntryMetadata: true },
};
export const OPENING = frame('CONNECT', client);
/** Of clients that were told which broker has their topic. */
export const OPENING_AT_BROKER = frame('CONNECT', { ...client, proxyToBrokerUrl: `${BROKER.host}:${BROKER.port}` });

export const PING: Exchange = {
  name: 'PING',
  request: () => frame('PING', {}),
  answer: () => Buffer.alloc(0),
  seen: () => frame('PONG', {}),
  local: true,
  ...{ demand: Demand.pool, pin: undefined, work: false },
};

/** The answer has the request's id. */
function question<N extends CommandName, M extends CommandName>(
  name: N,
  asked: FieldsOf<N>,
  answer: M,
  answered: FieldsOf<M>,
  seen: FieldsOf<M> = answered,
): Exchange {
  const withId = <C extends CommandName>(command: C, fields: FieldsOf<C>, id: number): Buffer =>
    frame(command, { ...fields, requestId: requestId(id) } as FieldsOf<C>);
  return {
    name,
    request: (id) => withId(name, asked, id),
    answer: (id) => withId(answer, answered, id),
    seen: (id) => withId(answer, seen, id),
    local: false,
    ...{ demand: Demand.pool, pin: undefined, work: false },
  };
}

const MANY = Array.from({ length: 400 }, (_, index) => `${TOPIC}-with-a-rather-long-name-to-fill-the-memory-${index}`);

const found = { url: URL, urlTls: `pulsar+ssl://${BROKER.host}:${BROKER.port}`, response: 1, authoritative: true };

export const REFUSALS: readonly Refusal[] = [
  { name: 'a second CONNECT', bytes: OPENING, reason: 'protocol_error' },
  { name: 'an answer', bytes: frame('SUCCESS', { requestId: 1n }), reason: 'protocol_error' },
  { name: 'a frame beyond all limits', bytes: Buffer.from('7fffffff00000005', 'hex'), reason: 'frame_too_large' },
  { name: 'a frame without a command', bytes: Buffer.alloc(8), reason: 'protocol_error' },
  { name: 'a command longer than its frame', bytes: Buffer.from('0000000900000100', 'hex'), reason: 'protocol_error' },
  { name: 'a command of no type', bytes: rawFrame(Buffer.from('120000000000', 'hex')), reason: 'protocol_error' },
  { name: 'a varint without an end', bytes: rawFrame(Buffer.alloc(16, 0xff)), reason: 'protocol_error' },
  { name: 'a question without an id', bytes: frame('LOOKUP', { topic: TOPIC }), reason: 'protocol_error' },
  {
    name: 'a command whose answers name brokers in ways that are not known',
    bytes: rawFrame(Buffer.from('0846b20400', 'hex')),
    reason: 'refused_api',
  },
];

export const pulsarQuestions: ProtocolSpecimen = {
  protocol: 'pulsar',
  name: 'pulsar, questions',
  framed: true,
  multiplexing: { purpose: 'lookup', exclusive: false, opening: OPENING, plain: inWords('requestId') },
  exchanges: [
    question('LOOKUP', { topic: TOPIC }, 'LOOKUP_RESPONSE', found, {
      ...{ ...found, urlTls: URL, proxyThroughServiceUrl: true },
    }),
    question('PARTITIONED_METADATA', { topic: TOPIC }, 'PARTITIONED_METADATA_RESPONSE', { partitions: 4, response: 0 }),
    question('GET_TOPICS_OF_NAMESPACE', { namespace: 'public/default' }, 'GET_TOPICS_OF_NAMESPACE_RESPONSE', {
      topics: [TOPIC],
    }),
    question('GET_SCHEMA', { topic: TOPIC }, 'GET_SCHEMA_RESPONSE', { schemaVersion: Buffer.alloc(8, 1) }),
    PING,
  ],
  bulky: [
    question('GET_TOPICS_OF_NAMESPACE', { namespace: 'public/many' }, 'GET_TOPICS_OF_NAMESPACE_RESPONSE', {
      topics: MANY,
    }),
    question('LOOKUP', { topic: `${TOPIC}-${'x'.repeat(30_000)}` }, 'LOOKUP_RESPONSE', found, {
      ...{ ...found, urlTls: URL, proxyThroughServiceUrl: true },
    }),
  ],
  refusals: REFUSALS,
  brokers: [{ node: BOOTSTRAP, ...BROKER }],
  serve: brokerOf({}, (broker) => {
    const topic = broker.cluster.topic(TOPIC);
    topic.partitions = 4;
    topic.schemaVersion = Buffer.alloc(8, 1);
    broker.tamper = (connection, { command }) => {
      if (command.name !== 'GET_TOPICS_OF_NAMESPACE' || command.fields.namespace !== 'public/many') return false;
      connection.send('GET_TOPICS_OF_NAMESPACE_RESPONSE', { ...command.fields, topics: MANY });
      return true;
    };
  }),
};

function pinning(exchange: Exchange, pin: PinReason): Exchange {
  return { ...exchange, demand: Demand.pin, pin, work: true };
}

const subscription = { topic: TOPIC, subscription: 'audit', subType: 1 };
const watch = { watcherId: 5n, namespace: 'public/default', pattern: '.*' };

/** What each client has a connection of its own for. */
export const pulsarOwnConnections: ProtocolSpecimen = {
  protocol: 'pulsar',
  name: 'pulsar, connections of their own',
  framed: true,
  multiplexing: { purpose: 'own', exclusive: true, opening: OPENING, plain: inWords() },
  exchanges: [
    pinning(question('SUBSCRIBE', { ...subscription, consumerId: 2n ** 60n }, 'SUCCESS', {}), 'consumer'),
    pinning(
      question('WATCH_TOPIC_LIST', watch, 'WATCH_TOPIC_LIST_SUCCESS', { watcherId: 5n, topics: [], hash: '0' }),
      'watcher',
    ),
    pinning(question('NEW_TXN', { tcId: 0n }, 'NEW_TXN_RESPONSE', { least: 1n, most: 0n }), 'transaction'),
    PING,
  ],
  bulky: [],
  refusals: REFUSALS,
  brokers: [{ node: BOOTSTRAP, ...BROKER }],
  serve: brokerOf(),
};
