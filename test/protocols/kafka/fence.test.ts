import t from 'tap';
import { answer, apiVersionsBody, heartbeatBody } from './answers.ts';
import { ALL_RANGES, type Connection, KafkaBench, requestsIn } from './kafka-bench.ts';
import { anyRequest, produceRequest } from './requests.ts';

const heartbeat = (id: number): Buffer => answer(12, 0, id, heartbeatBody(0));
const unanswered = (id: number): Buffer => produceRequest(9, id, { acks: 0 });

/** Writes a probe of ours; answers what the broker says to it. */
function ping(connection: Connection): Buffer {
  const [sent] = requestsIn(connection.session.ping());
  return answer(18, sent?.version ?? 0, sent?.id ?? 0, apiVersionsBody(sent?.version ?? 0, ALL_RANGES));
}

t.test('a Produce with acks=0 owes nothing and leaves the connection unfenced', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  t.notOk(connection.session.unfenced);
  connection.ask(bench.client(), unanswered(1));
  t.ok(connection.session.unfenced);
  t.equal(connection.session.owed, 0);
});

t.test('the answer to a probe behind it is the fence, and reaches nobody', async (t) => {
  for (const cut of [1, 5, 20]) {
    const bench = new KafkaBench();
    const connection = bench.connect();
    connection.ask(bench.client(), unanswered(1));
    const bytes = ping(connection);
    t.equal(connection.session.owed, 1);
    connection.read(bytes.subarray(0, cut));
    t.ok(connection.session.unfenced, 'not before it is complete');
    connection.read(bytes.subarray(cut));
    t.notOk(connection.session.unfenced);
    t.same(connection.sink.facts, ['ponged']);
    t.equal(connection.sink.all().length, 0);
    t.equal(connection.session.owed, 0);
  }
});

t.test('any answer to a request behind it is a fence as well', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  const client = bench.client();
  connection.ask(client, unanswered(1));
  connection.ask(client, anyRequest(12, 0, 2));
  t.ok(connection.session.unfenced);
  connection.read(heartbeat(2).subarray(0, 9));
  t.ok(connection.session.unfenced);
  connection.read(heartbeat(2).subarray(9));
  t.notOk(connection.session.unfenced);
});

t.test('answers to what was written before it prove nothing', async (t) => {
  for (const before of [1, 2, 5]) {
    const bench = new KafkaBench();
    const connection = bench.connect();
    const client = bench.client();
    for (let id = 0; id < before; id += 1) connection.ask(client, anyRequest(12, 0, id));
    connection.ask(client, unanswered(100));
    connection.ask(client, anyRequest(12, 0, 101));
    for (let id = 0; id < before; id += 1) {
      connection.read(heartbeat(id));
      t.ok(connection.session.unfenced, `after ${id + 1} of ${before}`);
    }
    connection.read(heartbeat(101));
    t.notOk(connection.session.unfenced);
  }
});

t.test('a probe that was written before it proves nothing either', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  const early = ping(connection);
  connection.ask(bench.client(), unanswered(1));
  connection.read(early);
  t.ok(connection.session.unfenced);
  connection.read(ping(connection));
  t.notOk(connection.session.unfenced);
});

t.test('the last of several acks=0 counts', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  const client = bench.client();
  connection.ask(client, unanswered(1));
  connection.ask(client, anyRequest(12, 0, 2));
  connection.ask(client, unanswered(3));
  connection.read(heartbeat(2));
  t.ok(connection.session.unfenced);
  connection.read(ping(connection));
  t.notOk(connection.session.unfenced);
});

t.test('probes never count as work, and their ids are never those of a client', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  const ids = new Set<number>();
  for (let count = 0; count < 50; count += 1) {
    const [{ id, version } = { id: 0, version: 0 }] = requestsIn(connection.session.ping());
    ids.add(id);
    connection.read(answer(18, version, id, apiVersionsBody(version, ALL_RANGES)));
  }
  t.equal(ids.size, 50);
  for (const id of ids) t.ok(id < 0);
  t.same([...new Set(connection.sink.facts)], ['ponged']);
  const wrong = bench.connect();
  const [sent] = requestsIn(wrong.session.ping());
  wrong.read(answer(18, 0, (sent?.id ?? 0) + 1, apiVersionsBody(0, ALL_RANGES)));
  t.equal(wrong.sink.failure?.reason, 'wrong_correlation_id');
});

t.test(
  'a probe asks in the oldest version that tells of a throttle, or in the one that every broker knows',
  async (t) => {
    const knowing = (change: { readonly min?: number; readonly max?: number }) =>
      ALL_RANGES.map((range) => (range.key === 18 ? { ...range, ...change } : range));
    for (const [traits, asked] of [
      [{}, 2],
      [{ ranges: knowing({ max: 2 }) }, 2],
      [{ ranges: knowing({ min: 2 }) }, 2],
      [{ ranges: knowing({ max: 1 }), apiVersions: 1 }, 0],
      [{ ranges: knowing({ min: 3 }) }, 0],
      [{ ranges: ALL_RANGES.filter(({ key }) => key !== 18) }, 0],
    ] as const) {
      const connection = new KafkaBench().connect(traits);
      t.equal(requestsIn(connection.session.ping())[0]?.version, asked);
    }
  },
);

t.test('a broker that throttles a probe mutes its connection', async (t) => {
  for (const cuts of [[], [12]]) {
    const connection = new KafkaBench().connect();
    const [{ id, version } = { id: 0, version: 0 }] = requestsIn(connection.session.ping());
    connection.read(answer(18, version, id, apiVersionsBody(version, ALL_RANGES, [], 0, 250)), cuts);
    t.same(connection.sink.facts, ['ponged', 'muted 250']);
  }
});

t.test('a probe is owed and holds nothing, and its answer settles nobody a second time', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  connection.ask(bench.client(), anyRequest(12, 0, 1));
  connection.read(heartbeat(1));
  connection.sink.reset();
  const answered = ping(connection);
  t.equal(connection.session.owed, 1);
  t.notOk(connection.session.holding);
  t.equal(connection.session.patienceMilliseconds, 0);
  connection.read(answered);
  t.same(connection.sink.facts, ['ponged']);
});
