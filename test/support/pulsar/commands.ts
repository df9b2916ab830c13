/** Pulsar's commands (PulsarApi.proto) as tables: a name, the number of its type, which is also its field, and its fields. */
import {
  bool,
  bytes,
  decode,
  encode,
  int32,
  int64,
  messages,
  nested,
  type Shape,
  scan,
  string,
  strings,
  uint64,
  type Values,
  writeField,
} from './protobuf.ts';

const KEY_VALUE = { key: string(1), value: string(2) };
export const SCHEMA = { name: string(1), data: bytes(3), type: int32(4), properties: messages(5, KEY_VALUE) };
export const MESSAGE_ID = { ledgerId: uint64(1), entryId: uint64(2), partition: int32(3), batchIndex: int32(4) };
export const FLAGS = {
  authRefresh: bool(1),
  brokerEntryMetadata: bool(2),
  partialProducer: bool(3),
  topicWatchers: bool(4),
  partitionedMetadataWithoutAutoCreation: bool(5),
  replDedup: bool(6),
};
const AUTH_DATA = { method: string(1), data: bytes(2) };

/** Of a message; the rest is left as it is. */
export const METADATA = {
  producerName: string(1),
  sequenceId: uint64(2),
  publishTime: uint64(3),
  numMessagesInBatch: int32(11),
  highestSequenceId: uint64(24),
};

function command<S extends Shape>(type: number, shape: S): { readonly type: number; readonly shape: S } {
  return { type, shape };
}

const requestOnly = { requestId: uint64(1) };
const assigned = { url: string(3), urlTls: string(4) };
const transaction = { least: uint64(2), most: uint64(3) };

