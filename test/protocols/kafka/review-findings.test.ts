import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { Demand, Verdict } from '../../../src/contract/protocol.ts';
import { APIS } from '../../../src/protocols/kafka/api-table.ts';
import { KafkaRoute } from '../../../src/protocols/kafka/route.ts';
import { protocolNamed } from '../../../src/protocols/registry.ts';
import { SAMPLES } from './review-answers.ts';
import { apiDocs } from './review-api-docs.ts';
import { ask, asked, Bench, greetingAnswer, requestsIn, Sink } from './review-bench.ts';
import { answer, encode, frame, request, uvarint } from './review-wire.ts';

const int16 = (value: number): Buffer => encode('int16', value, 0, false);
const int32 = (value: number): Buffer => encode('int32', value, 0, false);
const heartbeat = (id: number): Buffer => answer(id, false, int16(0));
const BROKERS = [{ id: 1, host: 'b1', port: 9092 }];

function metadata(version: number, id: number, throttle = 0, brokers = BROKERS): Buffer {
  const sample = SAMPLES.find(({ key }) => key === 3);
  return answer(id, version >= 9, sample?.body(version, brokers, throttle) ?? Buffer.alloc(0));
}

function read(session: { read(b: Buffer, s: number, e: number, k: Sink): void }, sink: Sink, ...parts: Buffer[]): void {
  const bytes = Buffer.concat(parts);
  session.read(bytes, 0, bytes.length, sink);
}

t.test('an answer before a broken one in the same chunk reaches its client', async (t) => {
  for (const broken of [heartbeat(99), Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0])]) {
    const bench = new Bench();
    const session = bench.upstream();
    const client = bench.route.client('1');
    ask(session, client, asked(12, 0, 1));
    ask(session, client, asked(12, 0, 2));
    const sink = new Sink();
    read(session, sink, heartbeat(1), broken);
    t.same(sink.delivered, heartbeat(1));
    t.equal(sink.failures.length, 1);
  }
});

t.test('the last answer reaches its client before unsolicited bytes end the connection, once', async (t) => {
  for (const extra of [1, 8, 12, 40]) {
    const bench = new Bench();
    const session = bench.upstream();
    ask(session, bench.route.client('1'), asked(12, 0, 1));
    const sink = new Sink();
    read(session, sink, heartbeat(1), Buffer.concat([int32(36), Buffer.alloc(36)]).subarray(0, extra));
    t.same(sink.delivered, heartbeat(1), `${extra}`);
    t.same(
      sink.events.filter((event) => event.startsWith('fail')),
      ['fail unsolicited_bytes'],
      `${extra}`,
    );
  }
});

t.test('worked, muted and settled are told behind the bytes', async (t) => {
  const bench = new Bench();
  const session = bench.upstream();
  const client = bench.route.client('1');
  ask(session, client, asked(12, 1, 1));
  const sink = new Sink();
  const bytes = answer(1, false, Buffer.concat([int32(70), int16(0)]));
  read(session, sink, bytes);
  t.same(sink.events, [`deliver ${bytes.length}`, 'worked', 'muted 70', 'settled']);
});

t.test('a client that is pinned hard stays so when its Metadata is answered from the cache', async (t) => {
  const bench = new Bench();
  const session = bench.upstream();
  const client = bench.route.client('1');
  const other = bench.route.client('1');
  const sink = new Sink();
  ask(session, client, asked(78, 1, 1));
  const share = SAMPLES.find(({ key }) => key === 78);
  read(session, sink, answer(1, true, share?.body(1, [], 0) ?? Buffer.alloc(0)));
  ask(session, client, asked(3, 1, 2));
  read(session, sink, metadata(1, 2));
  ask(session, other, asked(3, 1, 3));
  read(session, sink, metadata(1, 3));
  const again = asked(3, 1, 4);
  t.equal(client.inspect(again, 0, again.length, true, false), Verdict.answer);
  t.ok(client.pinned);
  t.equal(client.demand, Demand.pinHard);
  t.equal(client.pin, 'share_session');
});

t.test('sleepers are renewed in no version that this broker does not know', async (t) => {
  const bench = new Bench();
  const newer = bench.upstream();
  const client = bench.route.client('1');
  ask(newer, client, asked(3, 13, 1));
  const sink = new Sink();
  read(newer, sink, metadata(13, 1));
  t.ok(newer.refresh());
  const older = bench.upstream({ 3: 12 });
  t.equal(older.refresh(), undefined);
});

t.test('nobody is told of a throttle that somebody else met', async (t) => {
  const bench = new Bench();
  const session = bench.upstream();
  const [first, second] = [bench.route.client('1'), bench.route.client('1')];
  const sink = new Sink();
  ask(session, second, asked(3, 9, 1));
  read(session, sink, metadata(9, 1));
  ask(session, first, asked(3, 9, 2));
  read(session, sink, metadata(9, 2, 5000));
  t.equal(sink.delivered.subarray(-(metadata(9, 2).length + 20)).includes(int32(5000)), true, 'the one who met it is');
  const again = asked(3, 9, 3);
  t.equal(second.inspect(again, 0, again.length, true, false), Verdict.answer);
  t.equal(second.answer().readInt32BE(9), 0);
});

