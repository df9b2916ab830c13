/** Whatever anybody sends: a typed end for whoever sent it, and never an exception. */
import fc from 'fast-check';
import t from 'tap';
import { Verdict } from '../../../src/contract/protocol.ts';
import { commandIn, fieldsOf } from '../../../src/protocols/pulsar/message.ts';
import { isSoundQuestion } from '../../../src/protocols/pulsar/soundness.ts';
import { rawFrame } from '../../support/pulsar/frames.ts';
import { RecordingSink } from '../recording-sink.ts';
import { commandsIn, Fixture } from './session-fixture.ts';

const TOPIC = 'persistent://public/default/orders';
const RUNS = { numRuns: 1000, seed: 5 };

const varint = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => {
  const bytes: number[] = [];
  for (let left = value; ; left >>= 7n) {
    if (left < 0x80n) return Buffer.from([...bytes, Number(left)]);
    bytes.push(Number(left & 0x7fn) | 0x80);
  }
});
const small = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));
const number = fc.integer({ min: 1, max: 12 });

/** Fields that could be those of a command. */
const field = fc.oneof(
  fc.tuple(number, varint).map(([of, value]) => Buffer.concat([Buffer.from([of << 3]), value])),
  fc.tuple(number, small).map(([of, value]) => Buffer.concat([Buffer.from([(of << 3) | 2, value.length]), value])),
  small,
);
/** Field 2, a number: where the request id of a lookup stands. */
const idField = varint.map((value) => Buffer.concat([Buffer.from([2 << 3]), value]));
const topicField = fc.constant(Buffer.concat([Buffer.from([(1 << 3) | 2, TOPIC.length]), Buffer.from(TOPIC)]));
const message = fc.array(field, { maxLength: 6 }).map((fields) => Buffer.concat(fields));

function tag(of: number): Buffer {
  const value = (of << 3) | 2;
  return value < 0x80 ? Buffer.from([value]) : Buffer.from([(value & 0x7f) | 0x80, value >> 7]);
}

/** Frames of which something may be wrong: the fields, or the whole command. */
const anyFrame = fc.oneof(
  fc.tuple(fc.integer({ min: 2, max: 90 }), message).map(([type, fields]) => {
    const length = Buffer.from([(fields.length & 0x7f) | 0x80, fields.length >> 7]);
    return rawFrame(Buffer.concat([Buffer.from([8, type]), tag(type), length, fields]));
  }),
  small.map((bytes) => rawFrame(bytes)),
  small,
);

t.test('a client may send anything, at any time', async () => {
  const fixture = new Fixture();
  fixture.client();
  const verdicts = new Set<Verdict>();
  fc.assert(
    fc.property(fc.boolean(), fc.array(anyFrame, { minLength: 1, maxLength: 3 }), (isGreeted, frames) => {
      const session = isGreeted ? fixture.client().session : fixture.route.client('bootstrap');
      const bytes = Buffer.concat(frames);
      for (let end = 0; end <= bytes.length; end += 1) {
        const verdict = session.inspect(bytes, 0, end, true);
        verdicts.add(verdict);
        if (verdict === Verdict.answer || verdict === Verdict.dismiss) commandsIn(session.answer());
        if (verdict !== Verdict.incomplete) break;
      }
      session.close();
    }),
    RUNS,
  );
  for (const verdict of [Verdict.incomplete, Verdict.forward, Verdict.close, Verdict.discard, Verdict.answer])
    if (!verdicts.has(verdict)) throw new Error(`verdict ${verdict} never came`);
});

function isSound(bytes: Buffer): boolean {
  try {
    return isSoundQuestion(bytes, commandIn(bytes, 0));
  } catch {
    return false;
  }
}

for (const purpose of ['lookup', 'own'] as const) {
  t.test(`a broker may send anything over a connection for ${purpose}`, async () => {
    const reasons = new Set<string>();
    fc.assert(
      fc.property(
        fc.array(anyFrame, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 40 }),
        (frames, size) => {
          const fixture = new Fixture();
          const client = fixture.client();
          const link = fixture.link(purpose === 'own' ? client.session.ownPurpose : purpose);
          link.session.lend('a');
          if (purpose === 'lookup') link.asks(client, 'a', 'LOOKUP', { topic: TOPIC, requestId: 1n });
          else link.asks(client, 'a', 'PRODUCER', { topic: TOPIC, producerId: 1n, requestId: 1n });
          const bytes = Buffer.concat(frames);
          for (let at = 0; at < bytes.length && link.sink.failure === null; at += size) {
            link.reads(bytes.subarray(at, at + size));
            if (purpose === 'lookup') commandsIn(link.sink.delivered('a')); // whole frames only
          }
          reasons.add(link.sink.failure?.reason ?? '');
          if (link.session.owed < 0) throw new Error('less than nothing is owed');
        },
      ),
      RUNS,
    );
    for (const reason of ['', 'protocol_error']) if (!reasons.has(reason)) throw new Error(`${reason} never came`);
  });
}

t.test('a broker may answer CONNECT with anything', async () => {
  fc.assert(
    fc.property(anyFrame, (bytes) => {
      const fixture = new Fixture();
      const session = fixture.route.upstream<string>({ node: 'b:1', host: 'b', port: 1 }, '', 'lookup');
      session.greeting(null);
      const sink = new RecordingSink();
      session.read(bytes, 0, bytes.length, sink);
      if (sink.all().length > 0) throw new Error('nobody uses this connection yet');
      if (sink.facts.includes('ready') && session.owed > 0) throw new Error('ready, and CONNECTED is owed');
    }),
    RUNS,
  );
});

t.test('a question that a client writes strangely reaches the broker with an id of ours, and one alone', async (t) => {
  let forwards = 0;
  fc.assert(
    fc.property(fc.tuple(message, topicField, message, idField, message), (parts) => {
      const fields = Buffer.concat(parts);
      const fixture = new Fixture();
      const client = fixture.client();
      const link = fixture.link('lookup');
      const length = Buffer.from([(fields.length & 0x7f) | 0x80, fields.length >> 7]);
      const strange = rawFrame(Buffer.concat([Buffer.from([8, 23]), tag(23), length, fields]));
      if (client.verdict(strange) !== Verdict.forward) return;
      link.asks(client, 'b', 'LOOKUP', { topic: TOPIC, requestId: 1n });
      client.verdict(strange);
      if (!isSound(strange)) return;
      const forwarded = link.forwards(client, 'a', strange);
      const { type, at, end } = commandIn(forwarded, 0);
      const ids = fieldsOf(forwarded, at, end).filter(({ number: of }) => of === 2);
      if (type !== 23 || ids.length !== 1 || ids[0]?.value !== 2n || forwarded.length !== 4 + forwarded.readUInt32BE(0))
        throw new Error(`type ${type}, ids ${ids.map(({ value }) => value)}`);
      forwards += 1;
    }),
    RUNS,
  );
  t.ok(forwards > 50, `${forwards} were forwarded`);
});
