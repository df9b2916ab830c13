import { describeGroups, listGroups } from '../messages/group-administration.ts';
import { ErrorCode } from '../state/error-codes.ts';
import type { Group, GroupState } from '../state/group.ts';
import { groupError } from './group-membership.ts';
import { service } from './service.ts';

const STATE_NAMES: Readonly<Record<GroupState, string>> = {
  empty: 'Empty',
  joining: 'PreparingRebalance',
  syncing: 'CompletingRebalance',
  stable: 'Stable',
};

export const describeGroupsService = service(describeGroups, (request, call) => ({
  groups: request.groups.map((groupId) => {
    const errorCode = groupError(call, groupId);
    const group = call.state.groups.get(groupId);
    if (errorCode === ErrorCode.none && group !== undefined) return describe(group);
    return { errorCode, groupId, state: 'Dead', protocolType: '', protocol: '', members: [] };
  }),
}));

function describe(group: Group) {
  return {
    errorCode: ErrorCode.none,
    groupId: group.id,
    state: STATE_NAMES[group.state],
    protocolType: group.protocolType,
    protocol: group.protocol,
    members: group.members.map((member) => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      metadata: member.metadataFor(group.protocol),
      assignment: member.assignment,
    })),
  };
}

export const listGroupsService = service(listGroups, ({ states }, { state, node }) => ({
  errorCode: ErrorCode.none,
  groups: [...state.groups.values()]
    .filter(({ id }) => state.coordinator('group', id) === node)
    .map((group) => ({
      groupId: group.id,
      protocolType: group.protocolType,
      state: STATE_NAMES[group.state],
      type: 'classic',
    }))
    .filter((group) => states.length === 0 || states.includes(group.state)),
}));
