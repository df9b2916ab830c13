import { api } from '../wire/api.ts';
import { between, optional, since, struct } from '../wire/struct.ts';
import { array, boolean, int16, int32, nullableArray, nullableString, string, uuid } from '../wire/types.ts';
import { authorizedOperations, throttleTime } from './shared.ts';

export const metadata = api({
  key: 3,
  name: 'Metadata',
  min: 0,
  max: 13,
  flexibleFrom: 9,
  request: struct({
    topics: nullableArray(struct({ topicId: optional(since(10, uuid)), name: nullableString })),
    allowAutoTopicCreation: optional(since(4, boolean), true),
    includeClusterAuthorizedOperations: optional(between(8, 10, boolean)),
    includeTopicAuthorizedOperations: optional(since(8, boolean)),
  }),
  response: struct({
    throttleTimeMs: throttleTime(3),
    brokers: array(struct({ nodeId: int32, host: string, port: int32, rack: optional(since(1, nullableString)) })),
    clusterId: since(2, nullableString),
    controllerId: since(1, int32),
    topics: array(
      struct({
        errorCode: int16,
        name: nullableString,
        topicId: since(10, uuid),
        isInternal: optional(since(1, boolean)),
        partitions: array(
          struct({
            errorCode: int16,
            partition: int32,
            leaderId: int32,
            leaderEpoch: since(7, int32),
            replicas: array(int32),
            inSyncReplicas: array(int32),
            offlineReplicas: since(5, array(int32)),
          }),
        ),
        authorizedOperations: authorizedOperations(8),
      }),
    ),
    authorizedOperations: authorizedOperations(8, 10),
    errorCode: optional(since(13, int16), 0),
  }),
});
