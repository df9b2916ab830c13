/** H28, H29, H30: transactions and fetch sessions outlive a connection, share sessions do not. */
import t, { type Test } from 'tap';
import { fetch } from '../../src/demo/kafka/messages/fetch.ts';
import { initProducerId } from '../../src/demo/kafka/messages/init-producer-id.ts';
import { produce } from '../../src/demo/kafka/messages/produce.ts';
import { addPartitionsToTxn, endTxn } from '../../src/demo/kafka/messages/transactions.ts';
import { api } from '../../src/demo/kafka/wire/api.ts';
import { struct } from '../../src/demo/kafka/wire/struct.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import { HandClock } from '../support/hand-clock.ts';
import type { RawClient } from '../support/raw-client.ts';
import { createTopic, fetchFrom, produceTo, TOPIC, valuesOf } from './requests.ts';
import { connect, type SidecarOptions, startSidecar } from './sidecar.ts';

const SESSION_NOT_FOUND = 70;

async function start(t: Test, options: SidecarOptions = {}) {
  const cluster = await startCluster(t, { brokers: 1 });
  createTopic(cluster);
  const clock = new HandClock();
  const sidecar = await startSidecar(t, cluster, { clock, ...options });
  return { cluster, clock, sidecar };
}

class Transaction {
  readonly #client: RawClient;
  readonly #id: string;
  #producer = { producerId: -1, producerEpoch: -1 };
  #sequence = 0;

  constructor(client: RawClient, id: string) {
    this.#client = client;
    this.#id = id;
  }

  async begin(): Promise<void> {
    const request = { transactionalId: this.#id, transactionTimeoutMs: 60_000, ...this.#producer };
    const { errorCode, producerId, producerEpoch } = await this.#client.ask(initProducerId, 4, request);
    if (errorCode !== 0) throw new Error(`InitProducerId: ${errorCode}`);
    this.#producer = { producerId, producerEpoch };
    const topics = [{ name: TOPIC, partitions: [0] }];
    const added = await this.#client.ask(addPartitionsToTxn, 3, {
      transactionalId: this.#id,
      ...this.#producer,
      topics,
    });
    if (added.topics[0]?.partitions[0]?.errorCode !== 0) throw new Error('AddPartitionsToTxn');
  }

  async send(value: string): Promise<void> {
    const request = produceTo(1, [value], -1, { ...this.#producer, baseSequence: this.#sequence, transactional: true });
    this.#sequence += 1;
    const answer = await this.#client.ask(produce, 9, { ...request, transactionalId: this.#id });
    const errorCode = answer.topics[0]?.partitions[0]?.errorCode;
    if (errorCode !== 0) throw new Error(`Produce: ${errorCode}`);
  }

  async end(committed: boolean): Promise<void> {
    const { errorCode } = await this.#client.ask(endTxn, 3, {
      transactionalId: this.#id,
      ...this.#producer,
      committed,
    });
    if (errorCode !== 0) throw new Error(`EndTxn: ${errorCode}`);
  }
}

t.test('a transaction is the same over however many connections it goes', async (t) => {
  // H28
  const { cluster, sidecar } = await start(t);
  const transaction = new Transaction(await connect(t, sidecar, 1), 'sleepy');
  const { accepted } = cluster.tally;
  await transaction.begin();
  for (const value of ['a', 'b', 'c']) {
    await sidecar.asleep(cluster);
    await transaction.send(value);
  }
  await sidecar.asleep(cluster);
  const reader = await connect(t, sidecar, 1);
  const committedBytes = async (): Promise<number> => {
    const { topics } = await reader.ask(fetch, 12, { ...fetchFrom(1, 0), isolationLevel: 1 });
    return topics[0]?.partitions[0]?.records?.length ?? 0;
  };
  t.equal(await committedBytes(), 0, 'nothing is visible yet');
  await transaction.end(true);
  t.ok((await committedBytes()) > 0);
  t.strictSame(valuesOf(cluster), ['a', 'b', 'c']);
  t.ok(cluster.tally.accepted - accepted >= 4, 'it went over several');
  t.strictSame(sidecar.closes, []);
});

t.test('transactions of several clients over one connection do not mix', async (t) => {
  // H28
  const { cluster, sidecar } = await start(t, { pool: { maxConnectionsPerBroker: 1 } });
  const names = ['one', 'two', 'three', 'four'];
  const all = await Promise.all(names.map(async (name) => new Transaction(await connect(t, sidecar, 1), name)));
  await Promise.all(all.map((transaction) => transaction.begin()));
  for (let round = 0; round < 5; round += 1)
    await Promise.all(all.map((transaction, index) => transaction.send(`${names[index]} ${round}`)));
  await Promise.all(all.map((transaction, index) => transaction.end(index % 2 === 0)));
  const reader = await connect(t, sidecar, 1);
  const { topics } = await reader.ask(fetch, 12, { ...fetchFrom(1, 0), isolationLevel: 1 });
  const aborted = topics[0]?.partitions[0]?.abortedTransactions ?? [];
  t.equal(aborted.length, 2);
  t.equal(topics[0]?.partitions[0]?.lastStableOffset, topics[0]?.partitions[0]?.highWatermark);
  t.equal(valuesOf(cluster).filter((value) => value !== null).length, 20);
  t.ok(cluster.broker(1).tally.peak <= 2, `${cluster.broker(1).tally.peak} connections`);
});

