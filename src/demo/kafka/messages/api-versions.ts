import { api } from '../wire/api.ts';
import { optional, since, struct, tagged } from '../wire/struct.ts';
import { array, int16, int64, string } from '../wire/types.ts';
import { throttleTime } from './shared.ts';

export const apiVersions = api({
  key: 18,
  name: 'ApiVersions',
  min: 0,
  max: 4,
  flexibleFrom: 3,
  request: struct({
    clientSoftwareName: optional(since(3, string)),
    clientSoftwareVersion: optional(since(3, string)),
  }),
  response: struct({
    errorCode: int16,
    apiKeys: array(struct({ key: int16, min: int16, max: int16 })),
    throttleTimeMs: throttleTime(1),
    supportedFeatures: tagged(0, 3, array(struct({ name: string, min: int16, max: int16 }))),
    finalizedFeaturesEpoch: tagged(1, 3, int64),
    finalizedFeatures: tagged(2, 3, array(struct({ name: string, max: int16, min: int16 }))),
  }),
});
