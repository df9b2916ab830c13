import t from 'tap';
import { Verdict } from '../../../src/contract/protocol.ts';
import { BOOTSTRAP } from '../../../src/contract/topology.ts';
import { answer, apiVersionsBody, metadataBody } from './answers.ts';
import { ALL_RANGES, BROKERS, type BrokerTraits, greetingAnswers, KafkaBench, requestsIn } from './kafka-bench.ts';
import { anyRequest, apiVersionsRequest } from './requests.ts';
import { i16, i32, join } from './wire.ts';

const OTHERS = BROKERS.map((broker) => (broker.node === 1 ? { ...broker, host: 'elsewhere.kafka.internal' } : broker));

t.test('a connection is ready once its greeting was answered, whichever ApiVersions the broker knows', async (t) => {
  for (const apiVersions of [4, 3, 2, 1, 0]) {
    for (const split of [false, true]) {
      const bench = new KafkaBench();
      const connection = bench.dial();
      const greeting = connection.session.greeting(null);
      t.ok(connection.session.owed >= 2);
      const bytes = greetingAnswers(greeting, { apiVersions });
      const cuts = split ? Array.from({ length: bytes.length - 1 }, (_, index) => index + 1) : [];
      connection.read(bytes, cuts, 3);
      t.equal(connection.sink.failure, null);
      t.same(connection.sink.facts, ['named', 'ready'], `ApiVersions ${apiVersions}`);
      t.equal(connection.session.owed, 0);
      t.equal(connection.sink.all().length, 0, 'nobody is told what was not meant for him');
      const client = bench.client();
      const asks = apiVersionsRequest(0, 1);
      t.equal(client.inspect(asks, 0, asks.length, true, false), Verdict.answer);
    }
  }
});

t.test('the greeting asks nothing that an old broker would close the connection for', async (t) => {
  const sent = requestsIn(new KafkaBench().dial().session.greeting(null));
  const [last, ...versions] = [...sent].reverse();
  t.equal(last?.key, 3);
  t.same(last?.bytes.subarray(-4), i32(0), 'no topic');
  t.equal(last?.version, 2);
  t.equal(versions[0]?.version, 0, 'the last ApiVersions is the one that everybody knows');
  for (const { key, id, bytes } of sent) {
    t.ok(id < 0);
    t.ok([3, 18].includes(key));
    t.ok(bytes.includes('slackwater'));
  }
});

t.test('the brokers are told to the core as they are advertised', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.dial(BOOTSTRAP);
  connection.read(greetingAnswers(connection.session.greeting(null)));
  t.same(connection.sink.topologies, [
    {
      clusterId: 'cluster-1',
      nodes: BROKERS.map(({ node, host, port }) => ({ node: String(node), host, port })),
      complete: true,
    },
  ]);
  t.notOk(connection.session.blocked, 'a greeting waits for no listener');
});

t.test('another cluster ends the dial, and is not what is known afterwards', async (t) => {
  const bench = new KafkaBench();
  bench.connect();
  for (const node of ['1', BOOTSTRAP]) {
    const connection = bench.dial(node);
    connection.read(greetingAnswers(connection.session.greeting(null), { clusterId: 'cluster-2' }));
    t.equal(connection.sink.failure?.reason, 'cluster_changed');
    t.match(connection.sink.failure?.detail, /cluster-2/);
    t.notOk(connection.sink.facts.includes('ready'));
    t.equal(connection.sink.topologies.length, 0, 'its brokers are none of ours');
  }
  t.ok(bench.connect());
});

interface Wrong {
  readonly title: string;
  readonly traits: BrokerTraits;
}

const WRONG: readonly Wrong[] = [
  { title: 'is advertised at another host', traits: { brokers: OTHERS } },
  {
    title: 'is advertised at another port',
    traits: { brokers: BROKERS.map((broker) => ({ ...broker, port: broker.port + 1 })) },
  },
  { title: 'is not listed any more', traits: { brokers: BROKERS.slice(1) } },
];

for (const { title, traits } of WRONG) {
  t.test(`a node that ${title} fails its dial, and the topology is learnt from the answer`, async (t) => {
    const bench = new KafkaBench();
    const connection = bench.dial('1');
    connection.read(greetingAnswers(connection.session.greeting(null), traits));
    t.equal(connection.sink.failure?.reason, 'dial_failed');
    t.notOk(connection.sink.facts.includes('ready'));
    t.equal(connection.sink.topologies.length, 1);
    const seed = bench.dial(BOOTSTRAP);
    seed.read(greetingAnswers(seed.session.greeting(null), traits));
    t.ok(seed.sink.facts.includes('ready'), 'a bootstrap address is no node');
  });
}

