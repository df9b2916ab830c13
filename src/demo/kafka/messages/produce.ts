import { api } from '../wire/api.ts';
import { between, optional, since, struct, tagged } from '../wire/struct.ts';
import { array, int16, int32, int64, nullableBytes, nullableString, string, uuid } from '../wire/types.ts';
import { endpoint, leaderAndEpoch, throttleTime } from './shared.ts';

export const produce = api({
  key: 0,
  name: 'Produce',
  min: 3,
  max: 13,
  flexibleFrom: 9,
  request: struct({
    transactionalId: nullableString,
    acks: int16,
    timeoutMs: int32,
    topics: array(
      struct({
        name: between(0, 12, string),
        topicId: since(13, uuid),
        partitions: array(struct({ index: int32, records: nullableBytes })),
      }),
    ),
  }),
  response: struct({
    topics: array(
      struct({
        name: between(0, 12, string),
        topicId: since(13, uuid),
        partitions: array(
          struct({
            index: int32,
            errorCode: int16,
            baseOffset: int64,
            logAppendTimeMs: optional(int64),
            logStartOffset: optional(since(5, int64)),
            recordErrors: optional(since(8, array(struct({ batchIndex: int32, message: optional(nullableString) })))),
            errorMessage: optional(since(8, nullableString)),
            currentLeader: tagged(0, 10, leaderAndEpoch),
          }),
        ),
      }),
    ),
    throttleTimeMs: throttleTime(1),
    nodeEndpoints: tagged(0, 10, array(endpoint)),
  }),
});
