import t from 'tap';
import { Verdict } from '../../../src/contract/protocol.ts';
import { commandIn, fieldsOf, frameOf, MessageWriter } from '../../../src/protocols/pulsar/message.ts';
import {
  isSoundPayload,
  isSoundProducer,
  isSoundQuestion,
  soundnessOfSend,
} from '../../../src/protocols/pulsar/soundness.ts';
import { frame, payloadOf, rawFrame } from '../../support/pulsar/frames.ts';
import { Fixture } from './session-fixture.ts';

const TOPIC = 'persistent://public/default/orders';
const pair = (key?: string, value?: string) => new MessageWriter().text(1, key).text(2, value).finish();

function isSound(type: number, message: MessageWriter): boolean {
  const frame = frameOf(type, message);
  return isSoundQuestion(frame, commandIn(frame, 0));
}

t.test('questions as clients ask them are sound', async (t) => {
  t.ok(isSound(23, new MessageWriter().text(1, TOPIC).number(2, 1).flag(3, false).bytes(8, pair('k', 'v'))));
  t.ok(isSound(21, new MessageWriter().text(1, TOPIC).number(2, 1).flag(6, true)));
  for (const namespace of ['public/default', 'a-b/c.d', 't/cluster/n_1', 'a=b/c:d'])
    t.ok(isSound(32, new MessageWriter().number(1, 1).text(2, namespace).number(3, 2).text(4, 'a.*')), namespace);
  t.ok(isSound(34, new MessageWriter().number(1, 1).text(2, TOPIC)));
  t.ok(isSound(34, new MessageWriter().number(1, 1).text(2, TOPIC).bytes(3, Buffer.alloc(8))));
});

t.test('what would cost others their connection is not', async (t) => {
  const cases: [string, number, MessageWriter][] = [
    ['a lookup of nothing', 23, new MessageWriter().number(2, 1)],
    ['a lookup without an id', 23, new MessageWriter().text(1, TOPIC)],
    ['a lookup whose id is no number', 23, new MessageWriter().text(1, TOPIC).text(2, '1')],
    ['a lookup whose topic is a number', 23, new MessageWriter().number(1, 1).number(2, 1)],
    ['a property without a value', 23, new MessageWriter().text(1, TOPIC).number(2, 1).bytes(8, pair('k'))],
    ['a property without a key', 32, new MessageWriter().number(1, 1).text(2, 'a/b').bytes(6, pair(undefined, 'v'))],
    ['partitions of nothing', 21, new MessageWriter().number(2, 1)],
    ['topics of no namespace', 32, new MessageWriter().number(1, 1)],
    ['a schema of nothing', 34, new MessageWriter().number(1, 1)],
    ['a schema in half a version', 34, new MessageWriter().number(1, 1).text(2, TOPIC).bytes(3, Buffer.alloc(7))],
    ['another command', 4, new MessageWriter().text(1, TOPIC).number(2, 1)],
  ];
  for (const [name, type, message] of cases) t.notOk(isSound(type, message), name);
  for (const namespace of ['', 'a', 'a/', '/b', 'a/b/c/d', 'a/b c', 'a/ü', 'a/b\n'])
    t.notOk(isSound(32, new MessageWriter().number(1, 1).text(2, namespace)), JSON.stringify(namespace));
});

t.test('an unsound question closes its client, and is not written', async (t) => {
  const fixture = new Fixture();
  const client = fixture.client();
  const bytes = frameOf(23, new MessageWriter().number(2, 1));
  t.equal(client.verdict(bytes), Verdict.close);
  t.match([client.session.closeReason, client.session.closeDetail], ['protocol_error', /LOOKUP/]);
});

t.test('a message is sound by its sizes and its metadata, with and without a checksum', async (t) => {
  const payload = payloadOf({ producerName: 'p', sequenceId: 2n ** 63n, publishTime: 1n }, Buffer.from('body'));
  for (const sound of [payload, payload.subarray(6)]) {
    t.ok(isSoundPayload(Buffer.concat([Buffer.from('xx'), sound]), 2, 2 + sound.length));
    for (let length = 0; length < sound.length - 4; length += 1) {
      const isSound = (() => {
        try {
          return isSoundPayload(sound, 0, length);
        } catch {
          return false;
        }
      })();
      t.notOk(isSound, `cut at ${length}`);
    }
  }
});

t.test('a message without what every broker asks for is not sound', async (t) => {
  const size = (metadata: Buffer) => Buffer.from([0, 0, 0, metadata.length]);
  const metadata = () => new MessageWriter().text(1, 'p').number(2, 0).number(3, 1);
  const whole = metadata().finish();
  t.ok(isSoundPayload(Buffer.concat([size(whole), whole]), 0, 4 + whole.length));
  for (const { number, start, end } of fieldsOf(whole, 0, whole.length)) {
    const left = Buffer.concat([whole.subarray(0, start), whole.subarray(end)]);
    t.notOk(isSoundPayload(Buffer.concat([size(left), left]), 0, 4 + left.length), `field ${number}`);
  }
  const bad = metadata().bytes(4, pair('k')).finish();
  t.notOk(isSoundPayload(Buffer.concat([size(bad), bad]), 0, 4 + bad.length), 'a property without a value');
});

