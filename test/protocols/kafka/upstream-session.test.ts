import t from 'tap';
import type { ReleaseReason } from '../../../src/contract/reasons.ts';
import { answer, findCoordinatorBody, heartbeatBody, metadataBody, produceBody } from './answers.ts';
import { API_ROWS } from './api-fixture.ts';
import { BROKERS, KafkaBench, local } from './kafka-bench.ts';
import { anyRequest, metadataRequest, produceRequest, request } from './requests.ts';
import { form, frame, i16, i32, join, uvarint } from './wire.ts';

const heartbeat = (id: number): Buffer => answer(12, 0, id, heartbeatBody(0));

t.test('answers that pass untouched are delivered as they lay there, in one piece', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  const client = bench.client();
  const answers = Array.from({ length: 40 }, (_, id) => {
    connection.ask(client, anyRequest(12, 0, id));
    return heartbeat(id);
  });
  t.equal(connection.session.owed, 40);
  connection.read(join(...answers), [], 7);
  t.same(connection.sink.delivered(), join(...answers));
  t.equal(connection.sink.deliveries(), 1);
  t.equal(connection.session.owed, 0);
});

t.test('an answer of an unknown API, or in a version beyond ours, passes whatever is in it', async (t) => {
  for (const [key, version] of [
    [500, 3],
    [-7, 0],
    [32_767, 32_767],
    [12, 99],
    [2, 12],
  ] as const) {
    const bench = new KafkaBench();
    const connection = bench.connect();
    connection.ask(bench.client(), request(key, version, -5));
    const bytes = frame(i32(-5), Buffer.alloc(100, 0xff));
    connection.read(bytes, [1, 7, 12, 60]);
    t.same(connection.sink.delivered(), bytes, `${key} v${version}`);
    t.notOk(connection.sink.facts.some((fact) => fact.startsWith('muted')));
  }
});

t.test('a tenant gets its own answers, and the next tenant its own', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  const [first, second] = [bench.client(), bench.client()];
  connection.ask(first, anyRequest(12, 0, 1), 'first');
  connection.read(heartbeat(1));
  connection.ask(second, anyRequest(12, 0, 1), 'second');
  connection.read(heartbeat(1), [3]);
  t.same(connection.sink.delivered('first'), heartbeat(1));
  t.same(connection.sink.delivered('second'), heartbeat(1));
  t.same(connection.sink.facts, ['worked', 'settled first 10', 'worked', 'settled second 10']);
});

t.test('worked is told for valid data alone', async (t) => {
  for (const [key, body, works] of [
    [12, heartbeatBody(0), true],
    [3, metadataBody(0, BROKERS), false],
    [10, findCoordinatorBody(0, BROKERS), false],
  ] as const) {
    const bench = new KafkaBench();
    const connection = bench.connect();
    connection.ask(bench.client(), anyRequest(key, 0, 1));
    connection.read(answer(key, 0, 1, body));
    t.equal(connection.sink.facts.includes('worked'), works, `${key}`);
  }
});

t.test('nothing is settled while the tenant is owed an answer', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  const client = bench.client();
  for (const id of [1, 2]) connection.ask(client, anyRequest(12, 0, id));
  connection.read(heartbeat(1));
  t.same(connection.sink.facts, ['worked']);
  connection.read(heartbeat(2).subarray(0, 5));
  t.ok(connection.session.inAnswer);
  t.same(connection.sink.facts, ['worked']);
  connection.read(heartbeat(2).subarray(5));
  t.notOk(connection.session.inAnswer);
  t.same(connection.sink.facts, ['worked', 'worked', 'settled a 20']);
});

// --- what ends a connection -----------------------------------------------------------------------------------

interface Ending {
  readonly title: string;
  readonly reason: ReleaseReason;
  readonly bytes: Buffer;
  /** Of the requests before it, and its version. */
  readonly asked?: readonly [key: number, version: number];
  readonly passed?: number;
}

const ONE_BROKER = form(true).array([
  join(i32(1), form(true).string('broker'), i32(9092), form(true).string(null), form(true).tags()),
]);
/** A size that is three too large, and the brokers. */
const OVERLONG = join(uvarint(ONE_BROKER.length + 3), ONE_BROKER);

