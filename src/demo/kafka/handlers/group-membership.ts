import { heartbeat, joinGroup, leaveGroup, syncGroup } from '../messages/group-membership.ts';
import { ErrorCode } from '../state/error-codes.ts';
import { type Call, service } from './service.ts';

/** From this version on a member must join with the id that its first attempt brought (KIP-394). */
const FIRST_WITH_KNOWN_IDS = 4;
const FIRST_WITH_MANY_LEAVERS = 3;

/** Why this broker does not serve the group, if it does not. */
export function groupError({ state, node }: Call, groupId: string): ErrorCode {
  if (groupId === '') return ErrorCode.invalidGroupId;
  return state.coordinator('group', groupId) === node ? ErrorCode.none : ErrorCode.notCoordinator;
}

export const joinGroupService = service(joinGroup, (request, call) => {
  const errorCode = groupError(call, request.groupId);
  if (errorCode !== ErrorCode.none) {
    const { memberId } = request;
    const none = { generationId: -1, protocolType: null, protocolName: '', leader: '', members: [] };
    return { errorCode, memberId, ...none };
  }
  const client = { id: call.clientId, host: `/${call.clientHost}` };
  return call.state.group(request.groupId).join(request, client, call.version >= FIRST_WITH_KNOWN_IDS);
});

export const syncGroupService = service(syncGroup, (request, call) => {
  const errorCode = groupError(call, request.groupId);
  if (errorCode === ErrorCode.none) return call.state.group(request.groupId).sync(request);
  return { errorCode, protocolType: null, protocolName: null, assignment: Buffer.alloc(0) };
});

export const heartbeatService = service(heartbeat, ({ groupId, memberId, generationId }, call) => {
  const errorCode = groupError(call, groupId);
  if (errorCode !== ErrorCode.none) return { errorCode };
  return { errorCode: call.state.group(groupId).heartbeat(memberId, generationId) };
});

export const leaveGroupService = service(leaveGroup, (request, call) => {
  const errorCode = groupError(call, request.groupId);
  if (errorCode !== ErrorCode.none) return { errorCode };
  const group = call.state.group(request.groupId);
  if (call.version < FIRST_WITH_MANY_LEAVERS) return { errorCode: group.leave(request.memberId, null) };
  const members = request.members.map(({ memberId, groupInstanceId }) => ({
    memberId,
    groupInstanceId,
    errorCode: group.leave(memberId, groupInstanceId),
  }));
  return { errorCode: ErrorCode.none, members };
});
