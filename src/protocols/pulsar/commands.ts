/** The commands of PulsarApi.proto by their numbers, as far as they are looked into. */
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
  flow: 11,
  unsubscribe: 12,
  success: 13,
  error: 14,
  closeProducer: 15,
  closeConsumer: 16,
  producerSuccess: 17,
  ping: 18,
  pong: 19,
  redeliver: 20,
  partitionedMetadata: 21,
  partitionedMetadataResponse: 22,
  lookup: 23,
  lookupResponse: 24,
  authChallenge: 36,
  authResponse: 37,
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
  notAllowed: 22,
} as const;

/** Of what concerns the connection itself and answers no request: -1 as an unsigned number of 64 bits. */
export const NO_REQUEST = 0xffff_ffff_ffff_ffffn;
