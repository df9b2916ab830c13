import { api } from '../wire/api.ts';
import { between, optional, since, struct } from '../wire/struct.ts';
import { array, boolean, int16, int32, int64, nullableString, string } from '../wire/types.ts';
import { throttleTime } from './shared.ts';

const topics = array(struct({ name: string, partitions: array(int32) }));
const topicResults = array(struct({ name: string, partitions: array(struct({ partition: int32, errorCode: int16 })) }));

/** From version 4 on brokers ask each other for several transactions at once; clients stay at 3. */
export const addPartitionsToTxn = api({
  key: 24,
  name: 'AddPartitionsToTxn',
  min: 0,
  max: 5,
  flexibleFrom: 3,
  request: struct({
    transactions: optional(
      since(
        4,
        array(
          struct({ transactionalId: string, producerId: int64, producerEpoch: int16, verifyOnly: boolean, topics }),
        ),
      ),
    ),
    transactionalId: optional(between(0, 3, string)),
    producerId: optional(between(0, 3, int64)),
    producerEpoch: optional(between(0, 3, int16)),
    topics: optional(between(0, 3, topics)),
  }),
  response: struct({
    throttleTimeMs: throttleTime(0),
    errorCode: optional(since(4, int16), 0),
    transactions: optional(since(4, array(struct({ transactionalId: string, topics: topicResults })))),
    topics: optional(between(0, 3, topicResults)),
  }),
});

export const addOffsetsToTxn = api({
  key: 25,
  name: 'AddOffsetsToTxn',
  min: 0,
  max: 4,
  flexibleFrom: 3,
  request: struct({ transactionalId: string, producerId: int64, producerEpoch: int16, groupId: string }),
  response: struct({ throttleTimeMs: throttleTime(0), errorCode: int16 }),
});

export const endTxn = api({
  key: 26,
  name: 'EndTxn',
  min: 0,
  max: 5,
  flexibleFrom: 3,
  request: struct({ transactionalId: string, producerId: int64, producerEpoch: int16, committed: boolean }),
  response: struct({
    throttleTimeMs: throttleTime(0),
    errorCode: int16,
    producerId: optional(since(5, int64)),
    producerEpoch: optional(since(5, int16)),
  }),
});

export const txnOffsetCommit = api({
  key: 28,
  name: 'TxnOffsetCommit',
  min: 0,
  max: 5,
  flexibleFrom: 3,
  request: struct({
    transactionalId: string,
    groupId: string,
    producerId: int64,
    producerEpoch: int16,
    generationId: optional(since(3, int32)),
    memberId: optional(since(3, string)),
    groupInstanceId: optional(since(3, nullableString)),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partition: int32,
            offset: int64,
            leaderEpoch: optional(since(2, int32)),
            metadata: nullableString,
          }),
        ),
      }),
    ),
  }),
  response: struct({
    throttleTimeMs: throttleTime(0),
    topics: topicResults,
  }),
});
