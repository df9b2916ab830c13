/**
 * Every Kafka API, keys 0 to 94, in the stable versions of Kafka 4.2: what the sidecar does with it and what it must know
 * to do so. Sources: the message definitions of Apache Kafka, the KIPs named at the classes, and what brokers do with each
 * request.
 */

/**
 * - `versions`: ApiVersions, answered by us (KIP-35, KIP-511)
 * - `metadata`: answered by us for sleepers, else leased
 * - `produce`: leased; pinned if acks=0
 * - `pool`: leased, for brokers answer it at once
 * - `hold`: the broker may keep the answer back
 * - `pinHard`: bound to the connection by the broker (KIP-932: share sessions)
 * - `sasl`: authentication
 * - `hidden`: telemetry (KIP-714), never advertised: a shared connection would mix clients up
 * - `refuse`: between brokers and controllers only
 */
export type ApiClass = 'versions' | 'metadata' | 'produce' | 'pool' | 'hold' | 'pinHard' | 'sasl' | 'hidden' | 'refuse';

/**
 * Where `throttle_time_ms` stands (KIP-219): first in the body, behind an error code, or as the last field before the
 * body's tagged fields.
 */
export type ThrottlePlace = 'none' | 'first' | 'afterError' | 'tail';

export interface Api {
  readonly key: number;
  readonly name: string;
  readonly kind: ApiClass;
  /** Valid data: moves the idle clock. */
  readonly work: boolean;
  /** The oldest that we know: 0, but for share groups, whose early access (Kafka 4.0) had another grammar. */
  readonly minVersion: number;
  /** The newest stable version that we know; of an API with addresses, the newest that we can rewrite. */
  readonly maxVersion: number;
  /** The first version with compact lengths and tagged fields; Infinity if there is none. */
  readonly firstFlexible: number;
  readonly throttle: ThrottlePlace;
  readonly throttleFrom: number;
  /** The broker may take as long as a time-out in the request allows. */
  readonly slow: boolean;
}

type Row = readonly [
  key: number,
  name: string,
  kind: ApiClass,
  work: boolean,
  maxVersion: number,
  firstFlexible: number,
  throttle: ThrottlePlace,
  throttleFrom: number,
  slow: boolean,
];