const ENDINGS: readonly Ending[] = [
  { title: 'another correlation id', reason: 'wrong_correlation_id', bytes: heartbeat(2) },
  { title: 'a length of -1', reason: 'protocol_error', bytes: join(i32(-1), i32(1), Buffer.alloc(8)) },
  { title: 'a length below a correlation id', reason: 'protocol_error', bytes: join(i32(3), i32(1), Buffer.alloc(8)) },
  { title: 'a length over the limit', reason: 'protocol_error', bytes: join(i32(10_001), i32(1), Buffer.alloc(8)) },
  {
    title: 'a Metadata answer that ends in its brokers',
    reason: 'protocol_error',
    bytes: frame(i32(1), metadataBody(1, BROKERS).subarray(0, 30)),
    asked: [3, 1],
  },
  {
    title: 'a Metadata answer whose array promises more than there is',
    reason: 'protocol_error',
    bytes: frame(i32(1), i32(1_000_000), Buffer.alloc(40)),
    asked: [3, 0],
  },
  {
    title: 'a Metadata answer with a length below that of null',
    reason: 'protocol_error',
    bytes: frame(i32(1), i32(-5), i32(1), i32(0)),
    asked: [3, 1],
  },
  {
    title: 'a Produce answer whose brokers take less than their tag says',
    reason: 'protocol_error',
    bytes: frame(i32(1), form(true).tags(), form(true).array([]), i32(0), uvarint(1), uvarint(0), OVERLONG),
    asked: [0, 10],
  },
  {
    title: 'a Produce answer that ends before its throttle time',
    reason: 'protocol_error',
    bytes: frame(i32(1), form(true).tags(), produceBody(9, []).subarray(0, -5)),
    asked: [0, 9],
  },
  {
    title: 'a FindCoordinator answer without a host',
    reason: 'protocol_error',
    bytes: frame(i32(1), i16(0), i32(1)),
    asked: [10, 0],
  },
  {
    title: 'a DescribeCluster answer of nothing',
    reason: 'protocol_error',
    bytes: frame(i32(1), form(true).tags()),
    asked: [60, 0],
  },
];

for (const { title, reason, bytes, asked = [12, 0] } of ENDINGS) {
  t.test(`${title} ends the connection, and nothing of it reaches the client`, async (t) => {
    for (let cut = 0; cut < bytes.length; cut += 1) {
      const bench = new KafkaBench({ maxFrameBytes: 10_000 });
      const connection = bench.connect();
      connection.ask(bench.client(), anyRequest(asked[0], asked[1], 1));
      connection.read(bytes.subarray(0, cut));
      if (connection.sink.failure === null) connection.read(bytes.subarray(cut));
      t.equal(connection.sink.failure?.reason, reason, `cut at ${cut}`);
      t.ok(connection.sink.failure?.detail);
      t.equal(connection.sink.all().length, 0);
      t.notOk(connection.sink.facts.some((fact) => fact.startsWith('settled')));
    }
  });
}

t.test('an answer of the largest length allowed passes', async (t) => {
  const bench = new KafkaBench({ maxFrameBytes: 10_000 });
  const connection = bench.connect();
  connection.ask(bench.client(), anyRequest(12, 0, 1));
  const bytes = frame(i32(1), Buffer.alloc(9996));
  connection.read(bytes);
  t.same(connection.sink.delivered(), bytes);
});

t.test('bytes that nobody asked for end the connection at the first one', async (t) => {
  for (const count of [1, 2, 4, 8, 30]) {
    const connection = new KafkaBench().connect();
    connection.read(heartbeat(1).subarray(0, count));
    t.equal(connection.sink.failure?.reason, 'unsolicited_bytes', `${count} bytes`);
    t.equal(connection.sink.all().length, 0);
  }
});

t.test('bytes behind the last answer end the connection once, and that answer is delivered', async (t) => {
  for (const count of [1, 8, 12, 40]) {
    for (const cuts of [[], [10], [3, 9]]) {
      const bench = new KafkaBench();
      const connection = bench.connect();
      connection.ask(bench.client(), anyRequest(12, 0, 1));
      connection.read(join(heartbeat(1), frame(Buffer.alloc(36)).subarray(0, count)), cuts);
      t.equal(connection.sink.failure?.reason, 'unsolicited_bytes');
      t.same(connection.sink.delivered(), heartbeat(1));
    }
  }
});

t.test('an answer before a broken one reaches its client, even in the same read', async (t) => {
  const lengthless = join(i32(-1), i32(2), Buffer.alloc(7));
  for (const [broken, reason] of [
    [heartbeat(99), 'wrong_correlation_id'],
    [lengthless, 'protocol_error'],
  ] as const) {
    const bench = new KafkaBench();
    const connection = bench.connect();
    const client = bench.client();
    for (const id of [1, 2]) connection.ask(client, anyRequest(12, 0, id));
    connection.read(join(heartbeat(1), broken));
    t.same(connection.sink.delivered(), heartbeat(1));
    t.equal(connection.sink.failure?.reason, reason);
  }
});

t.test('an answer that must be looked into as a whole may be as long as any', async (t) => {
  const maxFrameBytes = 64 * 1024 * 1024;
  for (const [key, version] of [
    [3, 1],
    [78, 1],
    [0, 9],
  ] as const) {
    for (const [length, reason] of [
      [maxFrameBytes, undefined],
      [maxFrameBytes + 1, 'protocol_error'],
    ] as const) {
      const bench = new KafkaBench({ maxFrameBytes });
      const connection = bench.connect();
      connection.ask(bench.client(), anyRequest(key, version, 1));
      connection.read(join(i32(length), i32(1), Buffer.alloc(100)));
      t.equal(connection.sink.failure?.reason, reason, `api ${key}, ${length} bytes`);
    }
  }
});

