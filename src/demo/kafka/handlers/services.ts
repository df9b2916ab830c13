/** Every API that the embedded brokers serve, by key. */
import { apiVersionsService } from './api-versions.ts';
import { describeClusterService } from './describe-cluster.ts';
import { fetchService } from './fetch.ts';
import { findCoordinatorService } from './find-coordinator.ts';
import { describeGroupsService, listGroupsService } from './group-administration.ts';
import { heartbeatService, joinGroupService, leaveGroupService, syncGroupService } from './group-membership.ts';
import { listOffsetsService } from './list-offsets.ts';
import { metadataService } from './metadata.ts';
import { offsetForLeaderEpochService } from './offset-for-leader-epoch.ts';
import { offsetCommitService, offsetFetchService } from './offsets.ts';
import { produceService } from './produce.ts';
import type { Service, VersionRange } from './service.ts';
import { createTopicsService, deleteTopicsService } from './topics.ts';
import {
  addOffsetsToTxnService,
  addPartitionsToTxnService,
  endTxnService,
  initProducerIdService,
  txnOffsetCommitService,
} from './transactions.ts';

const ALL: readonly Service[] = [
  produceService,
  fetchService,
  listOffsetsService,
  metadataService,
  offsetCommitService,
  offsetFetchService,
  findCoordinatorService,
  joinGroupService,
  heartbeatService,
  leaveGroupService,
  syncGroupService,
  describeGroupsService,
  listGroupsService,
  apiVersionsService,
  createTopicsService,
  deleteTopicsService,
  initProducerIdService,
  offsetForLeaderEpochService,
  addPartitionsToTxnService,
  addOffsetsToTxnService,
  endTxnService,
  txnOffsetCommitService,
  describeClusterService,
];

export const SERVICES: ReadonlyMap<number, Service> = new Map(ALL.map((each) => [each.api.key, each]));

/**
 * What a broker offers unless it is told otherwise: as Kafka 4.2. Like that one it says that it knows Produce 0,
 * although it does not: old clients switch compression off when it is missing (KAFKA-18659).
 */
export function defaultVersions(): Map<number, VersionRange> {
  return new Map(ALL.map(({ api: { key, min, max } }) => [key, { min: key === 0 ? 0 : min, max }]));
}
