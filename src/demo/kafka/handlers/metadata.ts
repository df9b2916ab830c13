import { metadata } from '../messages/metadata.ts';
import type { ClusterState } from '../state/cluster-state.ts';
import { ErrorCode } from '../state/error-codes.ts';
import { NO_LEADER, Topic } from '../state/topic.ts';
import { service } from './service.ts';

export const metadataService = service(metadata, (request, { state, version }) => {
  const { topics: asked } = request;
  const all = asked === null || (version === 0 && asked.length === 0);
  return {
    brokers: state.endpoints,
    clusterId: state.clusterId,
    controllerId: state.controller,
    topics: all
      ? state.topics.all.map((topic) => describe(topic, state))
      : asked.map(({ name, topicId }) => {
          const found = name === null ? byId(topicId, state) : byName(name, request.allowAutoTopicCreation, state);
          return found instanceof Topic ? describe(found, state) : missing(name, topicId, found);
        }),
  };
});

function byId(id: string, state: ClusterState): Topic | ErrorCode {
  return state.topics.withId(id) ?? ErrorCode.unknownTopicId;
}

function byName(name: string, mayCreate: boolean, { topics, options, nodes }: ClusterState): Topic | ErrorCode {
  const topic = topics.named(name);
  if (topic !== undefined) return topic;
  if (!mayCreate || !options.autoCreateTopics) return ErrorCode.unknownTopicOrPartition;
  const created = topics.create(name, options.defaultPartitions, nodes);
  return created instanceof Topic ? created : created.error;
}

function missing(name: string | null, topicId: string, errorCode: ErrorCode) {
  return { errorCode, name, topicId, partitions: [] };
}

function describe({ name, id, partitions }: Topic, { nodes }: ClusterState) {
  return {
    errorCode: ErrorCode.none,
    name,
    topicId: id,
    partitions: partitions.map(({ index, leader, leaderEpoch, replicas }) => ({
      errorCode: leader === NO_LEADER ? ErrorCode.leaderNotAvailable : ErrorCode.none,
      partition: index,
      leaderId: leader,
      leaderEpoch,
      replicas,
      inSyncReplicas: replicas.filter((node) => nodes.includes(node)),
      offlineReplicas: replicas.filter((node) => !nodes.includes(node)),
    })),
  };
}
