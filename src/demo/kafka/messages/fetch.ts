import { api } from '../wire/api.ts';
import { between, optional, since, struct, tagged } from '../wire/struct.ts';
import {
  array,
  int8,
  int16,
  int32,
  int64,
  nullableArray,
  nullableBytes,
  nullableString,
  string,
  uuid,
} from '../wire/types.ts';
import { endpoint, leaderAndEpoch, throttleTime } from './shared.ts';

export const fetch = api({
  key: 1,
  name: 'Fetch',
  min: 4,
  max: 18,
  flexibleFrom: 12,
  request: struct({
    clusterId: tagged(0, 12, nullableString),
    replicaId: optional(between(0, 14, int32)),
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: int32,
    isolationLevel: int8,
    sessionId: optional(since(7, int32), 0),
    sessionEpoch: optional(since(7, int32)),
    topics: array(
      struct({
        topic: between(0, 12, string),
        topicId: since(13, uuid),
        partitions: array(
          struct({
            partition: int32,
            currentLeaderEpoch: optional(since(9, int32)),
            fetchOffset: int64,
            lastFetchedEpoch: optional(since(12, int32)),
            logStartOffset: optional(since(5, int64)),
            partitionMaxBytes: int32,
          }),
        ),
      }),
    ),
    forgottenTopics: optional(
      since(
        7,
        array(
          struct({
            topic: between(7, 12, string),
            topicId: since(13, uuid),
            partitions: array(int32),
          }),
        ),
      ),
    ),
    rackId: optional(since(11, string)),
  }),
  response: struct({
    throttleTimeMs: throttleTime(1),
    errorCode: optional(since(7, int16), 0),
    sessionId: optional(since(7, int32), 0),
    topics: array(
      struct({
        topic: between(0, 12, string),
        topicId: since(13, uuid),
        partitions: array(
          struct({
            partition: int32,
            errorCode: int16,
            highWatermark: int64,
            lastStableOffset: int64,
            logStartOffset: since(5, int64),
            currentLeader: tagged(1, 12, leaderAndEpoch),
            abortedTransactions: nullableArray(struct({ producerId: int64, firstOffset: int64 })),
            preferredReadReplica: optional(since(11, int32)),
            records: nullableBytes,
          }),
        ),
      }),
    ),
    nodeEndpoints: tagged(0, 16, array(endpoint)),
  }),
});
