/** H7: consumer groups whose members share very few connections. */
import t, { type Test } from 'tap';
import type { EmbeddedCluster } from '../../src/demo/kafka/embedded-cluster.ts';
import { heartbeat, joinGroup, leaveGroup, syncGroup } from '../../src/demo/kafka/messages/group-membership.ts';
import { produce } from '../../src/demo/kafka/messages/produce.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import { HandClock } from '../support/hand-clock.ts';
import type { RawClient } from '../support/raw-client.ts';
import { createTopic, produceTo } from './requests.ts';
import { connect, startSidecar } from './sidecar.ts';

const GROUP = 'g';
const NOBODY = '';
const MEMBERS = 20;

async function start(t: Test) {
  const cluster = await startCluster(t, { brokers: 1, groupInitialDelayMilliseconds: 100 });
  createTopic(cluster);
  // No time passes by itself: who waits for a turn waits for ever.
  const clock = new HandClock();
  const sidecar = await startSidecar(t, cluster, { clock, pool: { maxConnectionsPerBroker: 1 } });
  return { cluster, clock, sidecar };
}

/** Who offers something new makes all others join again. */
function join(client: RawClient, memberId: string, offer: string) {
  return client.ask(joinGroup, 3, {
    ...{ groupId: GROUP, sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 30_000, memberId, protocolType: 'consumer' },
    protocols: [{ name: 'range', metadata: Buffer.from(offer) }],
  });
}

/** Joins again until all are there: who comes late makes the others begin anew, as their heartbeats would tell them. */
async function joinWithAll(cluster: EmbeddedCluster, client: RawClient, memberId: string, offer: string) {
  let answer = await join(client, memberId, offer);
  const isOfAll = (): boolean => {
    const [group] = cluster.groups;
    // An answer that is read late may be of a generation that others have ended since.
    const isCurrent = group?.state !== 'joining' && group?.generation === answer.generationId;
    return isCurrent && group?.members.length === MEMBERS;
  };
  while (answer.errorCode === 0 && !isOfAll()) answer = await join(client, answer.memberId, offer);
  if (answer.errorCode !== 0) throw new Error(`JoinGroup: ${answer.errorCode}`);
  return answer;
}

t.test('twenty members rebalance over a pool of one connection, and the leader always gets through', async (t) => {
  const { cluster, clock, sidecar } = await start(t);
  const clients = await Promise.all(Array.from({ length: MEMBERS }, () => connect(t, sidecar, 1)));
  const bystander = await connect(t, sidecar, 1);
  // Everybody has just used the pool, and somebody else goes on doing so.
  await Promise.all(clients.map((client) => client.ask(produce, 9, produceTo(1, ['warm']))));
  let members = clients.map(() => NOBODY);
  for (let round = 0; round < 3; round += 1) {
    await sidecar.asleep(cluster);
    const joined = await Promise.all(
      clients.map((client, index) => joinWithAll(cluster, client, members[index] ?? NOBODY, `${round}`)),
    );
    t.equal(new Set(joined.map(({ generationId }) => generationId)).size, 1, `round ${round}: all have joined`);
    members = joined.map(({ memberId }) => memberId);
    const leader = joined.findIndex(({ memberId, leader: chosen }) => memberId === chosen);
    const generationId = joined[0]?.generationId ?? -1;
    const sync = (index: number) =>
      clients[index]?.ask(syncGroup, 2, {
        ...{ groupId: GROUP, generationId, memberId: members[index] ?? NOBODY },
        assignments:
          index === leader ? members.map((memberId) => ({ memberId, assignment: Buffer.from(memberId) })) : [],
      });
    // The followers first: they have taken whatever there was to take when the leader comes.
    const followers = clients.map((_, index) => index).filter((index) => index !== leader);
    await sidecar.asleep(cluster);
    const waiting = followers.map(sync);
    bystander.send(produce, 9, produceTo(1, ['meanwhile']));
    await clock.passUntil('the bystander is served', () => bystander.frames.length > round, 1);
    const answers = await Promise.all([...waiting, sync(leader)]);
    t.ok(
      answers.every((answer) => answer?.errorCode === 0),
      'all have their assignment',
    );
    const beats = await Promise.all(
      clients.map((client, index) =>
        client.ask(heartbeat, 2, { groupId: GROUP, generationId, memberId: members[index] ?? NOBODY }),
      ),
    );
    t.ok(beats.every(({ errorCode }) => errorCode === 0));
  }
  await Promise.all(
    clients.map((client, index) => client.ask(leaveGroup, 1, { groupId: GROUP, memberId: members[index] ?? NOBODY })),
  );
  t.strictSame(sidecar.closes, []);
  t.equal(cluster.groups[0]?.members.length, 0);
});
