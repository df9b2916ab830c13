import { api } from '../wire/api.ts';
import { between, optional, since, struct } from '../wire/struct.ts';
import { array, boolean, int8, int16, int32, nullableArray, nullableString, string, uuid } from '../wire/types.ts';
import { throttleTime } from './shared.ts';

export const createTopics = api({
  key: 19,
  name: 'CreateTopics',
  min: 2,
  max: 7,
  flexibleFrom: 5,
  request: struct({
    topics: array(
      struct({
        name: string,
        partitions: int32,
        replicationFactor: int16,
        assignments: array(struct({ partition: int32, nodes: array(int32) })),
        configs: array(struct({ name: string, value: nullableString })),
      }),
    ),
    timeoutMs: int32,
    validateOnly: boolean,
  }),
  response: struct({
    throttleTimeMs: throttleTime(2),
    topics: array(
      struct({
        name: string,
        topicId: since(7, uuid),
        errorCode: int16,
        errorMessage: nullableString,
        partitions: since(5, int32),
        replicationFactor: since(5, int16),
        configs: since(
          5,
          nullableArray(
            struct({ name: string, value: nullableString, readOnly: boolean, source: int8, sensitive: boolean }),
          ),
        ),
      }),
    ),
  }),
});

export const deleteTopics = api({
  key: 20,
  name: 'DeleteTopics',
  min: 1,
  max: 6,
  flexibleFrom: 4,
  request: struct({
    topics: optional(since(6, array(struct({ name: nullableString, topicId: uuid })))),
    names: optional(between(0, 5, array(string))),
    timeoutMs: int32,
  }),
  response: struct({
    throttleTimeMs: throttleTime(1),
    topics: array(
      struct({
        name: nullableString,
        topicId: since(6, uuid),
        errorCode: int16,
        errorMessage: optional(since(5, nullableString)),
      }),
    ),
  }),
});
