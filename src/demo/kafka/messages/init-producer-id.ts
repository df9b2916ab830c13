import { api } from '../wire/api.ts';
import { optional, since, struct } from '../wire/struct.ts';
import { int16, int32, int64, nullableString } from '../wire/types.ts';
import { throttleTime } from './shared.ts';

export const initProducerId = api({
  key: 22,
  name: 'InitProducerId',
  min: 0,
  max: 5,
  flexibleFrom: 2,
  request: struct({
    transactionalId: nullableString,
    transactionTimeoutMs: int32,
    producerId: optional(since(3, int64)),
    producerEpoch: optional(since(3, int16)),
  }),
  response: struct({
    throttleTimeMs: throttleTime(0),
    errorCode: int16,
    producerId: int64,
    producerEpoch: int16,
  }),
});
