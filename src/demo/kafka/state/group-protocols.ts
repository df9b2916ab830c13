/** Which assignment protocol the members of a group have in common. */
import type { GroupMember, JoinRequest } from './group-member.ts';

function offersEvery(members: readonly GroupMember[], name: string): boolean {
  return members.every(({ protocols }) => protocols.some((each) => each.name === name));
}

/** Whether someone who asks to join could share a protocol with the `others`. */
export function fitsInto(others: readonly GroupMember[], type: string | null, request: JoinRequest): boolean {
  const { protocolType, protocols } = request;
  if (others.length === 0) return protocolType !== '' && protocols.length > 0;
  return protocolType === type && protocols.some(({ name }) => offersEvery(others, name));
}

/** The one that all offer and that most members name first. */
export function chooseProtocol(members: readonly GroupMember[]): string | null {
  const votes = new Map<string, number>();
  for (const { protocols } of members) {
    const first = protocols.find(({ name }) => offersEvery(members, name))?.name;
    if (first !== undefined) votes.set(first, (votes.get(first) ?? 0) + 1);
  }
  return [...votes].sort(([, one], [, other]) => other - one)[0]?.[0] ?? null;
}
