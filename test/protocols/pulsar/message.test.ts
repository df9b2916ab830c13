import t from 'tap';
import {
  commandIn,
  fieldsOf,
  frameOf,
  MessageWriter,
  numberIn,
  textIn,
  withNumber,
} from '../../../src/protocols/pulsar/message.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const framed = (command: string) => {
  const bytes = hex(command);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(bytes.length + 4, 0);
  head.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([head, bytes]);
};

t.test('PING is written as brokers write it', async (t) => {
  t.equal(frameOf(18, new MessageWriter()).toString('hex'), '00000009000000050812920100');
});

t.test('numbers keep all of their 64 bits', async (t) => {
  for (const value of [0n, 127n, 128n, 2n ** 53n + 1n, 2n ** 62n - 1n, 2n ** 64n - 1n]) {
    const frame = frameOf(23, new MessageWriter().text(1, 'topic').number(2, value));
    const { at, end } = commandIn(frame, 0);
    const fields = fieldsOf(frame, at, end);
    t.equal(numberIn(fields, 2), value);
    t.equal(textIn(frame, fields, 1), 'topic');
  }
});

t.test('one number of a command is replaced, and all else stays as it was, unknown fields too', async (t) => {
  const message = new MessageWriter().text(1, 'persistent://a/b/ü').number(2, 5).number(900, 7).text(901, 'x');
  const frame = Buffer.concat([Buffer.from([9, 9]), frameOf(23, message)]);
  const changed = withNumber(frame, commandIn(frame, 2), 2, 2n ** 62n);
  const expected = new MessageWriter()
    .text(1, 'persistent://a/b/ü')
    .number(2, 2n ** 62n)
    .number(900, 7)
    .text(901, 'x');
  t.equal(changed.toString('hex'), frameOf(23, expected).toString('hex'));
  t.throws(() => withNumber(changed, commandIn(changed, 0), 3, 1n), { code: 'PULSAR_MALFORMED' });
});

t.test('a number that stands there twice is written once: nobody can smuggle in one of his own', async (t) => {
  const frame = frameOf(23, new MessageWriter().text(1, 'topic').number(2, 5).number(2, 6));
  const { at, end } = commandIn(frame, 0);
  t.equal(numberIn(fieldsOf(frame, at, end), 2), 6n, 'the last one counts');
  const changed = withNumber(frame, commandIn(frame, 0), 2, 1n);
  t.equal(changed.toString('hex'), frameOf(23, new MessageWriter().text(1, 'topic').number(2, 1)).toString('hex'));
});

t.test('what two readers could take for two commands is none', async (t) => {
  const commands = {
    'two types': '0812 0813 920100',
    'two messages': '0812 920100 920100',
    'a message of another type': '0812 9a0100',
    'no message': '0812',
    'no type': '920100',
    'a type that is no number': '0a00 920100',
    'an empty command': '',
    'a type of 1': '0801 0a00',
  };
  for (const [name, command] of Object.entries(commands))
    t.throws(() => commandIn(framed(command), 0), { code: 'PULSAR_MALFORMED' }, name);
});

t.test('a message that does not follow its grammar is told by a typed error', async (t) => {
  const messages = {
    'a number without end': 'ff',
    'a number of eleven bytes': `08 ${'ff'.repeat(10)} 01`,
    'a text longer than its message': '0a 05 61',
    'a text of 2^63 bytes': '0a ffffffffffffffffff01',
    'the field number 0': '00 01',
    'a group': '0b 0c',
    'half a fixed number': '09 0000',
  };
  for (const [name, message] of Object.entries(messages)) {
    const bytes = hex(message);
    t.throws(() => fieldsOf(bytes, 0, bytes.length), { code: 'PULSAR_MALFORMED' }, name);
  }
  t.equal(fieldsOf(hex('09 0000000000000000 0d 00000000'), 0, 14).length, 2, 'fixed numbers are skipped');
});
