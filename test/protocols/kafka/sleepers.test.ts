/** Housekeeping of clients that do nothing: who may be told what somebody else was told, and who must ask a broker. */
import t from 'tap';
import { type ClientSession, Demand, Verdict } from '../../../src/contract/protocol.ts';
import { BOOTSTRAP } from '../../../src/contract/topology.ts';
import { answer, heartbeatBody, type MetadataAnswer, metadataBody, shareFetchBody } from './answers.ts';
import { ALL_RANGES, BROKERS, type Connection, KafkaBench, local, requestsIn } from './kafka-bench.ts';
import { anyRequest, type MetadataOptions, metadataRequest } from './requests.ts';
import { i32 } from './wire.ts';

const VERSION = 9;

interface Situation {
  readonly bench: KafkaBench;
  readonly connection: Connection;
}

function start(): Situation {
  const bench = new KafkaBench();
  return { bench, connection: bench.connect() };
}

/** The client asks a broker, whatever is cached, and hears what it says. */
function hear(
  { connection }: Situation,
  client: ClientSession,
  asked: MetadataOptions = {},
  said: MetadataAnswer = {},
  version = VERSION,
): void {
  const bytes = metadataRequest(version, 1, asked);
  client.inspect(bytes, 0, bytes.length, false, false);
  connection.session.lend('a');
  connection.session.admit(client, 'a');
  connection.read(answer(3, version, 1, metadataBody(version, BROKERS, said)));
}

function work({ connection }: Situation, client: ClientSession): void {
  connection.ask(client, anyRequest(12, 0, 2));
  connection.read(answer(12, 0, 2, heartbeatBody(0)));
}

function verdictOf(client: ClientSession, asked: MetadataOptions = {}, version = VERSION, owing = false): Verdict {
  const bytes = metadataRequest(version, 3, asked);
  return client.inspect(bytes, 0, bytes.length, true, owing);
}

/** A client that has heard something, and another one that has heard something newer. */
function sleeper(): Situation & { readonly client: ClientSession; readonly other: ClientSession } {
  const situation = start();
  const [client, other] = [situation.bench.client(), situation.bench.client()];
  hear(situation, client);
  hear(situation, other);
  return { ...situation, client, other };
}

t.test('a sleeper is told what somebody else was told since, under its own correlation id', async (t) => {
  for (let version = 0; version <= 13; version += 1) {
    const situation = start();
    const [client, other] = [situation.bench.client(), situation.bench.client('2')];
    hear(situation, client, {}, {}, version);
    hear(situation, other, {}, { topic: 'renamed' }, version);
    t.equal(verdictOf(client, {}, version), Verdict.answer, `v${version}`);
    t.notOk(client.work);
    t.same(client.answer(), answer(3, version, 3, metadataBody(version, local(BROKERS), { topic: 'renamed' })));
  }
});

t.test('nobody is told the same answer twice, nor an older one', async (t) => {
  const { client, other, ...situation } = sleeper();
  t.equal(verdictOf(other), Verdict.forward, 'it has heard this very answer');
  t.equal(verdictOf(client), Verdict.answer);
  client.answer();
  t.equal(verdictOf(client), Verdict.forward, 'and now this one too');
  hear(situation, other);
  t.equal(verdictOf(client), Verdict.answer, 'a newer one has come');
});

t.test('a verdict alone tells nobody anything', async (t) => {
  const { client } = sleeper();
  t.equal(verdictOf(client), Verdict.answer);
  t.equal(verdictOf(client), Verdict.answer);
});

t.test('the first Metadata on a connection is answered by a broker', async (t) => {
  const { bench } = sleeper();
  t.equal(verdictOf(bench.client()), Verdict.forward);
});

t.test('a client that has sent valid data since it heard is not asleep until it hears again', async (t) => {
  const { client, other, ...situation } = sleeper();
  work(situation, client);
  t.equal(verdictOf(client), Verdict.forward);
  hear(situation, client);
  t.equal(verdictOf(client), Verdict.forward, 'it has the newest');
  hear(situation, other);
  t.equal(verdictOf(client), Verdict.answer);
});

t.test('valid data behind the question, before the answer, counts as sent since', async (t) => {
  const situation = start();
  const { bench, connection } = situation;
  const [client, other] = [bench.client(), bench.client()];
  connection.ask(client, metadataRequest(VERSION, 1));
  connection.ask(client, anyRequest(12, 0, 2));
  connection.read(answer(3, VERSION, 1, metadataBody(VERSION, BROKERS)));
  connection.read(answer(12, 0, 2, heartbeatBody(0)));
  hear(situation, other);
  t.equal(verdictOf(client), Verdict.forward);
});

t.test('housekeeping does not wake a sleeper', async (t) => {
  const { client, other: _, ...situation } = sleeper();
  situation.connection.ask(client, anyRequest(10, 0, 5));
  t.equal(verdictOf(client), Verdict.answer);
});