export const COMMANDS = {
  CONNECT: command(2, {
    clientVersion: string(1),
    authMethod: int32(2),
    authData: bytes(3),
    protocolVersion: int32(4),
    authMethodName: string(5),
    proxyToBrokerUrl: string(6),
    originalPrincipal: string(7),
    flags: nested(10, FLAGS),
    proxyVersion: string(11),
  }),
  CONNECTED: command(3, {
    serverVersion: string(1),
    protocolVersion: int32(2),
    maxMessageSize: int32(3),
    flags: nested(4, FLAGS),
  }),
  SUBSCRIBE: command(4, {
    topic: string(1),
    subscription: string(2),
    subType: int32(3),
    consumerId: uint64(4),
    requestId: uint64(5),
    consumerName: string(6),
    durable: bool(8),
    startMessageId: nested(9, MESSAGE_ID),
    initialPosition: int32(13),
  }),
  PRODUCER: command(5, {
    topic: string(1),
    producerId: uint64(2),
    requestId: uint64(3),
    producerName: string(4),
    encrypted: bool(5),
    metadata: messages(6, KEY_VALUE),
    schema: nested(7, SCHEMA),
    epoch: uint64(8),
    userProvidedName: bool(9),
    accessMode: int32(10),
    topicEpoch: uint64(11),
    txnEnabled: bool(12),
    initialSubscription: string(13),
  }),
  SEND: command(6, {
    producerId: uint64(1),
    sequenceId: uint64(2),
    numMessages: int32(3),
    txnLeast: uint64(4),
    txnMost: uint64(5),
    highestSequenceId: uint64(6),
    isChunk: bool(7),
  }),
  SEND_RECEIPT: command(7, {
    producerId: uint64(1),
    sequenceId: uint64(2),
    messageId: nested(3, MESSAGE_ID),
    highestSequenceId: uint64(4),
  }),
  SEND_ERROR: command(8, { producerId: uint64(1), sequenceId: uint64(2), error: int32(3), message: string(4) }),
  MESSAGE: command(9, { consumerId: uint64(1), messageId: nested(2, MESSAGE_ID), redeliveryCount: int32(3) }),
  ACK: command(10, {
    consumerId: uint64(1),
    ackType: int32(2),
    messageIds: messages(3, MESSAGE_ID),
    txnLeast: uint64(6),
    txnMost: uint64(7),
    requestId: uint64(8),
  }),
  FLOW: command(11, { consumerId: uint64(1), permits: int32(2) }),
  UNSUBSCRIBE: command(12, { consumerId: uint64(1), requestId: uint64(2) }),
  SUCCESS: command(13, requestOnly),
  ERROR: command(14, { requestId: uint64(1), error: int32(2), message: string(3) }),
  CLOSE_PRODUCER: command(15, { producerId: uint64(1), requestId: uint64(2), ...assigned }),
  CLOSE_CONSUMER: command(16, { consumerId: uint64(1), requestId: uint64(2), ...assigned }),
  PRODUCER_SUCCESS: command(17, {
    requestId: uint64(1),
    producerName: string(2),
    lastSequenceId: int64(3),
    schemaVersion: bytes(4),
    topicEpoch: uint64(5),
    ready: bool(6),
  }),
  PING: command(18, {}),
  PONG: command(19, {}),
  REDELIVER_UNACKNOWLEDGED_MESSAGES: command(20, { consumerId: uint64(1) }),
  PARTITIONED_METADATA: command(21, { topic: string(1), requestId: uint64(2) }),
  PARTITIONED_METADATA_RESPONSE: command(22, {
    partitions: int32(1),
    requestId: uint64(2),
    response: int32(3),
    error: int32(4),
    message: string(5),
  }),
  LOOKUP: command(23, {
    topic: string(1),
    requestId: uint64(2),
    authoritative: bool(3),
    advertisedListener: string(7),
    properties: messages(8, KEY_VALUE),
  }),
  LOOKUP_RESPONSE: command(24, {
    url: string(1),
    urlTls: string(2),
    response: int32(3),
    requestId: uint64(4),
    authoritative: bool(5),
    error: int32(6),
    message: string(7),
    proxyThroughServiceUrl: bool(8),
  }),
  GET_LAST_MESSAGE_ID: command(29, { consumerId: uint64(1), requestId: uint64(2) }),
  GET_LAST_MESSAGE_ID_RESPONSE: command(30, { lastMessageId: nested(1, MESSAGE_ID), requestId: uint64(2) }),
  GET_TOPICS_OF_NAMESPACE: command(32, { requestId: uint64(1), namespace: string(2), mode: int32(3) }),
  GET_TOPICS_OF_NAMESPACE_RESPONSE: command(33, { requestId: uint64(1), topics: strings(2), filtered: bool(3) }),
  GET_SCHEMA: command(34, { requestId: uint64(1), topic: string(2), schemaVersion: bytes(3) }),
  GET_SCHEMA_RESPONSE: command(35, {
    requestId: uint64(1),
    error: int32(2),
    message: string(3),
    schema: nested(4, SCHEMA),
    schemaVersion: bytes(5),
  }),
  AUTH_CHALLENGE: command(36, { serverVersion: string(1), challenge: nested(2, AUTH_DATA), protocolVersion: int32(3) }),
  AUTH_RESPONSE: command(37, { clientVersion: string(1), response: nested(2, AUTH_DATA), protocolVersion: int32(3) }),
  ACK_RESPONSE: command(38, { consumerId: uint64(1), requestId: uint64(6) }),
  GET_OR_CREATE_SCHEMA: command(39, { requestId: uint64(1), topic: string(2), schema: nested(3, SCHEMA) }),
  GET_OR_CREATE_SCHEMA_RESPONSE: command(40, { requestId: uint64(1), error: int32(2), schemaVersion: bytes(4) }),
  NEW_TXN: command(50, { requestId: uint64(1), ttlMilliseconds: uint64(2), tcId: uint64(3) }),
  NEW_TXN_RESPONSE: command(51, { requestId: uint64(1), ...transaction }),
  END_TXN: command(56, { requestId: uint64(1), ...transaction, action: int32(4) }),
  END_TXN_RESPONSE: command(57, { requestId: uint64(1), ...transaction }),
  TC_CLIENT_CONNECT_REQUEST: command(62, { requestId: uint64(1), tcId: uint64(2) }),
  TC_CLIENT_CONNECT_RESPONSE: command(63, { requestId: uint64(1), error: int32(2) }),
  WATCH_TOPIC_LIST: command(64, {
    requestId: uint64(1),
    watcherId: uint64(2),
    namespace: string(3),
    pattern: string(4),
  }),
  WATCH_TOPIC_LIST_SUCCESS: command(65, {
    requestId: uint64(1),
    watcherId: uint64(2),
    topics: strings(3),
    hash: string(4),
  }),
  WATCH_TOPIC_LIST_CLOSE: command(67, { requestId: uint64(1), watcherId: uint64(2) }),
  TOPIC_MIGRATED: command(68, { resourceId: uint64(1), resourceType: int32(2), url: string(3), urlTls: string(4) }),
};
export type CommandName = keyof typeof COMMANDS;
export type FieldsOf<N extends CommandName> = Values<(typeof COMMANDS)[N]['shape']>;
/** `UNKNOWN`: of a type that the table lacks. */
export type Command =
  | { readonly [N in CommandName]: { readonly name: N; readonly fields: FieldsOf<N> } }[CommandName]
  | { readonly name: 'UNKNOWN'; readonly type: number };
