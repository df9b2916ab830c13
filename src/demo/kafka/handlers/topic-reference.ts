/** Topics as messages refer to them: by name, in later versions by id; and hints for those who asked the wrong broker. */
import type { ClusterState } from '../state/cluster-state.ts';
import { ErrorCode } from '../state/error-codes.ts';
import type { Partition, Topic } from '../state/topic.ts';
import type { Call } from './service.ts';

/** @param idsFrom the version in which ids took the place of names */
export function topicOf(
  { state, version }: Call,
  name: string,
  id: string,
  idsFrom: number,
): { readonly topic: Topic | undefined; readonly missing: ErrorCode } {
  if (version < idsFrom) return { topic: state.topics.named(name), missing: ErrorCode.unknownTopicOrPartition };
  const topic = state.topics.withId(id);
  return { topic, missing: topic === undefined ? ErrorCode.unknownTopicId : ErrorCode.unknownTopicOrPartition };
}

/** Collects the leaders that an answer names, and then says where they are (KIP-951). */
export function leaderHints(state: ClusterState) {
  const named = new Set<number>();
  return {
    leaderOf: ({ leader, leaderEpoch }: Partition) => {
      named.add(leader);
      return { leaderId: leader, leaderEpoch };
    },
    /** `undefined` if there is nothing to say. */
    endpoints: () => {
      const endpoints = state.endpoints.filter(({ nodeId }) => named.has(nodeId));
      return endpoints.length === 0 ? undefined : endpoints;
    },
  };
}

/** Compares the epoch that a client knows, -1 for none, with the one that is (KIP-320). */
export function epochError(known: number, { leaderEpoch }: Partition): ErrorCode {
  if (known < 0 || known === leaderEpoch) return ErrorCode.none;
  return known < leaderEpoch ? ErrorCode.fencedLeaderEpoch : ErrorCode.unknownLeaderEpoch;
}
