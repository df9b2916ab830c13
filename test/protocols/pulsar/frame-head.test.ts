import t from 'tap';
import { leadingNumberAt } from '../../../src/protocols/pulsar/frame-head.ts';
import { frame, payloadOf, rawFrame } from '../../support/pulsar/frames.ts';

const SEND = 6;
const PAYLOAD = payloadOf({ producerName: 'p', sequenceId: 0n, publishTime: 1n }, Buffer.from('x'));

function send(producerId: bigint): Buffer {
  return Buffer.concat([
    Buffer.from([7]),
    frame('SEND', { producerId, sequenceId: 2n ** 63n, numMessages: 1 }, PAYLOAD),
  ]);
}

t.test('the producer of a message is found in its first bytes', async (t) => {
  for (const id of [0n, 1n, 127n, 128n, 16_384n, 2n ** 32n, 2n ** 49n - 1n])
    t.equal(leadingNumberAt(send(id), 1, SEND), Number(id));
});

t.test('a number that could be inexact is not told', async (t) => {
  for (const id of [2n ** 49n, 2n ** 53n + 1n, 2n ** 64n - 1n])
    t.equal(leadingNumberAt(send(id), 1, SEND), undefined, `${id}`);
});

t.test('a command that is written in another way is left to those who read all of it', async (t) => {
  const commands = {
    'another type': '0807 3a02 0801',
    'the type last': '3202 0801 0806',
    'another message': '0806 3a02 0801',
    'another first field': '0806 3204 1001 0801',
    'a message that ends before the command': '0806 3202 0801 00',
    'a message that ends behind the command': '0806 3206 0801',
    'a number that ends behind its message': '0806 3202 08ff',
    'a message without fields': '0806 3200',
    'a length of two bytes': '0806 328200 0801',
  };
  for (const [name, command] of Object.entries(commands)) {
    const bytes = rawFrame(Buffer.from(command.replaceAll(' ', ''), 'hex'), PAYLOAD);
    t.equal(leadingNumberAt(bytes, 0, SEND), undefined, name);
  }
});
