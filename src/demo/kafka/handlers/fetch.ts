import { fetch } from '../messages/fetch.ts';
import { ErrorCode } from '../state/error-codes.ts';
import type { Partition } from '../state/topic.ts';
import type { Read, Write } from '../wire/struct.ts';
import { type Call, service } from './service.ts';
import { epochError, leaderHints, topicOf } from './topic-reference.ts';

type FetchRequest = Read<typeof fetch.request>;
type FetchAnswer = Write<typeof fetch.response>;
type PartitionAnswer = FetchAnswer['topics'][number]['partitions'][number];

const READ_COMMITTED = 1;

/** Fetch sessions are never granted: every answer says session 0, so clients always name all their partitions. */
export const fetchService = service(fetch, async (request, call) => {
  if (request.sessionId !== 0 && request.sessionEpoch > 0)
    return { errorCode: ErrorCode.fetchSessionIdNotFound, topics: [] };
  const deadline = performance.now() + request.maxWaitMs;
  for (;;) {
    const { answer, isDue, watched } = look(request, call);
    const left = deadline - performance.now();
    if (isDue || left <= 0 || call.signal.aborted) return answer;
    await change(watched, left, call);
  }
});

/** Resolves when one of the partitions changes, the time is over or nobody waits any more. */
async function change(watched: readonly Partition[], milliseconds: number, call: Call): Promise<void> {
  const woken = new AbortController();
  const stops = watched.map((partition) => partition.watch(() => woken.abort()));
  await call.state.timers.sleep(milliseconds, AbortSignal.any([woken.signal, call.signal]));
  for (const stop of stops) stop();
}

/** The answer as of now; due as soon as it has enough bytes or an error. */
function look(request: FetchRequest, call: Call) {
  const hints = leaderHints(call.state);
  const watched: Partition[] = [];
  let size = 0;
  let failed = false;
  const topics = request.topics.map(({ topic: name, topicId, partitions }) => {
    const { topic, missing } = topicOf(call, name, topicId, 13);
    return {
      topic: name,
      topicId,
      partitions: partitions.map((asked): PartitionAnswer => {
        const partition = topic?.partitions[asked.partition];
        const errorCode =
          partition === undefined ? missing : mayRead(partition, asked.currentLeaderEpoch, asked.fetchOffset, call);
        if (partition !== undefined) watched.push(partition);
        if (partition === undefined || errorCode !== ErrorCode.none) {
          failed = true;
          const isMoved = partition !== undefined && errorCode === ErrorCode.notLeaderOrFollower;
          return refusal(asked.partition, errorCode, isMoved ? hints.leaderOf(partition) : undefined);
        }
        const room = Math.min(asked.partitionMaxBytes, request.maxBytes - size);
        const answer = read(partition, asked.fetchOffset, room, size === 0, request.isolationLevel);
        size += answer.records?.length ?? 0;
        return answer;
      }),
    };
  });
  return {
    answer: { topics, nodeEndpoints: hints.endpoints() },
    isDue: failed || size >= request.minBytes || watched.length === 0,
    watched,
  };
}

function mayRead(partition: Partition, knownEpoch: number, offset: number, { node }: Call): ErrorCode {
  if (partition.leader !== node) return ErrorCode.notLeaderOrFollower;
  const stale = epochError(knownEpoch, partition);
  if (stale !== ErrorCode.none) return stale;
  const { startOffset, endOffset } = partition.log;
  return offset < startOffset || offset > endOffset ? ErrorCode.offsetOutOfRange : ErrorCode.none;
}

function read(partition: Partition, from: number, room: number, isFirst: boolean, isolation: number): PartitionAnswer {
  const { log } = partition;
  const isCommitted = isolation === READ_COMMITTED;
  const { bytes, end } = log.read(from, isCommitted ? log.lastStableOffset : log.endOffset, room, isFirst);
  return {
    partition: partition.index,
    errorCode: ErrorCode.none,
    highWatermark: log.endOffset,
    lastStableOffset: log.lastStableOffset,
    logStartOffset: log.startOffset,
    abortedTransactions: isCommitted ? log.abortedWithin(from, end) : null,
    records: bytes,
  };
}

function refusal(
  partition: number,
  errorCode: ErrorCode,
  currentLeader: { readonly leaderId: number; readonly leaderEpoch: number } | undefined,
): PartitionAnswer {
  const unknown = { highWatermark: -1, lastStableOffset: -1, logStartOffset: -1 };
  return { partition, errorCode, ...unknown, currentLeader, abortedTransactions: null, records: Buffer.alloc(0) };
}