t.test('only the very same question has the same answer; correlation and client id do not count', async (t) => {
  const { client } = sleeper();
  t.equal(verdictOf(client, { clientId: 'another' }), Verdict.answer);
  t.equal(verdictOf(client, { clientId: null }), Verdict.answer);
  t.equal(verdictOf(client, { topics: ['payments'] }), Verdict.forward);
  t.equal(verdictOf(client, { topics: ['orders', 'payments'] }), Verdict.forward);
  t.equal(verdictOf(client, { topics: null }), Verdict.forward);
  t.equal(verdictOf(client, { autoCreate: true }), Verdict.forward);
  t.equal(verdictOf(client, {}, VERSION + 1), Verdict.forward);
});

t.test('an answer with an error code in it is told to nobody else, and makes nobody believe a later one', async (t) => {
  const errors: readonly [version: number, said: MetadataAnswer][] = [
    [VERSION, { topicError: 3 }],
    [VERSION, { partitionError: 5 }],
    [13, { error: 29 }],
  ];
  for (const [version, said] of errors) {
    const situation = start();
    const [client, other] = [situation.bench.client(), situation.bench.client()];
    hear(situation, client, {}, {}, version);
    hear(situation, other, {}, said, version);
    t.equal(verdictOf(client, {}, version), Verdict.forward, `not told of ${JSON.stringify(said)}`);
    hear(situation, client, {}, {}, version);
    t.equal(verdictOf(other, {}, version), Verdict.forward, `whoever heard ${JSON.stringify(said)} asks again`);
    hear(situation, other, {}, {}, version);
    hear(situation, client, {}, {}, version);
    t.equal(verdictOf(other, {}, version), Verdict.answer, 'until it has heard a clean one');
  }
});

t.test('nothing is answered while something is owed, or while the broker may be dead', async (t) => {
  const { client } = sleeper();
  t.equal(verdictOf(client, {}, VERSION, true), Verdict.forward);
  const bytes = metadataRequest(VERSION, 3);
  t.equal(client.inspect(bytes, 0, bytes.length, false, false), Verdict.forward);
});

t.test('nothing is answered before the whole question is there', async (t) => {
  const { client } = sleeper();
  const bytes = metadataRequest(VERSION, 3);
  for (let end = 12; end < bytes.length; end += 1)
    t.equal(client.inspect(bytes, 0, end, true, false), Verdict.forward, `${end} of ${bytes.length}`);
});

t.test('a lost upstream or a changed topology empties the cache', async (t) => {
  const { client, other, bench, ...situation } = sleeper();
  bench.route.invalidate();
  t.equal(verdictOf(client), Verdict.forward);
  hear({ bench, ...situation }, other);
  t.equal(verdictOf(client), Verdict.answer);
});

t.test('nobody is told of a throttle that somebody else met', async (t) => {
  for (let version = 3; version <= 13; version += 1) {
    const situation = start();
    const [client, other] = [situation.bench.client(), situation.bench.client()];
    hear(situation, client, {}, {}, version);
    hear(situation, other, {}, { throttle: 5000 }, version);
    t.ok(situation.connection.sink.delivered().includes(i32(5000)), 'the one who met it is');
    t.equal(verdictOf(client, {}, version), Verdict.answer);
    t.same(client.answer(), answer(3, version, 3, metadataBody(version, local(BROKERS))), `v${version}`);
  }
});

t.test('a client that is pinned hard stays so when its Metadata is answered here', async (t) => {
  const { client, other, ...situation } = sleeper();
  const { connection } = situation;
  connection.ask(client, anyRequest(78, 1, 1));
  connection.read(answer(78, 1, 1, shareFetchBody(1, [])));
  hear(situation, client);
  hear(situation, other);
  t.equal(verdictOf(client), Verdict.answer);
  t.match(client, { pinned: true, demand: Demand.pinHard, pin: 'share_session' });
});

t.test('absorbed questions are counted apart from those that a broker answered', async (t) => {
  const { client, other, bench, ...situation } = sleeper();
  for (let count = 0; count < 2; count += 1) {
    t.equal(verdictOf(client), Verdict.answer);
    client.answer();
    hear({ bench, ...situation }, other);
  }
  const { forwarded, absorbed } = bench.route.counts();
  t.same([Object.fromEntries(forwarded), Object.fromEntries(absorbed)], [{ Metadata: 4 }, { Metadata: 2 }]);
});

// --- what is renewed over one link ----------------------------------------------------------------------------

