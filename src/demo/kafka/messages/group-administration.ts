import { api } from '../wire/api.ts';
import { optional, since, struct } from '../wire/struct.ts';
import { array, boolean, bytes, int16, nullableString, string } from '../wire/types.ts';
import { authorizedOperations, throttleTime } from './shared.ts';

export const describeGroups = api({
  key: 15,
  name: 'DescribeGroups',
  min: 0,
  max: 6,
  flexibleFrom: 5,
  request: struct({ groups: array(string), includeAuthorizedOperations: optional(since(3, boolean)) }),
  response: struct({
    throttleTimeMs: throttleTime(1),
    groups: array(
      struct({
        errorCode: int16,
        errorMessage: optional(since(6, nullableString)),
        groupId: string,
        state: string,
        protocolType: string,
        protocol: string,
        members: array(
          struct({
            memberId: string,
            groupInstanceId: optional(since(4, nullableString)),
            clientId: string,
            clientHost: string,
            metadata: bytes,
            assignment: bytes,
          }),
        ),
        authorizedOperations: authorizedOperations(3),
      }),
    ),
  }),
});

export const listGroups = api({
  key: 16,
  name: 'ListGroups',
  min: 0,
  max: 5,
  flexibleFrom: 3,
  request: struct({ states: optional(since(4, array(string))), types: optional(since(5, array(string))) }),
  response: struct({
    throttleTimeMs: throttleTime(1),
    errorCode: int16,
    groups: array(struct({ groupId: string, protocolType: string, state: since(4, string), type: since(5, string) })),
  }),
});
