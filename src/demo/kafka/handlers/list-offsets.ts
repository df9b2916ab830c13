import { listOffsets } from '../messages/list-offsets.ts';
import { ErrorCode } from '../state/error-codes.ts';
import type { PartitionLog } from '../state/partition-log.ts';
import { service } from './service.ts';
import { epochError } from './topic-reference.ts';

/** Timestamps that mean something else; lower ones ask about tiered storage, of which there is none. */
const LATEST = -1;
const EARLIEST = -2;
const NEWEST_MESSAGE = -3;
const EARLIEST_LOCAL = -4;
const UNKNOWN = { timestamp: -1, offset: -1 };

export const listOffsetsService = service(listOffsets, (request, { state, node }) => ({
  topics: request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partition: index, timestamp, currentLeaderEpoch }) => {
      const refuse = (errorCode: ErrorCode) => ({ partition: index, errorCode, ...UNKNOWN, leaderEpoch: -1 });
      const partition = state.topics.partition(name, index);
      if (partition === undefined) return refuse(ErrorCode.unknownTopicOrPartition);
      if (partition.leader !== node) return refuse(ErrorCode.notLeaderOrFollower);
      const stale = epochError(currentLeaderEpoch, partition);
      if (stale !== ErrorCode.none) return refuse(stale);
      const found = find(partition.log, timestamp, request.isolationLevel === 1);
      return { partition: index, errorCode: ErrorCode.none, ...found, leaderEpoch: partition.leaderEpoch };
    }),
  })),
}));

/** Of a time, the first batch that reaches it: a batch is not searched. */
function find(log: PartitionLog, timestamp: number, isCommitted: boolean): typeof UNKNOWN {
  if (timestamp === LATEST) return { timestamp: -1, offset: isCommitted ? log.lastStableOffset : log.endOffset };
  if (timestamp === EARLIEST || timestamp === EARLIEST_LOCAL) return { timestamp: -1, offset: log.startOffset };
  if (timestamp === NEWEST_MESSAGE) {
    const newest = Math.max(...log.batches.map(({ head }) => head.maxTimestamp));
    const batch = log.batchAt(newest);
    return batch === undefined ? UNKNOWN : { timestamp: newest, offset: batch.lastOffset };
  }
  const batch = timestamp < 0 ? undefined : log.batchAt(timestamp);
  return batch === undefined ? UNKNOWN : { timestamp: batch.head.maxTimestamp, offset: batch.baseOffset };
}