t.test('a message may go where others go if a broker takes its sender alone to task for it', async (t) => {
  const payload = payloadOf({ producerName: 'p', sequenceId: 0n, publishTime: 1n }, Buffer.from('body'));
  const send = frame('SEND', { producerId: 2n ** 62n, sequenceId: 2n ** 63n, numMessages: 1 }, payload);
  const within = Buffer.concat([Buffer.from('xyz'), send, send]);
  t.equal(soundnessOfSend(within, 3, within.length), 'sound');
  t.equal(soundnessOfSend(within, 3, 3 + send.length - 1), 'sound', 'what is not there yet is looked at later');
  const cases: [string, Buffer][] = [
    ['without a producer', frame('SEND', { sequenceId: 1n }, payload)],
    ['without a sequence id', frame('SEND', { producerId: 1n }, payload)],
    ['a chunk that says not which', frame('SEND', { producerId: 1n, sequenceId: 1n, isChunk: true }, payload)],
    ['of two producers', rawFrame(Buffer.from('080632060801080210 00'.replaceAll(' ', ''), 'hex'), payload)],
    ['a copy', rawFrame(Buffer.from('08063206080110004a00', 'hex'), payload)],
    ['without a message', frame('SEND', { producerId: 1n, sequenceId: 1n })],
    ['with half a message', frame('SEND', { producerId: 1n, sequenceId: 1n }, payload.subarray(0, 12))],
    ['that is none', frame('FLOW', { consumerId: 1n, permits: 1 }, payload)],
  ];
  for (const [name, bytes] of cases) t.equal(soundnessOfSend(bytes, 0, bytes.length), 'unsound', name);
});

t.test('a chunk says which of how many it is', async (t) => {
  for (const [chunkId, chunks, soundness] of [
    [0, 2, 'sound'],
    [undefined, 2, 'unsound'],
    [0, undefined, 'unsound'],
  ] as const) {
    const metadata = new MessageWriter().text(1, 'p').number(2, 0).number(3, 1).number(27, chunks).number(29, chunkId);
    const bytes = metadata.finish();
    const payload = Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes, Buffer.from('x')]);
    const chunk = frame('SEND', { producerId: 1n, sequenceId: 1n, isChunk: true }, payload);
    t.equal(soundnessOfSend(chunk, 0, chunk.length), soundness, `${chunkId} of ${chunks}`);
  }
});

t.test('a message of a transaction goes where its client is alone, and is looked at all the same', async (t) => {
  const payload = payloadOf({ producerName: 'p', sequenceId: 0n, publishTime: 1n }, Buffer.from('body'));
  const send = frame('SEND', { producerId: 1n, sequenceId: 1n, txnLeast: 1n, txnMost: 2n }, payload);
  t.equal(soundnessOfSend(send, 0, send.length), 'alone');
  const half = frame('SEND', { producerId: 1n, sequenceId: 1n, txnLeast: 1n }, payload.subarray(0, 12));
  t.equal(soundnessOfSend(half, 0, half.length), 'unsound');
});

t.test('keys of an encrypted message have a name and a value', async (t) => {
  const size = (metadata: Buffer) => Buffer.from([0, 0, 0, metadata.length]);
  const cases: [boolean, Buffer][] = [
    [true, pair('name', 'value')],
    [true, new MessageWriter().text(1, 'name').text(2, 'value').bytes(3, pair('k', 'v')).finish()],
    [false, pair('name')],
    [false, pair(undefined, 'value')],
    [false, new MessageWriter().text(1, 'name').text(2, 'value').bytes(3, pair('k')).finish()],
  ];
  for (const [isSound, key] of cases) {
    const metadata = new MessageWriter().text(1, 'p').number(2, 0).number(3, 1).bytes(13, key).finish();
    t.equal(isSoundPayload(Buffer.concat([size(metadata), metadata]), 0, 4 + metadata.length), isSound);
  }
});

t.test('a producer may be opened where others are if it has all that brokers ask for', async (t) => {
  const isSoundOne = (message: MessageWriter) => {
    const bytes = frameOf(5, message);
    return isSoundProducer(bytes, commandIn(bytes, 0));
  };
  const usual = () => new MessageWriter().text(1, TOPIC).number(2, 0).number(3, 1);
  const schema = (type: number) => new MessageWriter().text(1, 's').bytes(3, Buffer.alloc(0)).number(4, type);
  t.ok(isSoundOne(usual().text(4, 'name').bytes(6, pair('k', 'v'))));
  t.ok(isSoundOne(usual().bytes(7, schema(4).bytes(5, pair('k', 'v')).finish())));
  const cases: [string, MessageWriter][] = [
    ['no topic', new MessageWriter().number(2, 0).number(3, 1)],
    ['no producer id', new MessageWriter().text(1, TOPIC).number(3, 1)],
    ['no request id', new MessageWriter().text(1, TOPIC).number(2, 1)],
    ['metadata without a value', usual().bytes(6, pair('k'))],
    ['a schema without a name', usual().bytes(7, new MessageWriter().bytes(3, Buffer.alloc(0)).number(4, 1).finish())],
    ['a schema without data', usual().bytes(7, new MessageWriter().text(1, 's').number(4, 1).finish())],
    ['a schema without a type', usual().bytes(7, new MessageWriter().text(1, 's').bytes(3, Buffer.alloc(0)).finish())],
    ['a schema of a type that nobody knows', usual().bytes(7, schema(99).finish())],
    ['a schema with half a property', usual().bytes(7, schema(1).bytes(5, pair('k')).finish())],
  ];
  for (const [name, message] of cases) t.notOk(isSoundOne(message), name);
});
