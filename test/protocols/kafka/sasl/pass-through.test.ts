/** Clients that authenticate themselves to the broker, each over a connection of its own. */
import fc from 'fast-check';
import t from 'tap';
import { type ClientSession, Demand, Verdict } from '../../../../src/contract/protocol.ts';
import { BOOTSTRAP } from '../../../../src/contract/topology.ts';
import { answer, apiVersionsBody, heartbeatBody, metadataBody, produceBody } from '../answers.ts';
import { ALL_RANGES, BROKERS, type Connection, KafkaBench, local, requestsIn } from '../kafka-bench.ts';
import { anyRequest, apiVersionsRequest, fetchRequest, metadataRequest, produceRequest, request } from '../requests.ts';
import { form, frame, i16, i32, join } from '../wire.ts';
import { authenticateRequest, handshakeRequest } from './sasl-application.ts';
import { authenticateAnswer } from './sasl-broker.ts';

interface Passing {
  readonly bench: KafkaBench;
  readonly connection: Connection;
  readonly client: ClientSession;
}

/** A connection that has told its versions, and a client that came for it. */
function passing(node = '1'): Passing {
  const bench = new KafkaBench({ saslPassThrough: true });
  const connection = bench.dial(node);
  const [asked] = requestsIn(connection.session.greeting(null));
  connection.read(answer(18, 4, asked?.id ?? 0, apiVersionsBody(4, ALL_RANGES)));
  if (connection.sink.facts.join() !== 'ready') throw new Error(`not ready: ${connection.sink.failure?.detail}`);
  connection.sink.reset();
  return { bench, connection, client: bench.client(node) };
}

function shakes(version: number, mechanism: string, id = 1): readonly [Buffer, Buffer] {
  return [handshakeRequest(version, id, mechanism), answer(17, version, id, join(i16(0), form(false).array([])))];
}

/** Sends it to the broker and reads what that answers; throws unless it goes there, pinned hard. */
function pass({ connection, client }: Passing, bytes: Buffer, answered: Buffer, cuts: readonly number[] = []): void {
  const refusal = connection.ask(client, bytes);
  if (refusal !== undefined || client.demand !== Demand.pinHard || client.pin !== 'sasl' || !client.pinned)
    throw new Error(`not passed: ${refusal} ${client.demand} ${client.pin}`);
  if (client.size !== bytes.length) throw new Error(`${client.size} bytes, not ${bytes.length}`);
  connection.read(answered, cuts);
}

const TOKENS: Readonly<Record<string, readonly (readonly [string, string | null])[]>> = {
  PLAIN: [['\0alice\0secret', '']],
  'SCRAM-SHA-256': [
    ['n,,n=alice,r=abc', 'r=abcdef,s=c2FsdA==,i=4096'],
    ['c=biws,r=abcdef,p=AAAA', 'v=AAAA'],
  ],
  OAUTHBEARER: [['n,,\x01auth=Bearer token\x01\x01', '']],
  'OAUTHBEARER with an error': [
    ['n,,\x01auth=Bearer token\x01\x01', '{"status":"invalid_token"}'],
    ['\x01', ''],
  ],
  GSSAPI: [
    ['\x60\x82\x02\x63\x06\x09\x2a\x86\x48\x86\xf7\x12', '\x60\x82\x00\x63'],
    ['', '\x05\x04\x04\xff\x00\x0c\x00\x00\x00\x00\x00\x00'],
    ['\x05\x04\x04\xff\x00\x0c\x00\x00\x00\x00\x00\x00\x01', null],
  ],
};