const ROWS: readonly Row[] = [
  [0, 'Produce', 'produce', true, 13, 9, 'tail', 1, true],
  [1, 'Fetch', 'hold', true, 18, 12, 'first', 1, true],
  [2, 'ListOffsets', 'pool', true, 11, 6, 'first', 2, true],
  [3, 'Metadata', 'metadata', false, 13, 9, 'first', 3, false],
  [4, 'LeaderAndIsr', 'refuse', false, 7, 4, 'none', 0, false],
  [5, 'StopReplica', 'refuse', false, 4, 2, 'none', 0, false],
  [6, 'UpdateMetadata', 'refuse', false, 8, 6, 'none', 0, false],
  [7, 'ControlledShutdown', 'refuse', false, 3, 3, 'none', 0, false],
  [8, 'OffsetCommit', 'pool', true, 10, 8, 'first', 3, false],
  [9, 'OffsetFetch', 'pool', true, 10, 6, 'first', 3, false],
  [10, 'FindCoordinator', 'pool', false, 6, 3, 'first', 1, false],
  [11, 'JoinGroup', 'hold', true, 9, 6, 'first', 2, true],
  [12, 'Heartbeat', 'pool', true, 4, 4, 'first', 1, false],
  [13, 'LeaveGroup', 'pool', true, 5, 4, 'first', 1, false],
  [14, 'SyncGroup', 'hold', true, 5, 4, 'first', 1, true],
  [15, 'DescribeGroups', 'pool', true, 6, 5, 'first', 1, false],
  [16, 'ListGroups', 'pool', true, 5, 3, 'first', 1, false],
  [17, 'SaslHandshake', 'sasl', false, 1, -1, 'none', 0, false],
  [18, 'ApiVersions', 'versions', false, 4, 3, 'none', 1, false],
  [19, 'CreateTopics', 'pool', true, 7, 5, 'first', 2, true],
  [20, 'DeleteTopics', 'pool', true, 6, 4, 'first', 1, true],
  [21, 'DeleteRecords', 'pool', true, 2, 2, 'first', 0, true],
  [22, 'InitProducerId', 'pool', true, 5, 2, 'first', 0, false],
  [23, 'OffsetForLeaderEpoch', 'pool', true, 4, 4, 'first', 2, false],
  [24, 'AddPartitionsToTxn', 'pool', true, 5, 3, 'first', 0, false],
  [25, 'AddOffsetsToTxn', 'pool', true, 4, 3, 'first', 0, false],
  [26, 'EndTxn', 'pool', true, 5, 3, 'first', 0, false],
  [27, 'WriteTxnMarkers', 'pool', true, 2, 1, 'none', 0, false],
  [28, 'TxnOffsetCommit', 'pool', true, 5, 3, 'first', 0, false],
  [29, 'DescribeAcls', 'pool', true, 3, 2, 'first', 0, false],
  [30, 'CreateAcls', 'pool', true, 3, 2, 'first', 0, true],
  [31, 'DeleteAcls', 'pool', true, 3, 2, 'first', 0, true],
  [32, 'DescribeConfigs', 'pool', true, 4, 4, 'first', 0, false],
  [33, 'AlterConfigs', 'pool', true, 2, 2, 'first', 0, false],
  [34, 'AlterReplicaLogDirs', 'pool', true, 2, 2, 'first', 0, false],
  [35, 'DescribeLogDirs', 'pool', true, 4, 2, 'first', 0, false],
  [36, 'SaslAuthenticate', 'sasl', false, 2, 2, 'none', 0, false],
  [37, 'CreatePartitions', 'pool', true, 3, 2, 'first', 0, true],
  [38, 'CreateDelegationToken', 'pool', true, 3, 2, 'tail', 0, false],
  [39, 'RenewDelegationToken', 'pool', true, 2, 2, 'tail', 0, false],
  [40, 'ExpireDelegationToken', 'pool', true, 2, 2, 'tail', 0, false],
  [41, 'DescribeDelegationToken', 'pool', true, 3, 2, 'tail', 0, false],
  [42, 'DeleteGroups', 'pool', true, 2, 2, 'first', 0, false],
  [43, 'ElectLeaders', 'pool', true, 2, 2, 'first', 0, true],
  [44, 'IncrementalAlterConfigs', 'pool', true, 1, 1, 'first', 0, false],
  [45, 'AlterPartitionReassignments', 'pool', true, 1, 0, 'first', 0, true],
  [46, 'ListPartitionReassignments', 'pool', true, 0, 0, 'first', 0, false],
  [47, 'OffsetDelete', 'pool', true, 0, -1, 'afterError', 0, false],
  [48, 'DescribeClientQuotas', 'pool', true, 1, 1, 'first', 0, false],
  [49, 'AlterClientQuotas', 'pool', true, 1, 1, 'first', 0, false],
  [50, 'DescribeUserScramCredentials', 'pool', true, 0, 0, 'first', 0, false],
  [51, 'AlterUserScramCredentials', 'pool', true, 0, 0, 'first', 0, false],
  [52, 'Vote', 'refuse', false, 2, 0, 'none', 0, false],
  [53, 'BeginQuorumEpoch', 'refuse', false, 1, 1, 'none', 0, false],
  [54, 'EndQuorumEpoch', 'refuse', false, 1, 1, 'none', 0, false],
  [55, 'DescribeQuorum', 'pool', true, 2, 0, 'none', 0, false],
  [56, 'AlterPartition', 'refuse', false, 3, 0, 'first', 0, false],
  [57, 'UpdateFeatures', 'pool', true, 2, 0, 'first', 0, true],
  [58, 'Envelope', 'refuse', false, 0, 0, 'none', 0, false],
  [59, 'FetchSnapshot', 'refuse', false, 1, 0, 'first', 0, false],
  [60, 'DescribeCluster', 'pool', false, 2, 0, 'first', 0, false],
  [61, 'DescribeProducers', 'pool', true, 0, 0, 'first', 0, false],
  [62, 'BrokerRegistration', 'refuse', false, 4, 0, 'first', 0, false],
  [63, 'BrokerHeartbeat', 'refuse', false, 1, 0, 'first', 0, false],
  [64, 'UnregisterBroker', 'pool', true, 0, 0, 'first', 0, false],
  [65, 'DescribeTransactions', 'pool', true, 0, 0, 'first', 0, false],
  [66, 'ListTransactions', 'pool', true, 2, 0, 'first', 0, false],
  [67, 'AllocateProducerIds', 'refuse', false, 0, 0, 'first', 0, false],
  [68, 'ConsumerGroupHeartbeat', 'pool', true, 1, 0, 'first', 0, false],
  [69, 'ConsumerGroupDescribe', 'pool', true, 1, 0, 'first', 0, false],
  [70, 'ControllerRegistration', 'refuse', false, 0, 0, 'first', 0, false],
  [71, 'GetTelemetrySubscriptions', 'hidden', false, 0, 0, 'first', 0, false],
  [72, 'PushTelemetry', 'hidden', false, 0, 0, 'first', 0, false],
  [73, 'AssignReplicasToDirs', 'refuse', false, 0, 0, 'first', 0, false],
  [74, 'ListConfigResources', 'pool', true, 1, 0, 'first', 0, false],
  [75, 'DescribeTopicPartitions', 'pool', false, 0, 0, 'first', 0, false],
  [76, 'ShareGroupHeartbeat', 'pool', true, 1, 0, 'first', 0, false],
  [77, 'ShareGroupDescribe', 'pool', true, 1, 0, 'first', 0, false],
  [78, 'ShareFetch', 'pinHard', true, 2, 0, 'first', 0, true],
  [79, 'ShareAcknowledge', 'pinHard', true, 2, 0, 'first', 0, false],
  [80, 'AddRaftVoter', 'pool', true, 1, 0, 'first', 0, true],
  [81, 'RemoveRaftVoter', 'pool', true, 0, 0, 'first', 0, true],
  [82, 'UpdateRaftVoter', 'refuse', false, 0, 0, 'first', 0, false],
  [83, 'InitializeShareGroupState', 'refuse', false, 0, 0, 'none', 0, false],
  [84, 'ReadShareGroupState', 'refuse', false, 0, 0, 'none', 0, false],
  [85, 'WriteShareGroupState', 'refuse', false, 1, 0, 'none', 0, false],
  [86, 'DeleteShareGroupState', 'refuse', false, 0, 0, 'none', 0, false],
  [87, 'ReadShareGroupStateSummary', 'refuse', false, 1, 0, 'none', 0, false],
  [88, 'StreamsGroupHeartbeat', 'pool', true, 0, 0, 'first', 0, false],
  [89, 'StreamsGroupDescribe', 'pool', true, 0, 0, 'first', 0, false],
  [90, 'DescribeShareGroupOffsets', 'pool', true, 1, 0, 'first', 0, false],
  [91, 'AlterShareGroupOffsets', 'pool', true, 0, 0, 'first', 0, false],
  [92, 'DeleteShareGroupOffsets', 'pool', true, 0, 0, 'first', 0, false],
  [93, 'StreamsGroupTopologyDescriptionUpdate', 'pool', true, 0, 0, 'first', 0, false],
  [94, 'UnregisterController', 'pool', true, 0, 0, 'first', 0, false],
];

