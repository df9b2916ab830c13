import { api } from '../wire/api.ts';
import { optional, since, struct } from '../wire/struct.ts';
import { array, boolean, int8, int16, int32, nullableString, string } from '../wire/types.ts';
import { authorizedOperations, throttleTime } from './shared.ts';

export const describeCluster = api({
  key: 60,
  name: 'DescribeCluster',
  min: 0,
  max: 2,
  flexibleFrom: 0,
  request: struct({
    includeClusterAuthorizedOperations: boolean,
    endpointType: optional(since(1, int8), 1),
    includeFencedBrokers: optional(since(2, boolean)),
  }),
  response: struct({
    throttleTimeMs: throttleTime(0),
    errorCode: int16,
    errorMessage: optional(nullableString),
    endpointType: optional(since(1, int8), 1),
    clusterId: string,
    controllerId: int32,
    brokers: array(
      struct({
        nodeId: int32,
        host: string,
        port: int32,
        rack: optional(nullableString),
        isFenced: optional(since(2, boolean)),
      }),
    ),
    authorizedOperations: authorizedOperations(0),
  }),
});
