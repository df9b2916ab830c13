import { api } from '../wire/api.ts';
import { optional, since, struct } from '../wire/struct.ts';
import { array, int16, int32, int64, string } from '../wire/types.ts';
import { throttleTime } from './shared.ts';

export const offsetForLeaderEpoch = api({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  min: 2,
  max: 4,
  flexibleFrom: 4,
  request: struct({
    replicaId: optional(since(3, int32), -2),
    topics: array(
      struct({
        topic: string,
        partitions: array(struct({ partition: int32, currentLeaderEpoch: int32, leaderEpoch: int32 })),
      }),
    ),
  }),
  response: struct({
    throttleTimeMs: throttleTime(2),
    topics: array(
      struct({
        topic: string,
        partitions: array(struct({ errorCode: int16, partition: int32, leaderEpoch: int32, endOffset: int64 })),
      }),
    ),
  }),
});
