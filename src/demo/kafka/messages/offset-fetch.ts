import { api } from '../wire/api.ts';
import { between, optional, since, struct } from '../wire/struct.ts';
import { array, boolean, int16, int32, int64, nullableArray, nullableString, string, uuid } from '../wire/types.ts';
import { throttleTime } from './shared.ts';

const committed = (leaderEpochFrom: number) =>
  array(
    struct({
      partition: int32,
      offset: int64,
      leaderEpoch: since(leaderEpochFrom, int32),
      metadata: nullableString,
      errorCode: int16,
    }),
  );

/** Up to version 7 one group, since then a list of them. */
export const offsetFetch = api({
  key: 9,
  name: 'OffsetFetch',
  min: 1,
  max: 10,
  flexibleFrom: 6,
  request: struct({
    groupId: optional(between(0, 7, string)),
    topics: optional(between(0, 7, nullableArray(struct({ name: string, partitions: array(int32) })))),
    groups: optional(
      since(
        8,
        array(
          struct({
            groupId: string,
            memberId: optional(since(9, nullableString)),
            memberEpoch: optional(since(9, int32)),
            topics: nullableArray(
              struct({ name: between(8, 9, string), topicId: since(10, uuid), partitions: array(int32) }),
            ),
          }),
        ),
      ),
    ),
    requireStable: optional(since(7, boolean)),
  }),
  response: struct({
    throttleTimeMs: throttleTime(3),
    topics: optional(between(0, 7, array(struct({ name: string, partitions: committed(5) })))),
    errorCode: optional(between(2, 7, int16), 0),
    groups: optional(
      since(
        8,
        array(
          struct({
            groupId: string,
            topics: array(struct({ name: between(8, 9, string), topicId: since(10, uuid), partitions: committed(8) })),
            errorCode: int16,
          }),
        ),
      ),
    ),
  }),
});
