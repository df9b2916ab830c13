import { initProducerId } from '../messages/init-producer-id.ts';
import { addOffsetsToTxn, addPartitionsToTxn, endTxn, txnOffsetCommit } from '../messages/transactions.ts';
import { ErrorCode } from '../state/error-codes.ts';
import type { ProducerIdentity } from '../state/transactions.ts';
import { groupError } from './group-membership.ts';
import { type Call, service } from './service.ts';

const FIRST_WITH_LIST = 4;
const FIRST_WITH_NEW_EPOCH = 5;
const FIRST_WITH_IMPLICIT_GROUP = 5;

function transactionError({ state, node }: Call, id: string): ErrorCode {
  return state.coordinator('transaction', id) === node ? ErrorCode.none : ErrorCode.notCoordinator;
}

export const initProducerIdService = service(initProducerId, (request, call) => {
  const { transactions } = call.state;
  if (request.transactionalId === null) return { errorCode: ErrorCode.none, ...transactions.newProducer() };
  const errorCode = transactionError(call, request.transactionalId);
  if (errorCode !== ErrorCode.none) return { errorCode, producerId: -1, producerEpoch: -1 };
  return transactions.init(request.transactionalId, request.transactionTimeoutMs, request);
});

interface Asked extends ProducerIdentity {
  readonly transactionalId: string;
  readonly topics: readonly { readonly name: string; readonly partitions: readonly number[] }[];
}

export const addPartitionsToTxnService = service(addPartitionsToTxn, (request, call) => {
  if (call.version < FIRST_WITH_LIST) return { topics: addPartitions(request, call) };
  const transactions = request.transactions.map((each) => ({
    transactionalId: each.transactionalId,
    topics: addPartitions(each, call),
  }));
  return { errorCode: ErrorCode.none, transactions };
});

function addPartitions({ transactionalId, topics, ...producer }: Asked, call: Call) {
  const isThere = (name: string, index: number): boolean => call.state.topics.partition(name, index) !== undefined;
  const wanted = topics.flatMap(({ name, partitions }) => partitions.map((partition) => ({ topic: name, partition })));
  const areThere = wanted.every(({ topic, partition }) => isThere(topic, partition));
  const placeError = transactionError(call, transactionalId);
  const canAdd = placeError === ErrorCode.none && areThere;
  const errorCode = canAdd ? call.state.transactions.addPartitions(transactionalId, producer, wanted) : placeError;
  return topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((partition) => ({
      partition,
      errorCode: isThere(name, partition) ? errorCode : ErrorCode.unknownTopicOrPartition,
    })),
  }));
}

export const addOffsetsToTxnService = service(addOffsetsToTxn, ({ transactionalId, groupId, ...producer }, call) => {
  const placeError = transactionError(call, transactionalId);
  if (placeError !== ErrorCode.none) return { errorCode: placeError };
  return { errorCode: call.state.transactions.addGroup(transactionalId, producer, groupId) };
});

export const endTxnService = service(endTxn, ({ transactionalId, committed, ...producer }, call) => {
  const placeError = transactionError(call, transactionalId);
  if (placeError !== ErrorCode.none) return { errorCode: placeError };
  const bumps = call.version >= FIRST_WITH_NEW_EPOCH;
  return call.state.transactions.end(transactionalId, producer, committed, bumps);
});

/** Since version 5 a transaction takes in the group that it commits offsets of (KIP-890). */
export const txnOffsetCommitService = service(txnOffsetCommit, (request, call) => {
  const { transactionalId, groupId, generationId, memberId } = request;
  const { transactions } = call.state;
  const group = call.state.group(groupId);
  let errorCode: number = groupError(call, groupId);
  if (errorCode === ErrorCode.none) {
    errorCode =
      call.version >= FIRST_WITH_IMPLICIT_GROUP
        ? transactions.addGroup(transactionalId, request, groupId)
        : transactions.coversGroup(transactionalId, request, groupId);
  }
  const isMember = memberId !== '' || generationId >= 0;
  if (errorCode === ErrorCode.none && isMember) errorCode = group.mayCommit(memberId, generationId);
  return {
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partition, ...offset }) => {
        if (errorCode === ErrorCode.none) group.offsets.hold(request.producerId, { topic: name, partition, ...offset });
        return { partition, errorCode };
      }),
    })),
  };
});
