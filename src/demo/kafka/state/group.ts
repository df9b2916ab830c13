/**
 * The coordinator's view of one classic consumer group:
 *
 *   empty --join--> joining --all there, or time is over--> syncing --the leader's SyncGroup--> stable
 *                      ^--------- join, leave, session timeout ---------'-------------------------'
 *
 * JoinGroup is answered when the joining ends, SyncGroup when the leader has synced: both may be held for long.
 */
import { randomUUID } from 'node:crypto';
import { CommittedOffsets } from './committed-offsets.ts';
import { ErrorCode } from './error-codes.ts';
import { GroupMember, type JoinAnswer, type JoinRequest, type SyncAnswer } from './group-member.ts';
import { chooseProtocol, fitsInto } from './group-protocols.ts';
import type { Timers } from './timers.ts';

export type GroupState = 'empty' | 'joining' | 'syncing' | 'stable';

export interface SyncRequest {
  readonly generationId: number;
  readonly memberId: string;
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[];
}

interface GroupOptions {
  readonly timers: Timers;
  /** How long an empty group waits for more members once the first has come. */
  readonly initialDelayMilliseconds: number;
}

const NOBODY = '';

export class Group {
  readonly id: string;
  readonly offsets = new CommittedOffsets();
  readonly #options: GroupOptions;
  readonly #members = new Map<string, GroupMember>();
  /** Ids that were given out (KIP-394) and have not joined yet, with what forgets them. */
  readonly #promised = new Map<string, () => void>();
  #state: GroupState = 'empty';
  #generation = 0;
  #protocolType: string | null = null;
  #protocol: string | null = null;
  #leader = NOBODY;
  #cancelJoining: () => void = () => undefined;
  /** The joining began in an empty group and lasts until its delay is over, whoever is there. */
  #initial = false;

  constructor(id: string, options: GroupOptions) {
    this.id = id;
    this.#options = options;
  }