t.test('the questions of all sleepers, of whichever listener, are renewed together, each once', async (t) => {
  const situation = start();
  const { bench, connection } = situation;
  const clients = ['1', '2', BOOTSTRAP, '1'].map((node) => bench.client(node));
  const questions: readonly MetadataOptions[] = [{}, {}, { topics: ['payments'] }, { topics: null }];
  for (const [index, client] of clients.entries()) hear(situation, client, questions[index]);
  const awake = bench.client();
  hear(situation, awake, { topics: ['awake'] });
  work(situation, awake);
  const gone = bench.client();
  hear(situation, gone, { topics: ['gone'] });
  gone.close();
  const sent = requestsIn(connection.session.refresh());
  const bodies = sent.map(({ bytes }) => bytes.subarray(bytes.indexOf('slackwater') + 'slackwater'.length));
  const wanted = [{}, { topics: ['payments'] }, { topics: null }].map((asked) => metadataRequest(VERSION, 0, asked));
  t.same(
    bodies,
    wanted.map((bytes) => bytes.subarray(bytes.indexOf('application') + 'application'.length)),
  );
  connection.sink.reset();
  for (const [index, { id, version }] of sent.entries()) {
    t.ok(id < 0);
    t.notOk(connection.sink.facts.includes('refreshed'), 'not before all are answered');
    connection.read(answer(3, version, id, metadataBody(version, BROKERS, { topic: `renewed-${index}` })));
  }
  t.equal(connection.sink.facts.filter((fact) => fact === 'refreshed').length, 1);
  t.notOk(connection.sink.facts.includes('worked'), 'renewals are no work');
  t.equal(connection.sink.all().length, 0, 'and reach nobody by themselves');
  t.equal(connection.session.owed, 0);
  for (const [index, client] of clients.entries()) {
    t.equal(verdictOf(client, questions[index]), Verdict.answer);
    const topic = `renewed-${[0, 0, 1, 2][index]}`;
    t.same(client.answer(), answer(3, VERSION, 3, metadataBody(VERSION, local(BROKERS), { topic })));
  }
});

t.test('nothing is renewed when nobody sleeps', async (t) => {
  const { bench, connection } = start();
  bench.client();
  t.equal(connection.session.refresh(), undefined);
});

t.test('sleepers are renewed in no version that this broker does not know', async (t) => {
  const situation = start();
  hear(situation, situation.bench.client(), {}, {}, 13);
  t.ok(situation.connection.session.refresh());
  const ranges = (change: { readonly min?: number; readonly max?: number }) =>
    ALL_RANGES.map((range) => (range.key === 3 ? { ...range, ...change } : range));
  t.equal(situation.bench.connect({ ranges: ranges({ max: 12 }) }).session.refresh(), undefined);
  t.ok(
    situation.bench.connect({ ranges: ranges({ min: 13 }) }).session.refresh(),
    'the oldest it knows is one it knows',
  );
  const old = start();
  hear(old, old.bench.client(), { topics: [] }, {}, 0);
  t.equal(old.bench.connect({ ranges: ranges({ min: 1 }) }).session.refresh(), undefined, 'an old one');
});

t.test('a renewal names new brokers to the core, and is not kept while one of them has no listener', async (t) => {
  const situation = start();
  const client = situation.bench.client();
  hear(situation, client);
  const { session, sink } = situation.connection;
  const [sent] = requestsIn(session.refresh());
  sink.reset();
  const brokers = [...BROKERS, { node: 9, host: 'broker-nine.kafka.internal', port: 9092 }];
  situation.connection.read(answer(3, VERSION, sent?.id ?? 0, metadataBody(VERSION, brokers)));
  t.ok(sink.topologies.some(({ nodes }) => nodes.some(({ node }) => node === '9')));
  t.notOk(session.blocked, 'nobody waits for it');
  t.equal(verdictOf(client), Verdict.forward, 'whoever asks will ask a broker');
});

t.test('a throttle of our own renewal mutes the connection', async (t) => {
  const situation = start();
  hear(situation, situation.bench.client());
  const [sent] = requestsIn(situation.connection.session.refresh());
  situation.connection.sink.reset();
  const body = metadataBody(VERSION, BROKERS, { throttle: 90 });
  situation.connection.read(answer(3, VERSION, sent?.id ?? 0, body));
  t.ok(situation.connection.sink.facts.includes('muted 90'));
});

t.test('one batch asks no more than a mebibyte, and what many ask counts once', async (t) => {
  const situation = start();
  for (let index = 0; index < 90; index += 1) {
    const topics = [`${'x'.repeat(14_000)}-${index}`];
    for (const client of [situation.bench.client(), situation.bench.client()]) hear(situation, client, { topics });
  }
  const sent = requestsIn(situation.connection.session.refresh());
  const bytes = sent.reduce((sum, each) => sum + each.bytes.length, 0);
  t.ok(bytes > 1024 * 1024 && bytes < 1024 * 1024 + 16 * 1024, `${bytes} bytes in ${sent.length} questions`);
  t.equal(new Set(sent.map((each) => each.bytes.toString('latin1', 12))).size, sent.length);
});

// --- memory ---------------------------------------------------------------------------------------------------

t.test('a client that asks many questions is not asked for more than four of them', async (t) => {
  const situation = start();
  const client = situation.bench.client();
  for (let index = 0; index < 6; index += 1) hear(situation, client, { topics: [`topic-${index}`] });
  const sent = requestsIn(situation.connection.session.refresh());
  t.equal(sent.length, 4);
  t.ok(sent.at(-1)?.bytes.includes('topic-5'), 'the last ones');
});

t.test('a question of more than 16 KiB is not kept', async (t) => {
  const situation = start();
  const [client, other] = [situation.bench.client(), situation.bench.client()];
  const asked = { topics: ['x'.repeat(16 * 1024)] };
  hear(situation, client, asked);
  hear(situation, other, asked);
  t.equal(verdictOf(client, asked), Verdict.forward);
  t.equal(situation.connection.session.refresh(), undefined);
});
