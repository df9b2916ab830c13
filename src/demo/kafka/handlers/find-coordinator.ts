import { findCoordinator } from '../messages/find-coordinator.ts';
import type { ClusterState } from '../state/cluster-state.ts';
import { ErrorCode } from '../state/error-codes.ts';
import { NO_LEADER } from '../state/topic.ts';
import { service } from './service.ts';

const TRANSACTION = 1;
const FIRST_WITH_LIST = 4;

export const findCoordinatorService = service(findCoordinator, (request, { state, version }) => {
  const kind = request.keyType === TRANSACTION ? 'transaction' : 'group';
  if (version < FIRST_WITH_LIST) return find(kind, request.key, state);
  return { coordinators: request.keys.map((key) => ({ key, ...find(kind, key, state) })) };
});

function find(kind: 'group' | 'transaction', key: string, state: ClusterState) {
  const nodeId = state.coordinator(kind, key);
  const errorCode = nodeId === NO_LEADER ? ErrorCode.coordinatorNotAvailable : ErrorCode.none;
  return { errorCode, errorMessage: null, nodeId, ...state.endpoint(nodeId) };
}