t.test('a client that has sent valid data since it asked is not asleep', async (t) => {
  const bench = new Bench();
  const session = bench.upstream();
  const [first, second] = [bench.route.client('1'), bench.route.client('1')];
  const sink = new Sink();
  ask(session, first, asked(3, 1, 1));
  ask(session, first, asked(0, 1, 2)); // pipelined behind the question
  read(session, sink, metadata(1, 1), answer(2, false, Buffer.concat([int32(0), int32(0)])));
  ask(session, second, asked(3, 1, 3));
  read(session, sink, metadata(1, 3));
  const again = asked(3, 1, 4);
  t.equal(first.inspect(again, 0, again.length, true, false), Verdict.forward);
});

t.test('an unstable version is treated as unknown', async (t) => {
  const client = new Bench().route.client('1');
  const bytes = asked(22, 6, 1);
  t.equal(client.inspect(bytes, 0, bytes.length, true, false), Verdict.forward);
  t.equal(client.demand, Demand.pin);
  t.equal(client.pin, 'unknown_api');
});

t.test('an early-access share request, whose answer has another grammar, is refused', async (t) => {
  const client = new Bench().route.client('1');
  const bytes = asked(78, 0, 1);
  t.equal(client.inspect(bytes, 0, bytes.length, true, false), Verdict.close);
  t.equal(client.closeReason, 'refused_api');
});

t.test('a broker that answers ApiVersions with any error has told nothing', async (t) => {
  const bench = new Bench();
  const session = bench.route.upstream<string>({ node: 'bootstrap', host: 'b', port: 1 });
  const sink = new Sink();
  for (const each of requestsIn(session.greeting() ?? Buffer.alloc(0))) {
    const failed = answer(
      each.id,
      false,
      Buffer.concat([
        int16(42),
        each.version >= 3 ? uvarint(1) : int32(0),
        ...(each.version >= 1 ? [int32(0)] : []),
        ...(each.version >= 3 ? [uvarint(0)] : []),
      ]),
    );
    read(session, sink, each.key === 3 ? greetingAnswer(each, {}, 4) : failed);
    if (sink.failures.length > 0) break;
  }
  t.equal(sink.failures.length, 1);
  t.equal(bench.route.versionsFor('bootstrap'), null);
});

t.test('the features of a broker that knows ApiVersions 3, and not 4, are told', async (t) => {
  const bench = new Bench();
  bench.upstream({}, 3);
  const client = bench.route.client('bootstrap');
  const asks = request(
    18,
    3,
    1,
    true,
    Buffer.concat([uvarint(2), Buffer.from('a'), uvarint(2), Buffer.from('1'), uvarint(0)]),
  );
  t.equal(client.inspect(asks, 0, asks.length, true, false), Verdict.answer);
  const greeting = bench.route.upstream({ node: 'bootstrap', host: 'b', port: 1 }).greeting() ?? Buffer.alloc(0);
  t.ok(requestsIn(greeting).some(({ key, version }) => key === 18 && version === 3));
});

t.test('a Produce whose acks do not come is given up before it fills the memory', async (t) => {
  const client = new Bench().route.client('1');
  const head = Buffer.concat([int16(0), int16(9), int32(1), int16(-1), uvarint(0), uvarint(90_000_001)]);
  const bytes = Buffer.concat([int32(90_000_000), head, Buffer.alloc(300_000, 97)]);
  t.equal(client.inspect(bytes, 0, bytes.length, true, false), Verdict.close);
  t.equal(client.closeReason, 'protocol_error');
});

t.test('acks are found behind a number that is longer than it needs to be', async (t) => {
  const client = new Bench().route.client('1');
  // transactional id: null as 80 00; acks 1
  const bytes = frame(
    int16(0),
    int16(9),
    int32(1),
    int16(-1),
    uvarint(0),
    Buffer.from([0x80, 0x00]),
    int16(1),
    int32(7),
    uvarint(1),
    uvarint(0),
  );
  t.equal(client.inspect(bytes, 0, bytes.length, true, false), Verdict.forward);
  t.equal(client.pin, undefined);
  t.equal(client.demand, Demand.pool);
});

t.test('an answer that must be rewritten is collected up to 16 MiB', async (t) => {
  const bench = new Bench();
  const session = bench.upstream();
  ask(session, bench.route.client('1'), asked(3, 1, 1));
  const sink = new Sink();
  read(session, sink, int32(17 * 1024 * 1024), int32(1), Buffer.alloc(100));
  t.same(
    sink.failures.map(({ reason }) => reason),
    ['protocol_error'],
  );
});

