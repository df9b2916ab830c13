/** What one client does on a connection that others use, and what it does to nobody else. */
import t from 'tap';
import { Verdict } from '../../../src/contract/protocol.ts';
import { sharedPurposeOf } from '../../../src/protocols/pulsar/purposes.ts';
import { frame, payloadOf, rawFrame } from '../../support/pulsar/frames.ts';
import { type Client, commandsIn, Fixture, type Link } from './session-fixture.ts';

const TOPIC = 'persistent://public/default/orders';
const BROKER = { node: 'b:6650', host: 'b', port: 6650 };
const PAYLOAD = payloadOf({ producerName: 'p', sequenceId: 0n, publishTime: 1n }, Buffer.from('body'));

function open(): { fixture: Fixture; client: Client; link: Link } {
  const fixture = new Fixture();
  fixture.route.brokers.learn(BROKER, null);
  const client = fixture.client({ proxyToBrokerUrl: 'b:6650' });
  const link = fixture.link(sharedPurposeOf(client.session.connect), BROKER);
  link.session.lend('a');
  return { fixture, client, link };
}

function openProducer(client: Client, link: Link, tenant = 'a', name = 'p'): void {
  const { requestId } = link.asks(client, tenant, 'PRODUCER', {
    ...{ topic: TOPIC, producerId: 0n, requestId: 1n, producerName: name, userProvidedName: true },
  });
  link.hears('PRODUCER_SUCCESS', { requestId, producerName: name, ready: true, schemaVersion: Buffer.alloc(0) });
}

function send(more = {}, payload = PAYLOAD): Buffer {
  return frame('SEND', { producerId: 0n, sequenceId: 1n, numMessages: 1, ...more }, payload);
}

t.test('a message that a broker would close the connection for closes its sender, and is not written', async (t) => {
  const cases: [string, Buffer][] = [
    ['two producers', rawFrame(Buffer.from('08063206080010010800', 'hex'), PAYLOAD)],
    ['rubbish behind the producer', rawFrame(Buffer.from('080632040800ffff', 'hex'), PAYLOAD)],
    ['no sequence id', rawFrame(Buffer.from('080632020800', 'hex'), PAYLOAD)],
    ['no message', send({}, Buffer.alloc(0))],
    ['half a message', send({}, PAYLOAD.subarray(0, 12))],
  ];
  for (const [name, bytes] of cases) {
    const { client, link } = open();
    openProducer(client, link);
    const verdict = client.verdict(bytes);
    const refused =
      verdict === Verdict.forward ? link.session.admit(client.session, 'a', bytes, 0) : client.session.closeReason;
    t.equal(refused, 'protocol_error', name);
    t.equal(link.session.owed, 0, name);
  }
});

t.test('a producer that a broker would close the connection for is opened where its client is alone', async (t) => {
  const { client } = open();
  t.equal(client.asks('PRODUCER', { topic: TOPIC, producerId: 0n, requestId: 1n }), Verdict.forward);
  t.match(client.session.purpose, /^shared:/);
  t.equal(client.asks('PRODUCER', { producerId: 0n, requestId: 1n }), Verdict.forward);
  t.match(client.session.purpose, /^own:/, 'no topic');
  client.asks('PRODUCER', {
    topic: TOPIC,
    producerId: 0n,
    requestId: 1n,
    schema: { name: 's', data: Buffer.alloc(0) },
  });
  t.match(client.session.purpose, /^own:/, 'a schema without a type');
  const nobody = client.asks('PRODUCER', { topic: TOPIC, requestId: 1n });
  t.ok(nobody === Verdict.close || client.session.purpose.startsWith('own:'), 'no number');
});