const FIRST_SHARE_VERSION = 1;

/** By api key; the index is the key. */
export const APIS: readonly Api[] = ROWS.map(
  ([key, name, kind, work, maxVersion, firstFlexible, throttle, throttleFrom, slow]) => ({
    key,
    name,
    kind,
    work,
    minVersion: kind === 'pinHard' ? FIRST_SHARE_VERSION : 0,
    maxVersion,
    firstFlexible: firstFlexible < 0 ? Number.POSITIVE_INFINITY : firstFlexible,
    throttle,
    throttleFrom,
    slow,
  }),
);

export const ApiKey = {
  produce: 0,
  fetch: 1,
  metadata: 3,
  findCoordinator: 10,
  joinGroup: 11,
  syncGroup: 14,
  saslHandshake: 17,
  apiVersions: 18,
  saslAuthenticate: 36,
  createDelegationToken: 38,
  renewDelegationToken: 39,
  expireDelegationToken: 40,
  describeDelegationToken: 41,
  describeCluster: 60,
  shareFetch: 78,
  shareAcknowledge: 79,
} as const;

/** Answers of these APIs may name a broker's host. DescribeQuorum names controllers only. */
const ADDRESS_BEARING: ReadonlySet<number> = new Set([
  ApiKey.produce,
  ApiKey.fetch,
  ApiKey.metadata,
  ApiKey.findCoordinator,
  ApiKey.describeCluster,
  ApiKey.shareFetch,
  ApiKey.shareAcknowledge,
]);

export function bearsAddresses(key: number): boolean {
  return ADDRESS_BEARING.has(key);
}

/** Whether the api may be offered to clients at all. @param sasl clients may authenticate, to the broker or to us */
export function isOffered(api: Api, sasl: boolean): boolean {
  return api.kind !== 'refuse' && api.kind !== 'hidden' && (sasl || api.kind !== 'sasl');
}