t.test('a broker that names nobody does not make everybody go missing', async (t) => {
  const bench = new Bench();
  const session = bench.upstream();
  ask(session, bench.route.client('1'), asked(3, 13, 1));
  const sink = new Sink();
  read(session, sink, metadata(13, 1, 0, []));
  t.notOk(sink.topologies.some(({ complete }) => complete));
});

t.test('a renewal that names a new broker is told to the core', async (t) => {
  const bench = new Bench();
  const session = bench.upstream();
  ask(session, bench.route.client('1'), asked(3, 1, 1));
  const sink = new Sink();
  read(session, sink, metadata(1, 1));
  const [sent] = requestsIn(session.refresh() ?? Buffer.alloc(0));
  sink.topologies.length = 0;
  read(session, sink, metadata(1, sent?.id ?? 0, 0, [...BROKERS, { id: 9, host: 'b9', port: 9092 }]));
  t.ok(sink.topologies.some(({ nodes }) => nodes.some(({ node }) => node === '9')));
});

t.test('a length below null, and a list of brokers of another size than its tag says, are malformed', async (t) => {
  const lengths = answer(1, false, Buffer.concat([int32(-5), int32(1), int32(0)]));
  const partial = encode('int32', 1, 0, true);
  const endpoints = Buffer.concat([
    uvarint(2),
    partial,
    uvarint(3),
    Buffer.from('b1'),
    int32(9),
    uvarint(0),
    uvarint(0),
  ]);
  const sized = answer(
    1,
    true,
    Buffer.concat([uvarint(1), int32(0), uvarint(1), uvarint(0), uvarint(endpoints.length + 3), endpoints]),
  );
  for (const [key, version, bytes] of [
    [3, 1, lengths],
    [0, 10, sized],
  ] as const) {
    const bench = new Bench();
    const session = bench.upstream();
    ask(session, bench.route.client('1'), asked(key, version, 1));
    const sink = new Sink();
    read(session, sink, bytes);
    t.same(
      sink.failures.map(({ reason }) => reason),
      ['protocol_error'],
      `${key}`,
    );
  }
});

t.test('an unknown request may take its time', async (t) => {
  const bench = new Bench();
  const session = bench.upstream();
  ask(session, bench.route.client('1'), asked(500, 0, 1));
  t.ok(session.patienceMilliseconds > 0);
});

t.test('a throttle of our own renewal mutes the connection', async (t) => {
  const bench = new Bench();
  const session = bench.upstream();
  ask(session, bench.route.client('1'), asked(3, 3, 1));
  const sink = new Sink();
  read(session, sink, metadata(3, 1));
  const [sent] = requestsIn(session.refresh() ?? Buffer.alloc(0));
  read(session, sink, metadata(3, sent?.id ?? 0, 90));
  t.ok(sink.events.includes('muted 90'));
});

t.test('clients that ask the same share the text of their question', async (t) => {
  const bench = new Bench();
  const session = bench.upstream();
  const sink = new Sink();
  const rest = Buffer.concat([int32(1), encode('string', 'x'.repeat(30_000), 0, false)]);
  setFlagsFromString('--expose-gc');
  const gc: () => void = runInNewContext('gc');
  gc();
  const before = process.memoryUsage().heapUsed;
  const clients = Array.from({ length: 300 }, () => bench.route.client('1'));
  for (const [index, client] of clients.entries()) {
    ask(session, client, request(3, 1, index, false, rest));
    read(session, sink, metadata(1, index));
  }
  sink.delivered = Buffer.alloc(0);
  gc();
  const each = (process.memoryUsage().heapUsed - before) / clients.length;
  t.ok(each < 15_000, `${Math.round(each)} bytes a client`);
});

t.test('a node id below 0 gets no port', async (t) => {
  const find = (): undefined => undefined;
  const route = new KafkaRoute({ addresses: { find }, maxFrameBytes: 1000, portBase: 29092, ports: {} });
  t.type(route.localPort('-1'), 'object');
});

t.test('bytes of an opaque stream without a tenant end it', async (t) => {
  const find = (): undefined => undefined;
  const route = protocolNamed('tcp').createRoute({ addresses: { find }, maxFrameBytes: 1, portBase: 1, ports: {} });
  const sink = new Sink();
  route.upstream<string>({ node: 'bootstrap', host: 'b', port: 1 }).read(Buffer.from('x'), 0, 1, sink);
  t.same(
    sink.failures.map(({ reason }) => reason),
    ['unsolicited_bytes'],
  );
});

t.test('the table knows all keys from 0 to 94', async (t) => {
  t.same(
    APIS.map(({ key }) => key),
    Array.from({ length: 95 }, (_, key) => key),
  );
});

t.test('docs/kafka-apis.md is made from the table', async (t) => {
  t.equal(readFileSync(new URL('../../../docs/kafka-apis.md', import.meta.url), 'utf8'), apiDocs());
});