t.test('a client that leaves while its producer is being opened leaves nothing behind', async (t) => {
  const { client, link } = open();
  const asked = link.asks(client, 'a', 'PRODUCER', { topic: TOPIC, producerId: 0n, requestId: 1n });
  const [close] = commandsIn(link.session.leave('a')!);
  if (close?.name !== 'CLOSE_PRODUCER') return t.fail('nothing is closed');
  t.equal(close.fields.producerId, asked.producerId);
  link.hears('SUCCESS', { requestId: close.fields.requestId! });
  t.equal(link.session.owed, 0, 'a broker does not answer a PRODUCER that was closed before it was open');
  link.hears('ERROR', { requestId: asked.requestId, error: 6, message: 'if it does, nobody minds' });
  t.equal(link.sink.failure, null);
  t.equal(link.sink.all().length, 0);
});

t.test('a message whose producer cannot be opened again is told so at once, and goes nowhere', async (t) => {
  const { client, link } = open();
  openProducer(client, link);
  const [parked] = commandsIn(link.session.park()!);
  if (parked?.name !== 'CLOSE_PRODUCER') return t.fail('nothing is parked');
  link.hears('SUCCESS', { requestId: parked.fields.requestId! });
  const bytes = send();
  t.equal(client.verdict(bytes), Verdict.forward);
  const [again] = commandsIn(link.session.prepare(client.session, 'a')!);
  if (again?.name !== 'PRODUCER') return t.fail('it is not opened again');
  link.hears('ERROR', { requestId: again.fields.requestId!, error: 6, message: 'moved' });
  t.match(link.sink.facts, ['prepared a']);
  t.equal(client.verdict(bytes.subarray(0, bytes.length - 1)), Verdict.answer);
  t.equal(client.session.size, 0, 'no byte of the message is taken with it');
  t.match(commandsIn(client.session.answer()), [{ name: 'CLOSE_PRODUCER', fields: { producerId: 0n } }]);
  t.equal(client.verdict(bytes.subarray(0, bytes.length - 1)), Verdict.discard);
  t.equal(client.session.size, bytes.length);
});

t.test('a broker that dies while a producer is being opened again takes nothing from its client', async (t) => {
  const { client, link } = open();
  openProducer(client, link);
  const [parked] = commandsIn(link.session.park()!);
  if (parked?.name !== 'CLOSE_PRODUCER') return t.fail('nothing is parked');
  link.hears('SUCCESS', { requestId: parked.fields.requestId! });
  client.verdict(send());
  t.ok(link.session.prepare(client.session, 'a') instanceof Buffer);
  t.equal(link.session.prepare(client.session, 'a'), undefined);
  t.notOk(link.session.owes('a'), 'not a byte of the message was written');
  t.strictSame([...link.session.gone()], ['a'], 'it asks again');
  const { fixture } = open();
  t.ok(fixture);
  t.equal(client.verdict(send()), Verdict.forward);
});

t.test('two clients with the same numbers get each his own receipts', async (t) => {
  const { fixture, client, link } = open();
  const other = fixture.client({ proxyToBrokerUrl: 'b:6650' });
  openProducer(client, link, 'a', 'p');
  openProducer(other, link, 'b', 'q');
  link.sink.reset();
  const [first] = commandsIn(link.forwards(client, 'a', send({ sequenceId: 5n })));
  const [second] = commandsIn(link.forwards(other, 'b', send({ sequenceId: 6n })));
  if (first?.name !== 'SEND' || second?.name !== 'SEND') return t.fail('other commands');
  t.not(first.fields.producerId, second.fields.producerId);
  link.hears('SEND_RECEIPT', { producerId: second.fields.producerId!, sequenceId: 6n });
  t.match(link.told('b'), [{ name: 'SEND_RECEIPT', fields: { producerId: 0n, sequenceId: 6n } }]);
  t.equal(link.sink.delivered('a').length, 0);
  link.hears('SEND_RECEIPT', { producerId: first.fields.producerId!, sequenceId: 5n });
  t.match(link.told('a'), [{ name: 'SEND_RECEIPT', fields: { producerId: 0n, sequenceId: 5n } }]);
});
