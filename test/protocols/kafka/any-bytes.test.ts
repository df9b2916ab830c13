/** Whatever a broker or a client sends, in whatever pieces: nothing throws, and what was sound before it arrives. */
import fc from 'fast-check';
import t from 'tap';
import { type ClientSession, Verdict } from '../../../src/contract/protocol.ts';
import type { RecordingSink } from '../recording-sink.ts';
import { answer } from './answers.ts';
import { rowOf } from './api-fixture.ts';
import { BROKERS, type Connection, KafkaBench } from './kafka-bench.ts';
import { anyRequest } from './requests.ts';
import { NAMING, PASSING, type Sample } from './samples.ts';
import { frame, i16, join } from './wire.ts';

const RUNS = { numRuns: 1000 };

const samples = fc.array(fc.constantFrom(...NAMING, ...PASSING), { minLength: 1, maxLength: 6 });
const cuts = fc.array(fc.nat(), { maxLength: 12 });

/** A connection that owes the answers to these. */
function asking(list: readonly Sample[]): Connection {
  const bench = new KafkaBench();
  const connection = bench.connect();
  const client = bench.client();
  for (const [index, { key, version }] of list.entries()) connection.ask(client, anyRequest(key, version, index + 1));
  return connection;
}

function answersTo(list: readonly Sample[]): Buffer[] {
  return list.map(({ key, version, body }, index) => answer(key, version, index + 1, body(BROKERS, 3)));
}

/** Reads `bytes` in pieces until the connection fails. */
function readIn({ session, sink }: Connection, bytes: Buffer, at: readonly number[]): RecordingSink {
  const ends = [...new Set(at.map((each) => each % (bytes.length + 1)))].sort((one, other) => one - other);
  let from = 0;
  for (const to of [...ends, bytes.length]) {
    const piece = Buffer.from(bytes.subarray(from, to));
    session.read(piece, 0, piece.length, sink);
    piece.fill(0xee);
    from = to;
    if (sink.failure !== null) break;
  }
  return sink;
}

t.test('any answers arrive the same however they are split, and nothing is owed afterwards', async () => {
  fc.assert(
    fc.property(samples, cuts, (list, cuts) => {
      const bytes = join(...answersTo(list));
      const connection = asking(list);
      const split = readIn(connection, bytes, cuts);
      const works = list.filter(({ key }) => rowOf(key).clock === 'yes').length;
      return (
        split.failure === null &&
        connection.session.owed === 0 &&
        split.delivered().equals(readIn(asking(list), bytes, []).delivered()) &&
        split.facts.filter((fact) => fact === 'worked').length === works &&
        !BROKERS.some(({ host }) => split.delivered().includes(host))
      );
    }),
    RUNS,
  );
});

t.test('one spoilt byte ends a connection for one reason however it is split, behind the sound answers', async () => {
  fc.assert(
    fc.property(samples, cuts, fc.nat(), fc.integer({ min: 0, max: 255 }), (list, cuts, where, byte) => {
      const frames = answersTo(list);
      const bytes = join(...frames);
      const at = where % bytes.length;
      bytes[at] = byte;
      const whole = readIn(asking(list), bytes, []);
      const split = readIn(asking(list), bytes, cuts);
      if (whole.failure?.reason !== split.failure?.reason) return false;
      let boundary = 0;
      const sound = frames.filter(({ length }) => {
        boundary += length;
        return boundary <= at;
      });
      const arrived = readIn(asking(list), join(...sound), []).delivered();
      return [whole, split].every((sink) => sink.delivered().subarray(0, arrived.length).equals(arrived));
    }),
    RUNS,
  );
});

t.test('random bytes from a broker never throw: they end the connection or are waited for', async () => {
  fc.assert(
    fc.property(samples, cuts, fc.uint8Array({ maxLength: 200 }), (list, cuts, random) => {
      const connection = asking(list);
      const { failure } = readIn(connection, Buffer.from(random), cuts);
      return failure !== null || random.length === 0 || connection.session.inAnswer;
    }),
    RUNS,
  );
});

/** All that counts of a verdict. */
function judge(client: ClientSession, bytes: Buffer): string {
  const verdict = client.inspect(bytes, 0, bytes.length, true, false);
  const { size, demand, pin, work, closeReason } = client;
  switch (verdict) {
    case Verdict.incomplete:
      return 'incomplete';
    case Verdict.forward:
      return JSON.stringify({ forward: true, size, demand, pin, work });
    case Verdict.close:
      return JSON.stringify({ closeReason });
    default:
      return JSON.stringify({ verdict, size });
  }
}

const plausible = fc
  .tuple(fc.integer({ min: -2, max: 100 }), fc.integer({ min: -1, max: 20 }), fc.uint8Array({ maxLength: 60 }))
  .map(([key, version, rest]) => frame(i16(key), i16(version), Buffer.from(rest)));
const random = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));

t.test('any request is judged the same twice, and once judged not otherwise when more of it comes', async () => {
  fc.assert(
    fc.property(fc.oneof(plausible, random), (bytes) => {
      const bench = new KafkaBench();
      bench.connect();
      const client = bench.client();
      const verdicts = Array.from({ length: bytes.length + 1 }, (_, end) => judge(client, bytes.subarray(0, end)));
      const first = verdicts.findIndex((each) => each !== 'incomplete');
      const last = verdicts.at(-1) ?? '';
      // What goes to a broker may turn out to be malformed, or answered here, once it is complete.
      const isFinal = (each: string): boolean => each === last || each.includes('forward');
      return judge(bench.client(), bytes) === last && judge(client, bytes) === last
        ? first < 0 || verdicts.slice(first).every(isFinal)
        : false;
    }),
    RUNS,
  );
});
