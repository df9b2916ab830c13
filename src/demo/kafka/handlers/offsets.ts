import { offsetCommit } from '../messages/offset-commit.ts';
import { offsetFetch } from '../messages/offset-fetch.ts';
import type { CommittedOffsets } from '../state/committed-offsets.ts';
import { ErrorCode } from '../state/error-codes.ts';
import { groupError } from './group-membership.ts';
import { type Call, service } from './service.ts';
import { topicOf } from './topic-reference.ts';

const FIRST_WITH_TOPIC_IDS = 10;
const FIRST_WITH_MANY_GROUPS = 8;

export const offsetCommitService = service(offsetCommit, (request, call) => {
  const { groupId, memberId, generationId } = request;
  const placeError = groupError(call, groupId);
  const group = call.state.group(groupId);
  const refusal = placeError === ErrorCode.none ? group.mayCommit(memberId, generationId) : placeError;
  return {
    topics: request.topics.map(({ name, topicId, partitions }) => {
      const { topic, missing } = topicOf(call, name, topicId, FIRST_WITH_TOPIC_IDS);
      return {
        name,
        topicId,
        partitions: partitions.map(({ partition, ...offset }) => {
          const isKnown = topic?.partitions[partition] !== undefined;
          const errorCode = refusal === ErrorCode.none && !isKnown ? missing : refusal;
          if (errorCode === ErrorCode.none && topic !== undefined)
            group.offsets.commit({ topic: topic.name, partition, ...offset });
          return { partition, errorCode };
        }),
      };
    }),
  };
});

interface AskedTopic {
  readonly name: string;
  readonly topicId: string;
  readonly partitions: readonly number[];
}

export const offsetFetchService = service(offsetFetch, (request, call) => {
  const { requireStable, version } = { ...request, ...call };
  if (version >= FIRST_WITH_MANY_GROUPS)
    return { groups: request.groups.map(({ groupId, topics }) => committed(groupId, topics, requireStable, call)) };
  const named = request.topics?.map((topic) => ({ ...topic, topicId: '' })) ?? null;
  const { topics, errorCode } = committed(request.groupId, named, requireStable, call);
  return { topics, errorCode };
});

/** @param asked null for all */
function committed(groupId: string, asked: readonly AskedTopic[] | null, requireStable: boolean, call: Call) {
  const errorCode = groupError(call, groupId);
  if (errorCode !== ErrorCode.none) return { groupId, topics: [], errorCode };
  const { offsets } = call.state.group(groupId);
  const topics = (asked ?? everything(offsets, call)).map(({ name, topicId, partitions }) => {
    const { topic } = topicOf(call, name, topicId, FIRST_WITH_TOPIC_IDS);
    return {
      name,
      topicId,
      partitions: partitions.map((partition) => {
        const found = topic === undefined ? undefined : offsets.of(topic.name, partition);
        const isUnstable = requireStable && topic !== undefined && offsets.isUnstable(topic.name, partition);
        return {
          partition,
          offset: isUnstable ? -1 : (found?.offset ?? -1),
          leaderEpoch: found?.leaderEpoch ?? -1,
          metadata: found?.metadata ?? '',
          errorCode: isUnstable ? ErrorCode.unstableOffsetCommit : ErrorCode.none,
        };
      }),
    };
  });
  return { groupId, topics, errorCode };
}

function everything(offsets: CommittedOffsets, { state }: Call): AskedTopic[] {
  const partitions = Map.groupBy(offsets.all, ({ topic }) => topic);
  return [...partitions].map(([name, found]) => ({
    name,
    topicId: state.topics.named(name)?.id ?? '',
    partitions: found.map(({ partition }) => partition),
  }));
}
