/** How long a broker may lawfully take, as each request says itself, in milliseconds. */
import t from 'tap';
import { API_ROWS } from './api-fixture.ts';
import { KafkaBench } from './kafka-bench.ts';
import { anyRequest, fetchRequest, joinGroupRequest, produceRequest, request } from './requests.ts';

const GENEROUS = 300_000;
const LONGEST = 3_600_000;
/** Besides Produce, Fetch and JoinGroup, which say it at a known place. */
const SLOW = new Set(
  [2, 14, 19, 20, 21, 30, 31, 37, 43, 45, 57, 78, 80, 81], // their time-out stands somewhere in the body, or a leader decides
);

function patienceOf(bytes: Buffer, end = bytes.length): number {
  const bench = new KafkaBench();
  const connection = bench.connect();
  const client = bench.client();
  client.inspect(bytes, 0, end, true, false);
  connection.session.lend('a');
  connection.session.admit(client, 'a');
  return connection.session.patienceMilliseconds;
}

const upTo = (newest: number, oldest = 0): number[] =>
  Array.from({ length: newest - oldest + 1 }, (_, at) => oldest + at);

t.test('a Produce allows its time-out', async (t) => {
  for (const version of upTo(13)) {
    const bytes = produceRequest(version, 1, { acks: -1, timeout: 12_345, transactionalId: 'transaction' });
    t.equal(patienceOf(bytes), 12_345, `v${version}`);
  }
});

t.test('a Fetch allows its longest wait', async (t) => {
  for (const version of upTo(18)) {
    t.equal(patienceOf(fetchRequest(version, 1, 500)), 500, `v${version}`);
    t.equal(patienceOf(fetchRequest(version, 1, 30_000, '')), 30_000, `v${version}`);
  }
});

t.test('a JoinGroup allows its rebalance time-out, and in version 0 its session time-out', async (t) => {
  for (const version of upTo(9)) {
    const wanted = version === 0 ? 10_000 : 60_000;
    t.equal(patienceOf(joinGroupRequest(version, 1, 10_000, 60_000)), wanted, `v${version}`);
  }
});

t.test('what a request says is believed between nothing and an hour', async (t) => {
  t.equal(patienceOf(fetchRequest(12, 1, 0)), 0);
  t.equal(patienceOf(fetchRequest(12, 1, -1)), 0);
  t.equal(patienceOf(fetchRequest(12, 1, LONGEST)), LONGEST);
  t.equal(patienceOf(joinGroupRequest(9, 1, 10_000, 2 ** 31 - 1)), LONGEST);
});

t.test('a request that says it where we cannot read it, or has not arrived so far, is allowed much', async (t) => {
  for (const { key, kind, newest } of API_ROWS) {
    if (key === 0 || key === 1 || key === 11) continue;
    if (!['pool', 'hold', 'pin hard', 'metadata'].includes(kind)) continue;
    t.equal(patienceOf(anyRequest(key, newest, 1)), SLOW.has(key) ? GENEROUS : 0, `${key}`);
  }
  t.equal(patienceOf(request(500, 0, 1)), GENEROUS);
  for (const end of [12, 20, 26]) {
    t.equal(patienceOf(fetchRequest(12, 1, 500), end), GENEROUS, `${end} bytes of a Fetch`);
    t.equal(patienceOf(joinGroupRequest(9, 1, 1, 2), end), GENEROUS, `${end} bytes of a JoinGroup`);
  }
});

t.test('of many requests the most patient counts, until it was answered', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  const client = bench.client();
  for (const [id, wait] of [500, 9000, 700].entries()) connection.ask(client, fetchRequest(4, id, wait));
  t.equal(connection.session.patienceMilliseconds, 9000);
});
