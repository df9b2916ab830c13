/** The commands of PulsarApi.proto by their numbers: who sends them, which of their fields are looked into, and what is done. */
import type { PinReason } from '../../contract/reasons.ts';

export const Type = {
  connect: 2,
  connected: 3,
  subscribe: 4,
  producer: 5,
  send: 6,
  sendReceipt: 7,
  sendError: 8,
  message: 9,
  ack: 10,
  unsubscribe: 12,
  success: 13,
  error: 14,
  closeProducer: 15,
  closeConsumer: 16,
  producerSuccess: 17,
  ping: 18,
  pong: 19,
  partitionedMetadata: 21,
  partitionedMetadataResponse: 22,
  lookup: 23,
  lookupResponse: 24,
  getTopicsOfNamespace: 32,
  getSchema: 34,
  authChallenge: 36,
  authResponse: 37,
  ackResponse: 38,
  getOrCreateSchema: 39,
  tcClientConnect: 62,
  watchTopicList: 64,
  watchTopicListClose: 67,
  topicMigrated: 68,
} as const;

/** `ServerError` of PulsarApi.proto, as far as it is told or understood. */
export const ServerError = {
  unknown: 0,
  metadata: 1,
  authentication: 3,
  authorization: 4,
  serviceNotReady: 6,
  unsupportedVersion: 10,
  producerBusy: 16,
  notAllowed: 22,
} as const;

/** Of what concerns the connection itself and answers no request: -1 as an unsigned number of 64 bits. */
export const NO_REQUEST = 0xffff_ffff_ffff_ffffn;

/**
 * `session`: the connection's own affairs; `lookup`: any client's question, over a connection for questions; `own`: over a
 * connection of the client's own; `refuse`: its answers name brokers in a way that is not rewritten.
 */
export type RequestKind = 'session' | 'lookup' | 'own' | 'refuse';

export interface Request {
  readonly name: string;
  readonly kind: RequestKind;
  /** The field of its request id; 0: it has none, and is not answered. */
  readonly requestId: number;
  /** The field of the producer, consumer or watcher that it is about; 0: none. */
  readonly resource: number;
  /** It is the application's work. */
  readonly work: boolean;
  /** Its connection is kept from then on. */
  readonly pin: PinReason | undefined;
}

const REQUESTS: [number, string, RequestKind, number, number, boolean, PinReason?][] = [
  [2, 'CONNECT', 'session', 0, 0, false],
  [4, 'SUBSCRIBE', 'own', 5, 4, true, 'consumer'],
  [5, 'PRODUCER', 'own', 3, 2, true],
  [6, 'SEND', 'own', 0, 1, true],
  [10, 'ACK', 'own', 8, 1, true],
  [11, 'FLOW', 'own', 0, 1, true],
  [12, 'UNSUBSCRIBE', 'own', 2, 1, true],
  [15, 'CLOSE_PRODUCER', 'own', 2, 1, false],
  [16, 'CLOSE_CONSUMER', 'own', 2, 1, false],
  [18, 'PING', 'session', 0, 0, false],
  [19, 'PONG', 'session', 0, 0, false],
  [20, 'REDELIVER_UNACKNOWLEDGED_MESSAGES', 'own', 0, 1, true],
  [21, 'PARTITIONED_METADATA', 'lookup', 2, 0, false],
  [23, 'LOOKUP', 'lookup', 2, 0, false],
  [25, 'CONSUMER_STATS', 'own', 1, 4, false],
  [28, 'SEEK', 'own', 2, 1, true],
  [29, 'GET_LAST_MESSAGE_ID', 'own', 2, 1, true],
  [32, 'GET_TOPICS_OF_NAMESPACE', 'lookup', 1, 0, false],
  [34, 'GET_SCHEMA', 'lookup', 1, 0, false],
  [37, 'AUTH_RESPONSE', 'session', 0, 0, false],
  [39, 'GET_OR_CREATE_SCHEMA', 'own', 1, 0, true],
  [50, 'NEW_TXN', 'own', 1, 0, true, 'transaction'],
  [52, 'ADD_PARTITION_TO_TXN', 'own', 1, 0, true, 'transaction'],
  [54, 'ADD_SUBSCRIPTION_TO_TXN', 'own', 1, 0, true, 'transaction'],
  [56, 'END_TXN', 'own', 1, 0, true, 'transaction'],
  [58, 'END_TXN_ON_PARTITION', 'own', 1, 0, true, 'transaction'],
  [60, 'END_TXN_ON_SUBSCRIPTION', 'own', 1, 0, true, 'transaction'],
  [62, 'TC_CLIENT_CONNECT_REQUEST', 'own', 1, 0, true, 'transaction'],
  [64, 'WATCH_TOPIC_LIST', 'own', 1, 2, true, 'watcher'],
  [67, 'WATCH_TOPIC_LIST_CLOSE', 'own', 1, 2, false],
  [70, 'SCALABLE_TOPIC_LOOKUP', 'refuse', 0, 0, false],
  [72, 'SCALABLE_TOPIC_CLOSE', 'refuse', 0, 0, false],
  [73, 'SCALABLE_TOPIC_SUBSCRIBE', 'refuse', 0, 0, false],
  [76, 'WATCH_SCALABLE_TOPICS', 'refuse', 0, 0, false],
  [78, 'WATCH_SCALABLE_TOPICS_CLOSE', 'refuse', 0, 0, false],
  [79, 'WATCH_TC_ASSIGNMENTS', 'refuse', 0, 0, false],
  [81, 'WATCH_TC_ASSIGNMENTS_CLOSE', 'refuse', 0, 0, false],
];

const requests: (Request | undefined)[] = [];
for (const [type, name, kind, requestId, resource, work, pin] of REQUESTS)
  requests[type] = { name, kind, requestId, resource, work, pin };

/** What clients may ask, by type. */
export const REQUEST_OF: readonly (Request | undefined)[] = requests;

/** What later protocols add: it is in use for as long as its connection lives. */
export const UNKNOWN_REQUEST: Request = {
  name: 'unknown',
  kind: 'own',
  requestId: 0,
  resource: 0,
  work: true,
  pin: 'unknown_api',
};

/** The largest type of the protocol as we know it. */
export const LAST_TYPE = 81;

const ANSWERS: [number, number][] = [
  [13, 1],
  [14, 1],
  [17, 1],
  [22, 2],
  [24, 4],
  [26, 1],
  [30, 2],
  [33, 1],
  [35, 1],
  [38, 6],
  [40, 1],
  [51, 1],
  [53, 1],
  [55, 1],
  [57, 1],
  [59, 1],
  [61, 1],
  [63, 1],
  [65, 1],
];

/** In which field of a broker's answer its request id stands, by type. */
export const REQUEST_ID_OF_ANSWER: ReadonlyMap<number, number> = new Map(ANSWERS);
