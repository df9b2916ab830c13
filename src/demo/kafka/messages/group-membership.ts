/** How members come, stay and go in classic consumer groups. */
import { api } from '../wire/api.ts';
import { between, optional, since, struct } from '../wire/struct.ts';
import { array, boolean, bytes, int16, int32, nullableString, string } from '../wire/types.ts';
import { throttleTime } from './shared.ts';

export const joinGroup = api({
  key: 11,
  name: 'JoinGroup',
  min: 0,
  max: 9,
  flexibleFrom: 6,
  request: struct({
    groupId: string,
    sessionTimeoutMs: int32,
    rebalanceTimeoutMs: optional(since(1, int32)),
    memberId: string,
    groupInstanceId: optional(since(5, nullableString)),
    protocolType: string,
    protocols: array(struct({ name: string, metadata: bytes })),
    reason: optional(since(8, nullableString)),
  }),
  response: struct({
    throttleTimeMs: throttleTime(2),
    errorCode: int16,
    generationId: int32,
    protocolType: since(7, nullableString),
    protocolName: nullableString,
    leader: string,
    skipAssignment: optional(since(9, boolean)),
    memberId: string,
    members: array(struct({ memberId: string, groupInstanceId: optional(since(5, nullableString)), metadata: bytes })),
  }),
});

export const syncGroup = api({
  key: 14,
  name: 'SyncGroup',
  min: 0,
  max: 5,
  flexibleFrom: 4,
  request: struct({
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: optional(since(3, nullableString)),
    protocolType: optional(since(5, nullableString)),
    protocolName: optional(since(5, nullableString)),
    assignments: array(struct({ memberId: string, assignment: bytes })),
  }),
  response: struct({
    throttleTimeMs: throttleTime(1),
    errorCode: int16,
    protocolType: since(5, nullableString),
    protocolName: since(5, nullableString),
    assignment: bytes,
  }),
});

export const heartbeat = api({
  key: 12,
  name: 'Heartbeat',
  min: 0,
  max: 4,
  flexibleFrom: 4,
  request: struct({
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: optional(since(3, nullableString)),
  }),
  response: struct({ throttleTimeMs: throttleTime(1), errorCode: int16 }),
});

export const leaveGroup = api({
  key: 13,
  name: 'LeaveGroup',
  min: 0,
  max: 5,
  flexibleFrom: 4,
  request: struct({
    groupId: string,
    memberId: optional(between(0, 2, string)),
    members: optional(
      since(
        3,
        array(
          struct({
            memberId: string,
            groupInstanceId: optional(nullableString),
            reason: optional(since(5, nullableString)),
          }),
        ),
      ),
    ),
  }),
  response: struct({
    throttleTimeMs: throttleTime(1),
    errorCode: int16,
    members: optional(since(3, array(struct({ memberId: string, groupInstanceId: nullableString, errorCode: int16 })))),
  }),
});