t.test('a consumer that pauses for long sleeps, and goes on with the session that it had', async (t) => {
  // H29
  const { cluster, clock, sidecar } = await start(t);
  const consumer = await connect(t, sidecar, 1);
  await consumer.ask(produce, 9, produceTo(1, ['before']));
  const sessions: unknown[] = [];
  cluster.onRequest = (_, { api: name, body }) => {
    if (name !== 'Fetch') return undefined;
    sessions.push([body.sessionId, body.sessionEpoch]);
    // The broker knows session 7; in the end it has forgotten it.
    if (sessions.length === 4) return 'answer';
    return { change: (answer) => ({ ...answer, errorCode: 0, sessionId: 7 }) };
  };
  const ask = async (sessionId: number, sessionEpoch: number) =>
    consumer.ask(fetch, 12, { ...fetchFrom(1, 0), sessionId, sessionEpoch });
  t.equal((await ask(0, 0)).sessionId, 7);
  await ask(7, 1);
  await clock.pass(600);
  t.equal(cluster.tally.open, 0, 'it is asleep');
  t.equal((await ask(7, 2)).errorCode, 0);
  await clock.pass(600);
  t.equal((await ask(7, 3)).errorCode, SESSION_NOT_FOUND, 'it is told what the broker says');
  const whole = await ask(0, 0);
  t.ok((whole.topics[0]?.partitions[0]?.records?.length ?? 0) > 0);
  t.strictSame(sessions, [
    [0, 0],
    [7, 1],
    [7, 2],
    [7, 3],
    [0, 0],
  ]);
  t.equal(consumer.ending, 'open');
});

const shareFetch = api({
  key: 78,
  name: 'ShareFetch',
  min: 1,
  max: 2,
  flexibleFrom: 0,
  request: struct({}),
  response: struct({}),
});
/** No error, no message, lock time-out, no responses, no endpoints; between tags. */
const NOTHING_SHARED = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0]);

async function startSharing(t: Test) {
  const parts = await start(t);
  parts.cluster.broker(1).offer(78, { min: 1, max: 2 });
  parts.cluster.onRequest = (_, { key }) => (key === shareFetch.key ? { answerBytes: NOTHING_SHARED } : undefined);
  await parts.sidecar.asleep(parts.cluster);
  const member = await connect(t, parts.sidecar, 1);
  member.send(shareFetch, 1, {});
  await member.frame();
  return { ...parts, member };
}

t.test('the connection of a share session is nobody else’s, and no reaper takes it', async (t) => {
  // H30
  const { cluster, clock, sidecar, member } = await startSharing(t);
  const other = await connect(t, sidecar, 1);
  other.send(produce, 9, produceTo(1, ['elsewhere']));
  await clock.passUntil('it is served', () => other.frames.length > 0);
  const of = (name: string): Set<number> =>
    new Set(
      cluster.requests.flatMap(({ api: asked, key, connection }) =>
        asked === name || `${key}` === name ? [connection] : [],
      ),
    );
  t.notOk([...of('Produce')].some((connection) => of('78').has(connection)));
  const report = await sidecar.control.reap({ olderThanSeconds: 0, dryRun: false });
  t.strictSame(
    report.skipped.map(({ reason }) => reason),
    ['pinned'],
  );
  await clock.pass(900);
  t.equal(cluster.tally.open, 1);
  member.send(shareFetch, 1, {});
  await member.frame();
  t.equal(of('78').size, 1, 'the session is where it was');
  t.equal(sidecar.control.clients().find(({ pins }) => pins.length > 0)?.pins[0], 'share_session');
});

t.test('when the connection of a share session goes, so does its client, and the other way round', async (t) => {
  // H30
  for (const cut of ['operator', 'broker', 'client'] as const) {
    const { cluster, sidecar, member } = await startSharing(t);
    const [connection] = cluster.broker(1).connections;
    const [upstream] = sidecar.control.upstreams();
    if (cut === 'operator') sidecar.control.condemnUpstream(upstream?.id ?? '', true);
    else if (cut === 'broker') connection?.end();
    else member.socket.end();
    await member.ended();
    await sidecar.asleep(cluster);
    t.strictSame(sidecar.closes, [cut === 'client' ? 'client_closed' : 'upstream_lost'], cut);
    t.notOk(connection?.isOpen);
    t.ok(
      sidecar.releases.includes(cut === 'client' ? 'client_closed' : cut === 'broker' ? 'broker_closed' : 'operator'),
    );
  }
});
