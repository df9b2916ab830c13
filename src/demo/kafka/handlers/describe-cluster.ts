import { describeCluster } from '../messages/describe-cluster.ts';
import { ErrorCode } from '../state/error-codes.ts';
import { service } from './service.ts';

export const describeClusterService = service(describeCluster, (request, { state }) => ({
  errorCode: ErrorCode.none,
  endpointType: request.endpointType,
  clusterId: state.clusterId,
  controllerId: state.controller,
  brokers: state.endpoints,
}));
