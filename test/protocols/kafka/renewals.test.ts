/** What is asked on behalf of sleepers asks for nothing but an answer. */
import t from 'tap';
import { Verdict } from '../../../src/contract/protocol.ts';
import { answer, metadataBody } from './answers.ts';
import { hear, type Talk, verdictOf } from './housekeeping.ts';
import { BROKERS, type Connection, KafkaBench, requestsIn } from './kafka-bench.ts';
import { type MetadataOptions, metadataRequest, request } from './requests.ts';
import { i16 } from './wire.ts';

const NEWEST = 13;
const FIRST_WITH_FLAG = 4;

/** Everything behind the client id. */
function restOf(bytes: Buffer, clientId: string): Buffer {
  return bytes.subarray(bytes.indexOf(clientId) + clientId.length);
}

function renewed({ session }: Connection): Buffer[] {
  return requestsIn(session.refresh()).map(({ bytes }) => restOf(bytes, 'slackwater'));
}

function question(version: number, asked: MetadataOptions): Buffer {
  return restOf(metadataRequest(version, 0, asked), 'application');
}

t.test('a question that would create topics is renewed without creating any', async (t) => {
  for (let version = FIRST_WITH_FLAG; version <= NEWEST; version += 1) {
    const topics = ['orders', 'deleted-since'];
    const bench = new KafkaBench();
    const connection = bench.connect();
    const client = bench.client();
    hear(connection, client, { asked: { topics, autoCreate: true }, version });
    hear(connection, client, { asked: { topics: [], autoCreate: true }, version });
    t.same(
      renewed(connection),
      [topics, []].map((names) => question(version, { topics: names, autoCreate: false })),
      `v${version}`,
    );
  }
});

t.test(
  'before version 4, where topics are created whatever one says, only questions that name none are renewed',
  async (t) => {
    for (let version = 0; version < FIRST_WITH_FLAG; version += 1) {
      const bench = new KafkaBench();
      const connection = bench.connect();
      hear(connection, bench.client(), { asked: { topics: ['orders'] }, version });
      t.same(renewed(connection), [], `v${version}`);
      const rest = [...(version > 0 ? [null] : []), []];
      for (const topics of rest) hear(connection, bench.client(), { asked: { topics }, version });
      t.same(
        renewed(connection),
        rest.map((topics) => question(version, { topics })),
        `v${version}, all topics or none`,
      );
    }
  },
);

t.test('the answer is for whoever asked with the flag, and asks a broker itself when a topic is missing', async (t) => {
  for (const version of [4, 8, 9, 12]) {
    const bench = new KafkaBench();
    const connection = bench.connect();
    const client = bench.client();
    const creating: Talk = { asked: { autoCreate: true }, version };
    hear(connection, client, creating);
    const [first] = requestsIn(connection.session.refresh());
    connection.read(answer(3, version, first?.id ?? 0, metadataBody(version, BROKERS)));
    t.equal(verdictOf(client, creating), Verdict.answer);
    t.equal(verdictOf(client, { version }), Verdict.forward, 'not for whoever asked without');
    const [second] = requestsIn(connection.session.refresh());
    connection.read(answer(3, version, second?.id ?? 0, metadataBody(version, BROKERS, { topicError: 3 })));
    t.equal(verdictOf(client, creating), Verdict.forward, 'it may create the topic again');
  }
});

t.test('a question that does not follow its grammar is not renewed, even if a broker answered it', async (t) => {
  const broken = [
    [9, Buffer.from([5])],
    [9, Buffer.from([1])],
    [10, Buffer.from([2, 1, 2, 3])],
    [4, i16(0)],
    [1, i16(0)],
  ] as const;
  for (const [version, body] of broken) {
    const bench = new KafkaBench();
    const connection = bench.connect();
    connection.ask(bench.client(), request(3, version, 1, { body }));
    connection.read(answer(3, version, 1, metadataBody(version, BROKERS)));
    hear(connection, bench.client());
    t.same(renewed(connection), [question(9, {})], `v${version}`);
  }
});