t.test('a greeting is one ApiVersions, in an older version each time the broker does not know it', async (t) => {
  for (const [knows, tells, asked] of [
    [4, true, [4]],
    [3, true, [4, 3]],
    [2, true, [4, 2]],
    [0, true, [4, 0]],
    [0, false, [4, 0]],
  ] as const) {
    const bench = new KafkaBench({ saslPassThrough: true });
    const connection = bench.dial();
    const versions: number[] = [];
    let written: Buffer | undefined = connection.session.greeting(null);
    while (written !== undefined) {
      const requests = requestsIn(written);
      t.strictSame(
        requests.map(({ key }) => key),
        [18],
      );
      const [{ version, id } = { version: -1, id: 0 }] = requests;
      versions.push(version);
      const before = connection.sink.replies.length;
      const supported = tells ? [{ key: 18, min: 0, max: knows }] : [];
      connection.read(
        version <= knows
          ? answer(18, version, id, apiVersionsBody(version, ALL_RANGES))
          : answer(18, 0, id, apiVersionsBody(0, supported, [], 35)),
      );
      written = connection.sink.replies.slice(before).at(0);
    }
    t.strictSame(versions, asked);
    t.strictSame(connection.sink.facts, ['ready']);
    t.equal(connection.session.owed, 0);
  }
});

t.test('a broker that tells no versions at all fails its dial', async (t) => {
  const connection = new KafkaBench({ saslPassThrough: true }).dial();
  let written: Buffer | undefined = connection.session.greeting(null);
  for (let round = 0; written !== undefined && round < 9; round += 1) {
    const [{ id } = { id: 0 }] = requestsIn(written);
    const before = connection.sink.replies.length;
    connection.read(answer(18, 0, id, apiVersionsBody(0, [{ key: 18, min: 0, max: 99 }], [], 35)));
    written = connection.sink.replies.slice(before).at(0);
  }
  t.equal(connection.sink.failure?.reason, 'protocol_error');
  t.notOk(connection.sink.facts.includes('ready'));
});

t.test('we ask nothing of our own on such a connection, and nobody but clients asks for the topology', async (t) => {
  const { bench, connection } = passing();
  t.equal(bench.route.asksForTopology, false);
  t.equal(connection.session.ping(), undefined);
  t.equal(connection.session.refresh(), undefined);
  t.equal(new KafkaBench().route.asksForTopology, true);
});

t.test(
  'ApiVersions are answered here, as often as asked for, and offer SASL as far as the broker has it',
  async (t) => {
    const { bench, client } = passing();
    for (const version of [0, 3, 4]) {
      const bytes = apiVersionsRequest(version, 5);
      t.equal(client.inspect(bytes, 0, bytes.length, true, false), Verdict.answer);
      const told = client.answer();
      const offered = ALL_RANGES.filter(({ key }) => key === 17 || key === 36);
      for (const { key, max } of offered) t.ok(told.includes(join(i16(key), i16(0), i16(max))), `v${version} ${key}`);
    }
    t.equal(client.pinned, false);
    t.equal(bench.route.counts().absorbed.get('ApiVersions'), 3);
  },
);

for (const [mechanism, rounds] of Object.entries(TOKENS)) {
  t.test(`${mechanism}: requests and answers pass as they are, in every piece`, async (t) => {
    const all = (length: number): number[] => Array.from({ length: length - 1 }, (_, index) => index + 1);
    for (const cuts of [() => [], all]) {
      const link = passing();
      const heard: Buffer[] = [];
      const [asks, answers] = shakes(1, mechanism);
      pass(link, asks, answers, cuts(answers.length));
      heard.push(answers);
      for (const [token, reply] of rounds) {
        const answered = authenticateAnswer(2, 0, Buffer.from(reply ?? '', 'latin1'));
        pass(link, authenticateRequest(2, 2, Buffer.from(token, 'latin1')), answered, cuts(answered.length));
        heard.push(answered);
      }
      t.strictSame(link.connection.sink.delivered(), Buffer.concat(heard));
      t.equal(link.connection.sink.failure, null);
      t.equal(link.connection.session.owed, 0);
    }
  });

  t.test(`${mechanism}: bare tokens pass, and requests behind them are requests again`, async (t) => {
    const all = (length: number): number[] => Array.from({ length: length - 1 }, (_, index) => index + 1);
    for (const cuts of [() => [], all]) {
      const link = passing();
      const [asks, answers] = shakes(0, mechanism);
      pass(link, asks, answers);
      link.connection.sink.reset();
      const heard: Buffer[] = [];
      for (const [token, reply] of rounds) {
        const bare = frame(Buffer.from(token, 'latin1'));
        const answered = reply === null ? Buffer.alloc(0) : frame(Buffer.from(reply, 'latin1'));
        pass(link, bare, answered, cuts(answered.length));
        heard.push(answered);
        t.equal(link.connection.session.owed, 0);
      }
      t.strictSame(link.connection.sink.delivered(), Buffer.concat(heard));
      link.connection.sink.reset();
      pass(link, metadataRequest(9, 7), answer(3, 9, 7, metadataBody(9, BROKERS)));
      t.strictSame(link.connection.sink.delivered(), answer(3, 9, 7, metadataBody(9, local(BROKERS))));
    }
  });
}

