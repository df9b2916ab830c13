import t from 'tap';
import { answer, heartbeatBody } from './answers.ts';
import { rowOf } from './api-fixture.ts';
import { BROKERS, type Connection, KafkaBench, local } from './kafka-bench.ts';
import { anyRequest } from './requests.ts';
import { NAMING, PASSING, type Sample } from './samples.ts';
import { join } from './wire.ts';

const HOSTS = BROKERS.map(({ host }) => host);
const HEARTBEAT = heartbeatBody(0);

/** Two of a sample between three heartbeats: what the broker sends, and what the client must see. */
interface Stream {
  readonly requests: readonly Buffer[];
  readonly sent: Buffer;
  readonly seen: Buffer;
}

function streamOf(sample: Sample, around: number): Stream {
  const { key, version } = sample;
  const brokers = BROKERS.slice(0, 1);
  const requests = [anyRequest(12, 0, 1), anyRequest(key, version, 2)];
  const sent = [answer(12, 0, 1, HEARTBEAT), answer(key, version, 2, sample.body(brokers, 0))];
  const seen = [answer(12, 0, 1, HEARTBEAT), answer(key, version, 2, sample.seen(brokers, local(brokers), 0))];
  for (let id = 3; id < 3 + around; id += 2) {
    requests.push(anyRequest(key, version, id), anyRequest(12, 0, id + 1));
    sent.push(answer(key, version, id, sample.body(BROKERS, 0)), answer(12, 0, id + 1, HEARTBEAT));
    seen.push(answer(key, version, id, sample.seen(BROKERS, local(BROKERS), 0)), answer(12, 0, id + 1, HEARTBEAT));
  }
  return { requests, sent: join(...sent), seen: join(...seen) };
}

/** Sends the stream split at `cuts`; answers what was wrong with what came out. */
function fault(connection: Connection, bench: KafkaBench, stream: Stream, cuts: readonly number[]): string | null {
  const client = bench.client();
  const { session, sink } = connection;
  sink.reset();
  for (const bytes of stream.requests) connection.ask(client, bytes);
  connection.read(stream.sent, cuts, cuts.length % 3);
  client.close();
  const got = sink.delivered();
  if (sink.failure !== null) return `${sink.failure.reason}: ${sink.failure.detail}`;
  if (!got.equals(stream.seen)) return `got ${got.toString('hex')}`;
  if (HOSTS.some((host) => got.includes(host))) return 'a host of a broker';
  if (session.owed !== 0 || session.inAnswer || session.blocked) return 'not at rest';
  if (sink.facts.at(-1) !== `settled a ${stream.seen.length}`) return `ends with ${sink.facts.at(-1)}`;
  return null;
}

function firstFault(sample: Sample, around: number, cuts: (length: number) => Iterable<readonly number[]>): unknown {
  const bench = new KafkaBench();
  const connection = bench.connect();
  const stream = streamOf(sample, around);
  for (const each of cuts(stream.sent.length)) {
    const found = fault(connection, bench, stream, each);
    if (found !== null) return { cuts: each, found };
  }
  return null;
}

function* oneCut(length: number): Iterable<readonly number[]> {
  yield [];
  for (let cut = 1; cut < length; cut += 1) yield [cut];
}

/** No more than a head apart: there the pieces of a head are put together. */
function* closeCuts(length: number): Iterable<readonly number[]> {
  for (let first = 1; first < length; first += 1) {
    for (let second = first + 1; second < Math.min(length, first + 20); second += 1) yield [first, second];
  }
}

function* twoCuts(length: number): Iterable<readonly number[]> {
  for (let first = 1; first < length; first += 1) {
    for (let second = first + 1; second < length; second += 1) yield [first, second];
  }
}

function* everyByte(length: number): Iterable<readonly number[]> {
  yield Array.from({ length: length - 1 }, (_, index) => index + 1);
}

const ALL = [...NAMING, ...PASSING];

for (const sample of ALL) {
  t.test(`${sample.name}: a client sees our addresses and nothing else changed, however it is split`, async (t) => {
    t.equal(firstFault(sample, 4, oneCut), null, 'cut once');
    t.equal(firstFault(sample, 4, everyByte), null, 'byte by byte');
    t.equal(firstFault(sample, 0, closeCuts), null, 'cut twice');
  });
}

for (const sample of ALL.filter(({ key, version }) => rowOf(key).newest === version)) {
  t.test(`${sample.name}: wherever it is cut twice`, async (t) => {
    t.equal(firstFault(sample, 0, twoCuts), null);
  });
}

t.test('the samples name brokers, so that the tests above mean something', async (t) => {
  for (const sample of NAMING) t.ok(sample.body(BROKERS, 0).includes(HOSTS[0] ?? ''), sample.name);
});

t.test('throttle times are told before the answer counts as settled, wherever they stand', async (t) => {
  for (const sample of ALL) {
    for (const cuts of [[], [9], [12, 13]]) {
      const bench = new KafkaBench();
      const connection = bench.connect();
      connection.ask(bench.client(), anyRequest(sample.key, sample.version, 5));
      const bytes = answer(sample.key, sample.version, 5, sample.body(BROKERS, 1234));
      connection.read(
        bytes,
        cuts.filter((cut) => cut < bytes.length),
      );
      const { facts } = connection.sink;
      const muted = facts.indexOf('muted 1234');
      t.equal(muted >= 0, sample.throttled, `${sample.name} cut at ${cuts}`);
      t.ok(muted < facts.findIndex((fact) => fact.startsWith('settled')), `${sample.name}: before`);
    }
  }
});

t.test('an address of ours may be longer than a byte can count', async (t) => {
  const host = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.example`;
  for (const sample of NAMING) {
    const bench = new KafkaBench();
    for (const { node } of BROKERS) bench.listeners.table.set(String(node), { host, port: 40_000 + node });
    const connection = bench.connect();
    connection.ask(bench.client(), anyRequest(sample.key, sample.version, 5));
    const ours = BROKERS.map((broker) => ({ ...broker, host, port: 40_000 + broker.node }));
    connection.read(answer(sample.key, sample.version, 5, sample.body(BROKERS, 0)));
    t.same(
      connection.sink.delivered(),
      answer(sample.key, sample.version, 5, sample.seen(BROKERS, ours, 0)),
      sample.name,
    );
  }
});
