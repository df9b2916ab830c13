/** Requests of the hazards' clients; the topic has one partition for each broker, partition n at node n + 1. */
import type { EmbeddedCluster } from '../../src/demo/kafka/embedded-cluster.ts';
import { type BatchOptions, batchOf } from '../support/record-batch.ts';

export const TOPIC = 'orders';

export function createTopic(cluster: EmbeddedCluster): void {
  const nodes = cluster.brokers.map(({ node }) => node);
  cluster.createTopic(TOPIC, { replicas: nodes.map((node) => [node, ...nodes.filter((other) => other !== node)]) });
}

/** Goes to the leader of the partition that belongs to `node`. */
export function produceTo(node: number, values: readonly string[], acks = -1, options: BatchOptions = {}) {
  const partitions = [{ index: node - 1, records: batchOf(values, options) }];
  return { transactionalId: null, acks, timeoutMs: 1000, topics: [{ name: TOPIC, topicId: '', partitions }] };
}

/** Its checksum does not fit: brokers refuse it. */
export function damaged(node: number, acks: number) {
  const request = produceTo(node, ['damaged'], acks);
  request.topics[0]?.partitions[0]?.records.writeInt8(99, 70);
  return request;
}

export function fetchFrom(node: number, maxWaitMs: number, fetchOffset = 0) {
  const partitions = [{ partition: node - 1, fetchOffset, partitionMaxBytes: 1_000_000 }];
  const topics = [{ topic: TOPIC, topicId: '', partitions }];
  return { maxWaitMs, minBytes: 1, maxBytes: 1_000_000, isolationLevel: 0, topics };
}

export function valuesOf(cluster: EmbeddedCluster): (string | null)[] {
  return cluster.messages(TOPIC).map(({ value }) => value);
}
