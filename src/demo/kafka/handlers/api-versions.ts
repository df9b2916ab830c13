import { apiVersions } from '../messages/api-versions.ts';
import { ErrorCode } from '../state/error-codes.ts';
import { service } from './service.ts';

export const apiVersionsService = service(apiVersions, (_request, { offered, state }) => {
  const features = [...state.features].map(([name, level]) => ({ name, min: 0, max: level }));
  return {
    errorCode: ErrorCode.none,
    apiKeys: [...offered].map(([key, { min, max }]) => ({ key, min, max })),
    supportedFeatures: features.length === 0 ? undefined : features,
    finalizedFeaturesEpoch: 1,
    finalizedFeatures: features.length === 0 ? undefined : features.map(({ name, max }) => ({ name, min: max, max })),
  };
});