t.test('bare tokens are told from requests by their beginning, however little there is of them', async (t) => {
  const requests = [
    apiVersionsRequest(3, 1),
    metadataRequest(0, 1),
    fetchRequest(12, 1, 500),
    produceRequest(9, 1, { acks: 0 }),
    request(17, 1, 1, { clientId: null, body: form(false).string('PLAIN') }),
    anyRequest(12, 4, 2 ** 31 - 1),
  ];
  const tokens = [
    '',
    '\x01',
    '\0alice\0secret',
    '\0A\0pw of twelve',
    'n,,n=alice',
    '\x60\x82\x02',
    '\x05\x04\x04\xff\0\x0c\0\0\0\0\0\0',
    '\0\x03\0\x09\0\0\0\x01\x7f\xff',
    '\0\x03\x7f\x00\0\0\0\x01\0\0',
    '\0\x03\0\x09\0\0',
  ];
  for (const [bytes, isToken] of [
    ...requests.map((bytes) => [bytes, false] as const),
    ...tokens.map((token) => [frame(Buffer.from(token, 'latin1')), true] as const),
  ]) {
    const link = passing();
    pass(link, ...shakes(0, 'GSSAPI'));
    pass(link, frame(Buffer.from('first')), Buffer.alloc(0));
    let isAbsorbed = false;
    for (let end = 0; end <= bytes.length; end += 1) {
      const verdict = link.client.inspect(bytes, 0, end, true, false);
      if (verdict === Verdict.answer) isAbsorbed = true;
      else if (verdict !== Verdict.incomplete && verdict !== Verdict.forward)
        t.fail(`${bytes.toString('hex')} at ${end}`);
    }
    if (isAbsorbed) link.client.answer();
    else link.connection.session.admit(link.client, 'a');
    const owes = !isToken && !isAbsorbed && !link.connection.session.unfenced;
    t.equal(link.connection.session.owed, owes ? 1 : 0, bytes.toString('latin1'));
  }
});

t.test('the first frame behind a handshake of version 0 is a token, whatever it looks like', async (t) => {
  const link = passing();
  pass(link, ...shakes(0, 'X-CUSTOM'));
  pass(link, metadataRequest(9, 7), frame(Buffer.from('token')));
  t.equal(link.connection.session.owed, 0);
  const tooLong = join(i32(512 * 1024 + 1), Buffer.alloc(40, 0x60));
  t.equal(link.client.inspect(tooLong, 0, tooLong.length, true, false), Verdict.close);
  t.equal(link.client.closeReason, 'protocol_error');
});

t.test('whatever else such a client asks is over its own connection, before SASL and behind it', async (t) => {
  const link = passing();
  pass(link, metadataRequest(9, 7), answer(3, 9, 7, metadataBody(9, BROKERS)));
  pass(link, ...shakes(1, 'PLAIN'));
  pass(link, anyRequest(12, 4, 8), answer(12, 4, 8, heartbeatBody(4)));
  pass(link, produceRequest(9, 9, { acks: 1 }), answer(0, 9, 9, produceBody(9, [])));
  pass(link, request(500, 0, 10), answer(500, 0, 10, Buffer.alloc(4)));
  pass(link, ...shakes(1, 'PLAIN', 11));
  t.equal(link.connection.sink.failure, null);
  const refused = anyRequest(4, 0, 1);
  t.equal(link.client.inspect(refused, 0, refused.length, true, false), Verdict.close);
});

