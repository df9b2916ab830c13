import { produce } from '../messages/produce.ts';
import { ErrorCode } from '../state/error-codes.ts';
import type { BatchHead } from '../state/record-batch.ts';
import type { Partition } from '../state/topic.ts';
import type { Read } from '../wire/struct.ts';
import { type Call, HANG_UP, NO_ANSWER, service } from './service.ts';
import { leaderHints, topicOf } from './topic-reference.ts';

type ProduceRequest = Read<typeof produce.request>;

const ALLOWED_ACKS = [-1, 0, 1];
const FIRST_WITH_IMPLICIT_PARTITIONS = 12;

interface PartitionResult {
  readonly index: number;
  readonly errorCode: ErrorCode;
  readonly baseOffset: number;
  readonly currentLeader?: { readonly leaderId: number; readonly leaderEpoch: number };
}

export const produceService = service(produce, (request, call) => {
  const hints = leaderHints(call.state);
  const topics = request.topics.map(({ name, topicId, partitions }) => {
    const { topic, missing } = topicOf(call, name, topicId, 13);
    return {
      name,
      topicId,
      partitions: partitions.map(({ index, records }): PartitionResult => {
        const partition = topic?.partitions[index];
        if (partition === undefined) return { index, errorCode: missing, baseOffset: -1 };
        const result = append(request, call, partition, records);
        if (result.errorCode !== ErrorCode.notLeaderOrFollower) return { index, ...result };
        return { index, ...result, currentLeader: hints.leaderOf(partition) };
      }),
    };
  });
  if (request.acks !== 0) return { topics, nodeEndpoints: hints.endpoints() };
  const sound = topics.every(({ partitions }) => partitions.every(({ errorCode }) => errorCode === ErrorCode.none));
  return sound ? NO_ANSWER : HANG_UP;
});

function append(
  { acks, transactionalId }: ProduceRequest,
  call: Call,
  partition: Partition,
  records: Buffer | null,
): { readonly errorCode: ErrorCode; readonly baseOffset: number } {
  const refuse = (errorCode: ErrorCode) => ({ errorCode, baseOffset: -1 });
  if (!ALLOWED_ACKS.includes(acks)) return refuse(ErrorCode.invalidRequiredAcks);
  if (partition.leader !== call.node) return refuse(ErrorCode.notLeaderOrFollower);
  if (records === null) return refuse(ErrorCode.invalidRecord);
  const result = partition.log.append(records, partition.leaderEpoch, (head) =>
    head.isTransactional ? mayAppend(transactionalId, head, call, partition) : ErrorCode.none,
  );
  if ('error' in result) return refuse(result.error);
  partition.changed();
  return { errorCode: ErrorCode.none, baseOffset: result.baseOffset };
}

/** Since version 12 a transaction takes in the partitions that it writes to (KIP-890). */
function mayAppend(id: string | null, head: BatchHead, call: Call, partition: Partition): ErrorCode {
  if (id === null) return ErrorCode.invalidRecord;
  const { transactions } = call.state;
  const { topic, index } = partition;
  if (call.version < FIRST_WITH_IMPLICIT_PARTITIONS) return transactions.covers(id, head, topic, index);
  return transactions.addPartitions(id, head, [{ topic, partition: index }]);
}
