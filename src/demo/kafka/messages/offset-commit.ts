import { api } from '../wire/api.ts';
import { between, optional, since, struct } from '../wire/struct.ts';
import { array, int16, int32, int64, nullableString, string, uuid } from '../wire/types.ts';
import { throttleTime } from './shared.ts';

export const offsetCommit = api({
  key: 8,
  name: 'OffsetCommit',
  min: 2,
  max: 10,
  flexibleFrom: 8,
  request: struct({
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: optional(since(7, nullableString)),
    retentionTimeMs: optional(between(2, 4, int64)),
    topics: array(
      struct({
        name: between(0, 9, string),
        topicId: since(10, uuid),
        partitions: array(
          struct({
            partition: int32,
            offset: int64,
            leaderEpoch: optional(since(6, int32)),
            metadata: nullableString,
          }),
        ),
      }),
    ),
  }),
  response: struct({
    throttleTimeMs: throttleTime(3),
    topics: array(
      struct({
        name: between(0, 9, string),
        topicId: since(10, uuid),
        partitions: array(struct({ partition: int32, errorCode: int16 })),
      }),
    ),
  }),
});