export type CommandOf<N extends CommandName> = Extract<Command, { readonly name: N }>;

export const ServerError = {
  authentication: 3,
  serviceNotReady: 6,
  checksum: 9,
  topicNotFound: 11,
  producerBusy: 16,
  invalidTopicName: 17,
  producerFenced: 25,
} as const;

/** Fields without which brokers do not read a command at all, and close its connection. */
export const REQUIRED: { readonly [N in CommandName]?: readonly (keyof FieldsOf<N>)[] } = {
  CONNECT: ['clientVersion'],
  SUBSCRIBE: ['topic', 'subscription', 'subType', 'consumerId', 'requestId'],
  PRODUCER: ['topic', 'producerId', 'requestId'],
  SEND: ['producerId', 'sequenceId'],
  ACK: ['consumerId', 'ackType'],
  FLOW: ['consumerId', 'permits'],
  UNSUBSCRIBE: ['consumerId', 'requestId'],
  CLOSE_PRODUCER: ['producerId', 'requestId'],
  CLOSE_CONSUMER: ['consumerId', 'requestId'],
  REDELIVER_UNACKNOWLEDGED_MESSAGES: ['consumerId'],
  PARTITIONED_METADATA: ['topic', 'requestId'],
  LOOKUP: ['topic', 'requestId'],
  GET_LAST_MESSAGE_ID: ['consumerId', 'requestId'],
  GET_TOPICS_OF_NAMESPACE: ['requestId', 'namespace'],
  GET_SCHEMA: ['requestId', 'topic'],
  GET_OR_CREATE_SCHEMA: ['requestId', 'topic', 'schema'],
  NEW_TXN: ['requestId'],
  END_TXN: ['requestId'],
  TC_CLIENT_CONNECT_REQUEST: ['requestId', 'tcId'],
  WATCH_TOPIC_LIST: ['requestId', 'watcherId', 'namespace', 'pattern'],
  WATCH_TOPIC_LIST_CLOSE: ['requestId', 'watcherId'],
};

/** The request id of what the broker says unasked: -1 as an unsigned number. */
export const UNASKED = 2n ** 64n - 1n;

const NAMES = new Map(Object.entries(COMMANDS).map(([name, { type }]) => [type, name as CommandName]));

/** BaseCommand: field 1 is the type, and the field of that number the command. */
export function encodeCommand<N extends CommandName>(name: N, fields: FieldsOf<N>): Buffer {
  const { type, shape } = COMMANDS[name];
  return Buffer.concat([writeField(1, BigInt(type)), writeField(type, encode(shape, fields))]);
}

/** @throws {Error} if it is no command */
export function decodeCommand(from: Buffer): Command {
  const raws = scan(from);
  const type = Number(raws.get(1)?.at(-1) ?? 0n);
  const name = NAMES.get(type);
  if (name === undefined) return { name: 'UNKNOWN', type };
  const body = raws.get(type)?.at(-1);
  if (!Buffer.isBuffer(body)) throw new Error(`a ${name} without its fields`);
  return { name, fields: decode(COMMANDS[name].shape, body) } as Command;
}
