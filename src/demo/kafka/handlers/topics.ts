import { createTopics, deleteTopics } from '../messages/topics.ts';
import type { ClusterState } from '../state/cluster-state.ts';
import { ErrorCode } from '../state/error-codes.ts';
import { Topic } from '../state/topic.ts';
import type { Read } from '../wire/struct.ts';
import { NO_UUID } from '../wire/types.ts';
import { service } from './service.ts';

type Wanted = Read<typeof createTopics.request>['topics'][number];

const FIRST_WITH_IDS = 6;

export const createTopicsService = service(createTopics, (request, { state }) => ({
  topics: request.topics.map((wanted) => {
    const { name } = wanted;
    const created = create(wanted, state, request.validateOnly);
    if (created instanceof Topic) {
      const { id, partitions } = created;
      const replicationFactor = partitions[0]?.replicas.length ?? 0;
      const made = { topicId: id, partitions: partitions.length, replicationFactor, configs: [] };
      return { name, errorCode: ErrorCode.none, errorMessage: null, ...made };
    }
    const none = { topicId: NO_UUID, partitions: -1, replicationFactor: -1, configs: [] };
    return { name, errorCode: created, errorMessage: null, ...none };
  }),
}));

function create(wanted: Wanted, state: ClusterState, validateOnly: boolean): Topic | ErrorCode {
  const { topics, nodes, options } = state;
  const { name, assignments } = wanted;
  if (wanted.replicationFactor > nodes.length) return ErrorCode.invalidReplicationFactor;
  const copies = wanted.replicationFactor > 0 ? wanted.replicationFactor : nodes.length;
  const assigned = assignments.length > 0 ? assignments.map((each) => each.nodes) : undefined;
  const partitions = assigned?.length ?? (wanted.partitions === -1 ? options.defaultPartitions : wanted.partitions);
  const created = topics.create(name, partitions, nodes, assigned, copies);
  if (!(created instanceof Topic)) return created.error;
  if (validateOnly) topics.delete(name);
  return created;
}

export const deleteTopicsService = service(deleteTopics, (request, { state, version }) => {
  const asked = version >= FIRST_WITH_IDS ? request.topics : request.names.map((name) => ({ name, topicId: NO_UUID }));
  return {
    topics: asked.map(({ name, topicId }) => {
      const topic = name === null ? state.topics.withId(topicId) : state.topics.named(name);
      const unknown = name === null ? ErrorCode.unknownTopicId : ErrorCode.unknownTopicOrPartition;
      if (topic === undefined) return { name, topicId, errorCode: unknown };
      state.topics.delete(topic.name);
      return { name: topic.name, topicId: topic.id, errorCode: ErrorCode.none };
    }),
  };
});
