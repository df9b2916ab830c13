import { api } from '../wire/api.ts';
import { optional, since, struct } from '../wire/struct.ts';
import { array, int8, int16, int32, int64, string } from '../wire/types.ts';
import { throttleTime } from './shared.ts';

export const listOffsets = api({
  key: 2,
  name: 'ListOffsets',
  min: 1,
  max: 11,
  flexibleFrom: 6,
  request: struct({
    replicaId: int32,
    isolationLevel: optional(since(2, int8), 0),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({ partition: int32, currentLeaderEpoch: optional(since(4, int32)), timestamp: int64 }),
        ),
      }),
    ),
    timeoutMs: optional(since(10, int32), 0),
  }),
  response: struct({
    throttleTimeMs: throttleTime(2),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partition: int32,
            errorCode: int16,
            timestamp: int64,
            offset: int64,
            leaderEpoch: since(4, int32),
          }),
        ),
      }),
    ),
  }),
});