  get state(): GroupState {
    return this.#state;
  }
  get generation(): number {
    return this.#generation;
  }
  get protocolType(): string {
    return this.#protocolType ?? '';
  }
  get protocol(): string {
    return this.#protocol ?? '';
  }
  get leader(): string {
    return this.#leader;
  }
  get members(): readonly GroupMember[] {
    return [...this.#members.values()];
  }

  /** Resolves when the joining ends. */
  join(
    request: JoinRequest,
    client: { readonly id: string; readonly host: string },
    mustKnowId: boolean,
  ): Promise<JoinAnswer> {
    const { memberId, groupInstanceId } = request;
    const refuse = (errorCode: number, id = memberId): Promise<JoinAnswer> =>
      Promise.resolve(this.#refusal(errorCode, id));
    const others = this.members.filter(({ id }) => id !== memberId);
    if (!fitsInto(others, this.#protocolType, request)) return refuse(ErrorCode.inconsistentGroupProtocol);
    if (others.length === 0) this.#protocolType = request.protocolType;
    const former = groupInstanceId === null ? undefined : this.#instance(groupInstanceId);
    if (memberId === '') {
      const id = `${client.id}-${randomUUID()}`;
      if (former !== undefined) this.#remove(former, ErrorCode.fencedInstanceId);
      if (groupInstanceId === null && mustKnowId) {
        this.#promise(id, request.sessionTimeoutMs);
        return refuse(ErrorCode.memberIdRequired, id);
      }
      return this.#admit(new GroupMember(id, request, client));
    }
    if (former !== undefined && former.id !== memberId) return refuse(ErrorCode.fencedInstanceId);
    const known = this.#members.get(memberId);
    if (known !== undefined) return this.#rejoin(known, request);
    if (!this.#promised.has(memberId)) return refuse(ErrorCode.unknownMemberId);
    this.#promised.get(memberId)?.();
    this.#promised.delete(memberId);
    return this.#admit(new GroupMember(memberId, request, client));
  }

  /** Resolves once the leader has synced, or another rebalance begins. */
  sync({ generationId, memberId, assignments }: SyncRequest): Promise<SyncAnswer> {
    const member = this.#members.get(memberId);
    const answer = (errorCode: number): Promise<SyncAnswer> => Promise.resolve(this.#syncAnswer(errorCode, member));
    if (member === undefined) return answer(ErrorCode.unknownMemberId);
    if (generationId !== this.#generation) return answer(ErrorCode.illegalGeneration);
    this.#touch(member);
    if (this.#state === 'joining') return answer(ErrorCode.rebalanceInProgress);
    if (this.#state === 'stable') return answer(ErrorCode.none);
    if (memberId !== this.#leader) {
      return new Promise((resolve) => {
        member.answerSync = resolve;
      });
    }
    for (const each of this.#members.values()) {
      each.assignment = assignments.find(({ memberId: id }) => id === each.id)?.assignment ?? Buffer.alloc(0);
    }
    this.#state = 'stable';
    this.#answerSyncs(ErrorCode.none);
    return answer(ErrorCode.none);
  }

  heartbeat(memberId: string, generationId: number): number {
    const member = this.#members.get(memberId);
    if (member === undefined) return ErrorCode.unknownMemberId;
    if (generationId !== this.#generation) return ErrorCode.illegalGeneration;
    this.#touch(member);
    return this.#state === 'joining' ? ErrorCode.rebalanceInProgress : ErrorCode.none;
  }

  /** Members with an instance id may go by that alone. */
  leave(memberId: string, instanceId: string | null): number {
    if (this.#promised.has(memberId)) {
      this.#forget(memberId);
      return ErrorCode.none;
    }
    const member = memberId === '' && instanceId !== null ? this.#instance(instanceId) : this.#members.get(memberId);
    if (member === undefined) return ErrorCode.unknownMemberId;
    this.#remove(member, ErrorCode.unknownMemberId);
    this.#rebalance();
    return ErrorCode.none;
  }

  /** Whether whoever says so may commit offsets; a negative generation is a simple consumer's. */
  mayCommit(memberId: string, generationId: number): number {
    if (generationId < 0 && memberId === '')
      return this.#members.size === 0 ? ErrorCode.none : ErrorCode.unknownMemberId;
    const member = this.#members.get(memberId);
    if (member === undefined) return ErrorCode.unknownMemberId;
    if (generationId !== this.#generation) return ErrorCode.illegalGeneration;
    if (this.#state === 'syncing') return ErrorCode.rebalanceInProgress;
    this.#touch(member);
    return ErrorCode.none;
  }

  #instance(instanceId: string): GroupMember | undefined {
    return this.members.find((member) => member.instanceId === instanceId);
  }

  #promise(id: string, milliseconds: number): void {
    this.#promised.set(
      id,
      this.#options.timers.after(milliseconds, () => this.#forget(id)),
    );
  }

  #forget(id: string): void {
    this.#promised.get(id)?.();
    this.#promised.delete(id);
    if (this.#state === 'joining') this.#completeJoiningIfAll();
  }

  #admit(member: GroupMember): Promise<JoinAnswer> {
    this.#members.set(member.id, member);
    return this.#waitForJoining(member);
  }

  #rejoin(member: GroupMember, request: JoinRequest): Promise<JoinAnswer> {
    const changed = !member.offersTheSame(request.protocols);
    member.update(request);
    const current = !changed && (this.#state === 'syncing' || (this.#state === 'stable' && member.id !== this.#leader));
    if (!current) return this.#waitForJoining(member);
    this.#touch(member);
    return Promise.resolve(this.#joinAnswer(member));
  }

  #waitForJoining(member: GroupMember): Promise<JoinAnswer> {
    return new Promise((resolve) => {
      member.cancelSession();
      member.answerJoin = resolve;
      this.#rebalance();
    });
  }

  #rebalance(): void {
    if (this.#state === 'joining') {
      this.#completeJoiningIfAll();
      return;
    }
    this.#initial = this.#state === 'empty';
    this.#state = 'joining';
    this.#answerSyncs(ErrorCode.rebalanceInProgress);
    const patience = this.#initial
      ? this.#options.initialDelayMilliseconds
      : Math.max(0, ...this.members.map((member) => member.rebalanceTimeoutMs));
    this.#cancelJoining = this.#options.timers.after(patience, () => this.#completeJoining());
    this.#completeJoiningIfAll();
  }

  #completeJoiningIfAll(): void {
    if (this.#members.size === 0 && this.#promised.size === 0) this.#completeJoining();
    else if (!this.#initial && this.#promised.size === 0 && this.members.every((member) => member.answerJoin))
      this.#completeJoining();
  }

  #completeJoining(): void {
    this.#cancelJoining();
    this.#initial = false;
    for (const member of this.members) if (member.answerJoin === undefined) this.#remove(member, ErrorCode.none);
    this.#generation += 1;
    this.#state = this.#members.size === 0 ? 'empty' : 'syncing';
    if (!this.#members.has(this.#leader)) this.#leader = this.members[0]?.id ?? NOBODY;
    this.#protocol = chooseProtocol(this.members);
    for (const member of this.members) {
      member.answerJoin?.(this.#joinAnswer(member));
      member.answerJoin = undefined;
      this.#touch(member);
    }
  }

  /** Its session lasts from here. */
  #touch(member: GroupMember): void {
    member.cancelSession();
    if (member.answerJoin !== undefined) return;
    member.cancelSession = this.#options.timers.after(member.sessionTimeoutMs, () => {
      this.#remove(member, ErrorCode.unknownMemberId);
      this.#rebalance();
    });
  }

  #remove(member: GroupMember, errorCode: number): void {
    this.#members.delete(member.id);
    member.cancelSession();
    member.answerJoin?.(this.#refusal(errorCode, member.id));
    member.answerSync?.(this.#syncAnswer(errorCode, undefined));
    member.answerJoin = undefined;
    member.answerSync = undefined;
  }

  #answerSyncs(errorCode: number): void {
    for (const member of this.members) {
      member.answerSync?.(this.#syncAnswer(errorCode, member));
      member.answerSync = undefined;
    }
  }

  #syncAnswer(errorCode: number, member: GroupMember | undefined): SyncAnswer {
    const assignment = errorCode === ErrorCode.none && member !== undefined ? member.assignment : Buffer.alloc(0);
    return { errorCode, protocolType: this.#protocolType, protocolName: this.#protocol, assignment };
  }

  #joinAnswer(member: GroupMember): JoinAnswer {
    const protocol = this.#protocol ?? '';
    return {
      errorCode: ErrorCode.none,
      generationId: this.#generation,
      protocolType: this.#protocolType,
      protocolName: protocol,
      leader: this.#leader,
      memberId: member.id,
      members:
        member.id === this.#leader
          ? this.members.map((each) => ({
              memberId: each.id,
              groupInstanceId: each.instanceId,
              metadata: each.metadataFor(protocol),
            }))
          : [],
    };
  }

  #refusal(errorCode: number, memberId: string): JoinAnswer {
    const none = { generationId: -1, protocolType: null, protocolName: '', leader: NOBODY, members: [] };
    return { errorCode, memberId, ...none };
  }
}
