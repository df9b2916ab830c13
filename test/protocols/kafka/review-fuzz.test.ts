import fc from 'fast-check';
import t from 'tap';
import { type ClientSession, type UpstreamSession, Verdict } from '../../../src/contract/protocol.ts';
import { APIS } from '../../../src/protocols/kafka/api-table.ts';
import { fetchBody, SAMPLES } from './review-answers.ts';
import { ask, asked, Bench, Sink } from './review-bench.ts';
import { answer } from './review-wire.ts';

const RUNS = 1000;
const BROKERS = [
  { id: 1, host: 'broker-one.internal', port: 9092 },
  { id: 2, host: 'b2', port: 9093 },
];

interface Known {
  readonly key: number;
  readonly version: number;
  readonly flexible: boolean;
  readonly body: Buffer;
}

const ANSWERS: Known[] = SAMPLES.flatMap(({ key, versions, firstFlexible, body }) =>
  Array.from({ length: versions[1] - versions[0] + 1 }, (_, index) => {
    const version = versions[0] + index;
    return { key, version, flexible: version >= firstFlexible, body: body(version, BROKERS, 3) };
  }),
);
for (const version of [4, 11, 12, 16, 18]) {
  ANSWERS.push({ key: 1, version, flexible: version >= 12, body: fetchBody(version, BROKERS, 3, 0) });
}
ANSWERS.push({ key: 12, version: 0, flexible: false, body: Buffer.from([0, 0]) });

/** Reads `bytes` in pieces until the connection fails, each piece in a buffer that is spoilt afterwards. */
function readIn(session: UpstreamSession<string>, bytes: Buffer, cuts: readonly number[]): Sink {
  const sink = new Sink();
  let from = 0;
  for (const cut of [...new Set(cuts.map((each) => each % (bytes.length + 1)))]
    .sort((a, b) => a - b)
    .concat(bytes.length)) {
    const chunk = Buffer.from(bytes.subarray(from, cut));
    session.read(chunk, 0, chunk.length, sink);
    chunk.fill(0xee);
    from = cut;
    if (sink.failures.length > 0) break;
  }
  return sink;
}

function asking(list: readonly Known[]): UpstreamSession<string> {
  const bench = new Bench();
  const session = bench.upstream();
  const client = bench.route.client('1');
  for (const [index, { key, version }] of list.entries()) ask(session, client, asked(key, version, index + 1));
  return session;
}

const answers = fc.array(fc.constantFrom(...ANSWERS), { minLength: 1, maxLength: 6 });
const cuts = fc.array(fc.nat(), { maxLength: 12 });

t.test('any split of any answers yields the same bytes, and nothing is owed afterwards', async (t) => {
  fc.assert(
    fc.property(answers, cuts, (list, cuts) => {
      const bytes = Buffer.concat(list.map(({ flexible, body }, index) => answer(index + 1, flexible, body)));
      const whole = readIn(asking(list), bytes, []);
      const session = asking(list);
      const split = readIn(session, bytes, cuts);
      t.equal(session.owed, 0);
      return (
        split.failures.length === 0 &&
        whole.delivered.equals(split.delivered) &&
        !split.delivered.includes('broker-one') &&
        split.events.filter((event) => event === 'worked').length === list.filter(({ key }) => APIS[key]?.work).length
      );
    }),
    { numRuns: 300 },
  );
});

t.test(
  'spoilt answers never throw, fail once, and what was complete before is delivered however they are split',
  async () => {
    fc.assert(
      fc.property(answers, cuts, fc.nat(), fc.integer({ min: 0, max: 255 }), (list, cuts, where, byte) => {
        const frames = list.map(({ flexible, body }, index) => answer(index + 1, flexible, body));
        const bytes = Buffer.concat(frames);
        const at = where % bytes.length;
        bytes[at] = byte;
        const whole = readIn(asking(list), bytes, []);
        const split = readIn(asking(list), bytes, cuts);
        if (whole.failures.length > 1 || split.failures.length > 1) return false;
        if (whole.failures[0]?.reason !== split.failures[0]?.reason) return false;
        // What lay wholly before the spoilt byte arrives; of the answer that broke the connection a part may have passed.
        let before = 0;
        let boundary = 0;
        for (const frame of frames) {
          boundary += frame.length;
          if (boundary <= at) before += 1;
        }
        const good = readIn(asking(list), Buffer.concat(frames.slice(0, before)), []).delivered;
        return [whole, split].every(({ delivered }) => delivered.subarray(0, good.length).equals(good));
      }),
      { numRuns: RUNS },
    );
  },
);

t.test('random bytes from a broker never throw and end the connection or are waited for', async () => {
  fc.assert(
    fc.property(answers, cuts, fc.uint8Array({ maxLength: 200 }), (list, cuts, random) => {
      readIn(asking(list), Buffer.from(random), cuts);
      return true;
    }),
    { numRuns: RUNS },
  );
});

function verdictOf(client: ClientSession, bytes: Buffer): string {
  const verdict = client.inspect(bytes, 0, bytes.length, true, false);
  const { size, demand, pin, work, closeReason } = client;
  if (verdict === Verdict.incomplete) return 'incomplete';
  return JSON.stringify({
    verdict,
    size,
    ...(verdict === Verdict.forward ? { demand, pin, work } : {}),
    ...(verdict === Verdict.close ? { closeReason } : {}),
  });
}

t.test('random and plausible requests never throw, are judged the same twice, and a verdict stands', async () => {
  const plausible = fc
    .tuple(
      fc.integer({ min: -2, max: 100 }),
      fc.integer({ min: -1, max: 20 }),
      fc.uint8Array({ maxLength: 60 }),
      fc.nat(),
    )
    .map(([key, version, rest]) => {
      const body = Buffer.alloc(8 + rest.length);
      body.writeInt16BE(key, 0);
      body.writeInt16BE(version, 2);
      body.set(rest, 8);
      const length = Buffer.alloc(4);
      length.writeInt32BE(body.length);
      return Buffer.concat([length, body]);
    });
  const random = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.oneof(plausible, random), (bytes) => {
      const bench = new Bench();
      bench.upstream();
      const once = verdictOf(bench.route.client('1'), bytes);
      const client = bench.route.client('1');
      let settled = '';
      for (let end = 0; end <= bytes.length; end += 1) {
        const verdict = verdictOf(client, bytes.subarray(0, end));
        if (settled !== '' && !settled.includes('"verdict":1') && verdict !== settled) return false;
        if (verdict !== 'incomplete') settled = verdict;
      }
      return verdictOf(client, bytes) === once && (settled === '' ? once === 'incomplete' : true);
    }),
    { numRuns: RUNS },
  );
});