t.test('a Metadata answer of more than 16 MiB is rewritten', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  connection.ask(bench.client(), anyRequest(3, 9, 1));
  const options = { topic: 'x'.repeat(17 * 1024 * 1024) };
  connection.read(answer(3, 9, 1, metadataBody(9, BROKERS, options)), [1_000_000]);
  t.equal(connection.sink.failure, null);
  t.ok(connection.sink.delivered().equals(answer(3, 9, 1, metadataBody(9, local(BROKERS), options))));
});

t.test('a Fetch answer that does not follow its grammar ends the connection', async (t) => {
  const endless = join(i32(0), i16(0), i32(0), Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Buffer.alloc(20));
  const beyond = join(i32(0), i16(0), i32(0), Buffer.from([2]), Buffer.alloc(16), Buffer.from([2]), Buffer.alloc(8));
  const behind = join(i32(0), i16(0), i32(0), Buffer.from([1, 0]), Buffer.alloc(3));
  for (const body of [endless, beyond, behind]) {
    for (const cuts of [[], [12], [20, 25]]) {
      const bench = new KafkaBench();
      const connection = bench.connect();
      connection.ask(bench.client(), anyRequest(1, 17, 1));
      connection.read(answer(1, 17, 1, body).subarray(0, cuts[0]));
      for (const [index, from] of cuts.entries()) {
        if (connection.sink.failure !== null) break;
        connection.read(answer(1, 17, 1, body).subarray(from, cuts[index + 1]));
      }
      t.equal(connection.sink.failure?.reason, 'protocol_error');
    }
  }
});

// --- what is owed -------------------------------------------------------------------------------------------------

t.test('requests that wait for long are said to be held, with their patience', async (t) => {
  const bench = new KafkaBench();
  const { session } = bench.connect();
  const client = bench.client();
  const connection = bench.connect();
  connection.ask(client, anyRequest(12, 0, 1));
  t.notOk(connection.session.holding);
  connection.ask(client, anyRequest(14, 0, 2));
  t.ok(connection.session.holding);
  t.ok(connection.session.patienceMilliseconds >= 300_000);
  connection.read(heartbeat(1));
  t.ok(connection.session.holding);
  connection.read(answer(14, 0, 2, i16(0)));
  t.notOk(connection.session.holding);
  t.equal(connection.session.patienceMilliseconds, 0);
  t.notOk(session.holding);
});

t.test('Fetch, JoinGroup and SyncGroup are held in every version that we know, and nothing else is', async (t) => {
  for (const { key, kind, newest } of API_ROWS) {
    if (!['pool', 'hold', 'metadata', 'produce', 'pin hard'].includes(kind)) continue;
    for (const version of [kind === 'pin hard' ? 1 : 0, newest]) {
      const bench = new KafkaBench();
      const connection = bench.connect();
      connection.ask(bench.client(), anyRequest(key, version, 1));
      t.equal(connection.session.holding, kind === 'hold', `${key} v${version}`);
    }
  }
});

t.test('hundreds of answers may be owed at once, and their order is kept', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  const client = bench.client();
  let next = 0;
  let answered = 0;
  for (let round = 0; round < 60; round += 1) {
    for (let count = 0; count < round; count += 1) {
      connection.ask(client, produceRequest(3, next, { acks: 1, timeout: next }));
      next += 1;
    }
    t.equal(connection.session.owed, next - answered);
    for (let count = 0; count < round - 3; count += 1) {
      connection.read(answer(0, 3, answered, produceBody(3, [])));
      answered += 1;
    }
  }
  t.equal(connection.session.patienceMilliseconds, next - 1);
  for (; answered < next; answered += 1) connection.read(answer(0, 3, answered, produceBody(3, [])));
  t.equal(connection.session.owed, 0);
  t.equal(connection.sink.failure, null);
});

t.test('a Metadata answer is rewritten for whoever asked, when the same client asks twice', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  const client = bench.client();
  connection.ask(client, metadataRequest(9, 1));
  connection.ask(client, metadataRequest(12, 2, { topics: null }));
  const bytes = [9, 12].map((version, index) => answer(3, version, index + 1, metadataBody(version, BROKERS)));
  connection.read(join(...bytes));
  const wanted = [9, 12].map((version, index) => answer(3, version, index + 1, metadataBody(version, local(BROKERS))));
  t.same(connection.sink.delivered(), join(...wanted));
});

t.test('a Fetch hint of no bytes is made void, and the field behind it stays as it is', async (t) => {
  const later = { tag: 5, bytes: Buffer.from('later') };
  const body = (hint: number): Buffer =>
    join(i32(0), i16(0), i32(0), form(true).array([]), form(true).tags({ tag: hint, bytes: Buffer.alloc(0) }, later));
  const bench = new KafkaBench();
  const connection = bench.connect();
  connection.ask(bench.client(), anyRequest(1, 16, 1));
  connection.read(answer(1, 16, 1, body(0)));
  t.same(connection.sink.delivered(), answer(1, 16, 1, body(0x7f)));
});
