import { offsetForLeaderEpoch } from '../messages/offset-for-leader-epoch.ts';
import { ErrorCode } from '../state/error-codes.ts';
import { service } from './service.ts';
import { epochError } from './topic-reference.ts';

export const offsetForLeaderEpochService = service(offsetForLeaderEpoch, (request, { state, node }) => ({
  topics: request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch }) => {
      const refuse = (errorCode: ErrorCode) => ({ errorCode, partition: index, leaderEpoch: -1, endOffset: -1 });
      const partition = state.topics.partition(topic, index);
      if (partition === undefined) return refuse(ErrorCode.unknownTopicOrPartition);
      if (partition.leader !== node) return refuse(ErrorCode.notLeaderOrFollower);
      const stale = epochError(currentLeaderEpoch, partition);
      if (stale !== ErrorCode.none) return refuse(stale);
      const { epoch, endOffset } = partition.log.endOfEpoch(leaderEpoch);
      return { errorCode: ErrorCode.none, partition: index, leaderEpoch: epoch, endOffset };
    }),
  })),
}));
