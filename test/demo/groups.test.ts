/** How embedded coordinators treat the members of a group: who is kept waiting, who is refused, who is forgotten. */
import t, { type Test } from 'tap';
import { findCoordinator } from '../../src/demo/kafka/messages/find-coordinator.ts';
import { heartbeat, joinGroup, leaveGroup, syncGroup } from '../../src/demo/kafka/messages/group-membership.ts';
import { offsetCommit } from '../../src/demo/kafka/messages/offset-commit.ts';
import { offsetFetch } from '../../src/demo/kafka/messages/offset-fetch.ts';
import { ErrorCode } from '../../src/demo/kafka/state/error-codes.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

const GROUP = 'group';

function joinRequest(memberId: string, sessionTimeoutMs = 10_000) {
  const protocols = [{ name: 'range', metadata: Buffer.from(memberId) }];
  return {
    ...{ groupId: GROUP, sessionTimeoutMs, rebalanceTimeoutMs: 5000 },
    ...{ memberId, protocolType: 'consumer', protocols },
  };
}

async function start(t: Test, groupInitialDelayMilliseconds = 30) {
  const cluster = await startCluster(t, { brokers: 1, groupInitialDelayMilliseconds });
  cluster.createTopic('orders', { partitions: 1 });
  const connect = () => RawClient.connect(t, cluster.broker(1).port);
  /** Joins as a client does: the first time without an id. */
  const join = async (client: RawClient, sessionTimeoutMs?: number) => {
    const { errorCode, memberId } = await client.ask(joinGroup, 5, joinRequest('', sessionTimeoutMs));
    t.equal(errorCode, ErrorCode.memberIdRequired);
    return { memberId, joined: client.ask(joinGroup, 5, joinRequest(memberId, sessionTimeoutMs)) };
  };
  return { cluster, connect, join };
}

t.test('JoinGroup is answered when all have joined, SyncGroup when the leader has decided', async (t) => {
  const { connect, join } = await start(t);
  const [one, two] = [await connect(), await connect()];
  const first = await join(one);
  const second = await join(two);
  const joined = [await first.joined, await second.joined];
  t.match(joined, [{ errorCode: 0, generationId: 1, protocolName: 'range' }, { generationId: 1 }]);
  const leader = joined[0]?.leader;
  t.equal(leader, joined[1]?.leader);
  t.strictSame(joined.map(({ members }) => members.length).sort(), [0, 2], 'only the leader sees who is there');
  const [lead, follow] = leader === first.memberId ? [one, two] : [two, one];
  const follower = leader === first.memberId ? second.memberId : first.memberId;
  const waiting = follow.ask(syncGroup, 3, { groupId: GROUP, generationId: 1, memberId: follower, assignments: [] });
  const assignments = [
    { memberId: leader ?? '', assignment: Buffer.from('L') },
    { memberId: follower, assignment: Buffer.from('F') },
  ];
  const decided = await lead.ask(syncGroup, 3, {
    ...{ groupId: GROUP, generationId: 1, memberId: leader ?? '', assignments },
  });
  t.equal(decided.assignment.toString(), 'L');
  t.equal((await waiting).assignment.toString(), 'F');
});

t.test('a leaving member makes the others join again, and one that is silent is dropped', async (t) => {
  const { cluster, connect, join } = await start(t);
  const [one, two] = [await connect(), await connect()];
  const stays = await join(one);
  const goes = await join(two);
  await Promise.all([stays.joined, goes.joined]);
  const beat = async () => {
    const { errorCode } = await one.ask(heartbeat, 3, { groupId: GROUP, generationId: 1, memberId: stays.memberId });
    return errorCode;
  };
  t.equal(await beat(), 0);
  const left = await two.ask(leaveGroup, 3, { groupId: GROUP, members: [{ memberId: goes.memberId }] });
  t.match(left, { errorCode: 0, members: [{ memberId: goes.memberId, errorCode: 0 }] });
  t.equal(await beat(), ErrorCode.rebalanceInProgress);
  const again = await one.ask(joinGroup, 5, joinRequest(stays.memberId, 60));
  t.match(again, { errorCode: 0, generationId: 2, leader: stays.memberId });
  await until('its session is over', () => cluster.groups[0]?.members.length === 0);
  t.equal(await beat(), ErrorCode.unknownMemberId);
});

t.test('who is not known, of an old generation, or at the wrong broker is refused', async (t) => {
  const { cluster, connect, join } = await start(t);
  const client = await connect();
  const { memberId, joined } = await join(client);
  await joined;
  const beat = (generationId: number, id: string) =>
    client.ask(heartbeat, 3, { groupId: GROUP, generationId, memberId: id });
  t.match(await beat(1, 'stranger'), { errorCode: ErrorCode.unknownMemberId });
  t.match(await beat(7, memberId), { errorCode: ErrorCode.illegalGeneration });
  t.match(await client.ask(joinGroup, 5, joinRequest('stranger')), { errorCode: ErrorCode.unknownMemberId });
  await cluster.addBroker();
  cluster.moveCoordinator(GROUP, 2);
  t.match(await beat(1, memberId), { errorCode: ErrorCode.notCoordinator });
  t.match(await client.ask(findCoordinator, 4, { keyType: 0, keys: [GROUP] }), {
    coordinators: [{ key: GROUP, nodeId: 2, port: cluster.broker(2).port }],
  });
});

t.test('offsets that were committed are found again, in every version', async (t) => {
  const { connect } = await start(t);
  const client = await connect();
  const partitions = [{ partition: 0, offset: 42, metadata: 'here' }];
  for (let version = offsetCommit.min; version <= 9; version += 1) {
    const request = {
      groupId: GROUP,
      generationId: -1,
      memberId: '',
      topics: [{ name: 'orders', topicId: '', partitions }],
    };
    const answer = await client.ask(offsetCommit, version, request);
    t.match(answer.topics[0], { name: 'orders', partitions: [{ partition: 0, errorCode: 0 }] }, `commit ${version}`);
  }
  const topics = [{ name: 'orders', topicId: '', partitions: [0] }];
  const found = { partition: 0, offset: 42, metadata: 'here', errorCode: 0 };
  for (let version = offsetFetch.min; version <= 7; version += 1) {
    const answer = await client.ask(offsetFetch, version, { groupId: GROUP, topics });
    t.match(answer.topics?.[0]?.partitions, [found], `fetch ${version}`);
  }
  for (const version of [8, 9]) {
    const answer = await client.ask(offsetFetch, version, { groups: [{ groupId: GROUP, topics }] });
    t.match(answer.groups?.[0]?.topics[0]?.partitions, [found], `fetch ${version}`);
  }
});
