import { api } from '../wire/api.ts';
import { between, optional, since, struct } from '../wire/struct.ts';
import { array, int8, int16, int32, nullableString, string } from '../wire/types.ts';
import { throttleTime } from './shared.ts';

/** Up to version 3 one key, since then a list of them. */
export const findCoordinator = api({
  key: 10,
  name: 'FindCoordinator',
  min: 0,
  max: 6,
  flexibleFrom: 3,
  request: struct({
    key: optional(between(0, 3, string)),
    keyType: optional(since(1, int8), 0),
    keys: optional(since(4, array(string))),
  }),
  response: struct({
    throttleTimeMs: throttleTime(1),
    errorCode: optional(between(0, 3, int16), 0),
    errorMessage: optional(between(1, 3, nullableString)),
    nodeId: optional(between(0, 3, int32)),
    host: optional(between(0, 3, string)),
    port: optional(between(0, 3, int32)),
    coordinators: optional(
      since(
        4,
        array(
          struct({
            key: string,
            nodeId: int32,
            host: string,
            port: int32,
            errorCode: int16,
            errorMessage: nullableString,
          }),
        ),
      ),
    ),
  }),
});