t.test('SASL is no work, and no housekeeping is answered out of what others were told', async (t) => {
  const link = passing();
  for (const bytes of (TOKENS.PLAIN ?? []).map(([token]) => authenticateRequest(2, 2, Buffer.from(token)))) {
    link.client.inspect(bytes, 0, bytes.length, true, false);
    t.equal(link.client.work, false);
  }
  for (let round = 1; round < 4; round += 1) {
    for (const client of [link.client, link.bench.client()]) {
      const bytes = metadataRequest(9, round);
      t.equal(client.inspect(bytes, 0, bytes.length, true, false), Verdict.forward);
    }
    pass(link, metadataRequest(9, round), answer(3, 9, round, metadataBody(9, BROKERS)));
  }
});

t.test(
  "a client's own Metadata tells the brokers, and whether it is the cluster and the broker that was dialled",
  async (t) => {
    const link = passing();
    pass(link, metadataRequest(9, 1), answer(3, 9, 1, metadataBody(9, BROKERS)));
    t.equal(link.connection.sink.topologies[0]?.clusterId, 'cluster-1');
    const moved = BROKERS.map((broker) => (broker.node === 1 ? { ...broker, port: 9999 } : broker));
    for (const [brokers, clusterId, detail, named] of [
      [BROKERS, 'cluster-2', /cluster-2/, 0],
      [moved, 'cluster-1', /node 1 moved/, 1],
    ] as const) {
      const { sink, session } = link.bench.dial('1');
      const connection = { sink, session };
      const [asked] = requestsIn(session.greeting(null));
      const versions = answer(18, 4, asked?.id ?? 0, apiVersionsBody(4, ALL_RANGES));
      session.read(versions, 0, versions.length, sink);
      sink.reset();
      const client = link.bench.client();
      const bytes = metadataRequest(9, 1);
      client.inspect(bytes, 0, bytes.length, true, false);
      session.lend('a');
      session.admit(client, 'a');
      const told = answer(3, 9, 1, metadataBody(9, brokers, { clusterId }));
      session.read(told, 0, told.length, sink);
      t.equal(connection.sink.failure?.reason, 'cluster_changed');
      t.match(connection.sink.failure?.detail, detail);
      t.equal(connection.sink.topologies.length, named);
      t.equal(connection.sink.all().length, 0, 'the client hears nothing of it');
    }
    const leaving = BROKERS.slice(1);
    pass(link, metadataRequest(9, 2), answer(3, 9, 2, metadataBody(9, leaving)));
    t.equal(link.connection.sink.failure, null, 'a broker that is leaving serves its clients to the end');
    const seed = passing(BOOTSTRAP);
    pass(seed, metadataRequest(9, 1), answer(3, 9, 1, metadataBody(9, moved)));
    t.equal(seed.connection.sink.failure, null, 'a bootstrap address is no node');
  },
);

t.test('whatever a client and a broker say in bare tokens, nothing throws', async () => {
  const bytes = fc.uint8Array({ maxLength: 60 }).map((each) => Buffer.from(each));
  fc.assert(
    fc.property(fc.array(fc.tuple(bytes, bytes, fc.boolean()), { maxLength: 6 }), (rounds) => {
      const link = passing();
      pass(link, ...shakes(0, 'GSSAPI'));
      for (const [said, heard, framed] of rounds) {
        const token = framed ? frame(said) : said;
        const verdict = link.client.inspect(token, 0, token.length, true, false);
        if (verdict === Verdict.answer) link.client.answer();
        else if (verdict === Verdict.forward) link.connection.session.admit(link.client, 'a');
        else break;
        if (link.connection.sink.failure === null && heard.length > 0) link.connection.read(heard);
      }
      return true;
    }),
    { numRuns: 500 },
  );
});