t.test('a broker that tells no versions, or no cluster, fails its dial', async (t) => {
  const silent = new KafkaBench().dial();
  const answers = requestsIn(silent.session.greeting(null)).map(({ key, version, id }) =>
    key === 3 ? answer(3, version, id, metadataBody(version, BROKERS)) : answer(18, 0, id, join(i16(35), i32(0))),
  );
  silent.read(join(...answers));
  t.equal(silent.sink.failure?.reason, 'protocol_error');
  for (const node of ['1', BOOTSTRAP]) {
    const nobody = new KafkaBench().dial(node);
    nobody.read(greetingAnswers(nobody.session.greeting(null), { brokers: [] }));
    t.equal(nobody.sink.failure?.reason, 'dial_failed', node);
    t.notOk(nobody.sink.facts.includes('ready'));
  }
});

t.test('a broker that answers ApiVersions with any error has told nothing', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.dial(BOOTSTRAP);
  const failed = requestsIn(connection.session.greeting(null)).map(({ key, version, id }) =>
    key === 3
      ? answer(3, version, id, metadataBody(version, BROKERS))
      : answer(18, version, id, apiVersionsBody(version, ALL_RANGES, [], 42)),
  );
  connection.read(join(...failed));
  t.equal(connection.sink.failure?.reason, 'protocol_error');
  const asks = apiVersionsRequest(0, 1);
  t.equal(bench.client(BOOTSTRAP).inspect(asks, 0, asks.length, true, false), Verdict.learn);
});

t.test('a broker that names nobody, not even itself, does not make everybody go missing', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  for (const version of [1, 13]) {
    connection.ask(bench.client(), anyRequest(3, version, 1));
    connection.read(answer(3, version, 1, metadataBody(version, [])));
  }
  t.equal(connection.sink.topologies.length, 2);
  t.notOk(connection.sink.topologies.some(({ complete }) => complete));
});

t.test('a greeting answered with nonsense ends the dial', async (t) => {
  const bytes = greetingAnswers(new KafkaBench().dial().session.greeting(null));
  for (const at of [0, 4, 10]) {
    const connection = new KafkaBench().dial();
    connection.session.greeting(null);
    const broken = Buffer.from(bytes);
    broken.fill(0xff, at, at + 4);
    connection.read(broken);
    t.not(connection.sink.failure, null, `byte ${at}`);
    t.notOk(connection.sink.facts.includes('ready'));
  }
  const short = new KafkaBench().dial();
  const [first] = requestsIn(short.session.greeting(null));
  short.read(answer(18, 0, first?.id ?? 0, apiVersionsBody(4, ALL_RANGES).subarray(0, 40)));
  t.equal(short.sink.failure?.reason, 'protocol_error');
});

t.test('a client that was told more than this broker can is not let on it', async (t) => {
  const bench = new KafkaBench();
  const first = bench.connect();
  const client = bench.client();
  const asks = apiVersionsRequest(0, 1);
  t.equal(client.inspect(asks, 0, asks.length, true, false), Verdict.answer);
  client.answer();
  t.equal(first.ask(client, anyRequest(2, 1, 2)), undefined, 'it is let on the one that told');
  const limits: readonly BrokerTraits[] = [
    { ranges: ALL_RANGES.map((range) => (range.key === 0 ? { ...range, max: 11 } : range)) },
    { ranges: ALL_RANGES.map((range) => (range.key === 1 ? { ...range, min: 4 } : range)) },
    { ranges: ALL_RANGES.filter(({ key }) => key !== 12) },
  ];
  for (const traits of limits) {
    const connection = bench.connect(traits);
    t.equal(connection.ask(client, anyRequest(2, 1, 2)), 'versions_changed');
    t.equal(connection.session.owed, 0, 'nothing was registered');
  }
  const same = bench.connect();
  t.equal(same.ask(client, anyRequest(2, 1, 3)), undefined);
  const more = bench.connect({ ranges: ALL_RANGES.map((range) => ({ ...range, max: range.max + 3 })) });
  t.equal(more.ask(client, anyRequest(2, 1, 4)), undefined);
});

t.test('a client that asked for no versions is let on any broker', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect({ ranges: ALL_RANGES.filter(({ key }) => key < 4 || key === 18) });
  t.equal(connection.ask(bench.client(), anyRequest(12, 0, 1)), undefined);
});

t.test('a broker that throttles our greeting mutes the connection, for as long as it says at most', async (t) => {
  for (const [traits, muted] of [
    [{ throttles: [40, 70, 0] }, ['muted 70']],
    [{ throttles: [90, 70, 0] }, ['muted 90']],
    [{ throttles: [0, 60, 0], apiVersions: 3 }, ['muted 60']],
    [{ throttles: [60, 60, 60], apiVersions: 0 }, []],
    [{}, []],
  ] as const) {
    const bench = new KafkaBench();
    const connection = bench.dial();
    connection.read(greetingAnswers(connection.session.greeting(null), traits));
    t.same(connection.sink.facts, ['named', 'ready', ...muted]);
  }
});
