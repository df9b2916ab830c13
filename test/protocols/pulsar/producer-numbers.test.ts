/** Producers of several clients are told apart on one connection, and each client sees its own numbers. */
import t from 'tap';
import { frame, rawFrame } from '../../support/pulsar/frames.ts';
import { PAYLOAD, Producing, send } from './producer-fixture.ts';
import { commandsIn, HUGE } from './session-fixture.ts';

t.test(
  'messages of more producers than one byte can number come out with their own, their payloads untouched',
  async (t) => {
    const producing = new Producing();
    const { link } = producing;
    const one = producing.client();
    const other = producing.client();
    const ids = [...Array(100).keys()].map(BigInt).concat(127n, 128n, 2n ** 31n, 2n ** 53n + 1n, HUGE, 2n ** 64n - 2n);
    const clients = [one, other].map((client, index) => ({ client, tenant: 'ab'[index] ?? '' }));
    const numbers = new Set<bigint>();
    for (const { client, tenant } of clients)
      for (const id of ids) numbers.add(producing.opens(client, tenant, { producerId: id, name: `${tenant}${id}` }));
    t.equal(numbers.size, 2 * ids.length, 'each has a number of its own');
    for (const { client, tenant } of clients) {
      for (const id of ids) {
        const written = link.forwards(client, tenant, send(id, id));
        const [sent] = commandsIn(written);
        if (sent?.name !== 'SEND') return t.fail('no message');
        t.ok(numbers.has(sent.fields.producerId ?? -1n));
        t.equal(sent.fields.sequenceId, id);
        t.ok(written.subarray(-PAYLOAD.length).equals(PAYLOAD));
        link.sink.reset();
        link.hears('SEND_RECEIPT', { producerId: sent.fields.producerId ?? -1n, sequenceId: id });
        t.match(link.told(tenant), [{ name: 'SEND_RECEIPT', fields: { producerId: id, sequenceId: id } }]);
        t.strictSame(link.sink.all(), link.sink.delivered(tenant), 'nobody else hears of it');
      }
    }
    t.equal(link.session.owed, 0);
  },
);

t.test('a message whose number fits is changed where it stands, and nothing is written before it', async (t) => {
  const producing = new Producing();
  const client = producing.client();
  producing.opens(producing.client(), 'b');
  producing.opens(client, 'a', { name: 'mine' });
  const bytes = send(0n, 1n);
  client.verdict(bytes);
  t.equal(producing.link.session.prepare(client.session, 'a'), null);
  t.equal(producing.link.session.admit(client.session, 'a', bytes, 0), undefined);
  t.equal(producing.link.session.head, null);
  t.ok(bytes.equals(send(1n, 1n)));
});

t.test('receipts in any pieces, joined or apart, reach their clients whole', async (t) => {
  const size = frame('SEND_RECEIPT', { producerId: 0n, sequenceId: 1n }).length;
  for (let cut = 1; cut < 2 * size; cut += 1) {
    const producing = new Producing();
    const { link } = producing;
    const one = producing.client();
    const other = producing.client();
    const [first, second] = [producing.opens(one, 'a', { producerId: 5n }), producing.opens(other, 'b')];
    link.forwards(one, 'a', send(5n, 1n));
    link.forwards(other, 'b', send(0n, 2n));
    link.sink.reset();
    const answers = Buffer.concat([
      frame('SEND_RECEIPT', { producerId: first, sequenceId: 1n }),
      frame('SEND_RECEIPT', { producerId: second, sequenceId: 2n }),
    ]);
    link.reads(Buffer.from(answers.subarray(0, cut)));
    link.reads(Buffer.from(answers.subarray(cut)));
    t.match(link.told('a'), [{ name: 'SEND_RECEIPT', fields: { producerId: 5n, sequenceId: 1n } }]);
    t.match(link.told('b'), [{ name: 'SEND_RECEIPT', fields: { producerId: 0n, sequenceId: 2n } }]);
  }
});

t.test('numbers that are longer than they need be are understood', async (t) => {
  const producing = new Producing();
  const { link } = producing;
  const client = producing.client();
  const number = producing.opens(client, 'a');
  const written = link.forwards(client, 'a', rawFrame(Buffer.from('0806320508800010' + '01', 'hex'), PAYLOAD));
  t.match(commandsIn(written), [{ name: 'SEND', fields: { producerId: number, sequenceId: 1n } }]);
  t.ok(written.subarray(-PAYLOAD.length).equals(PAYLOAD));
  link.sink.reset();
  link.reads(rawFrame(Buffer.from('08073a0508800010' + '01', 'hex')));
  t.match(link.told('a'), [{ name: 'SEND_RECEIPT', fields: { producerId: 0n, sequenceId: 1n } }]);
});

t.test('a refused message is told to its sender under its own number', async (t) => {
  const producing = new Producing();
  const { link } = producing;
  const client = producing.client();
  const number = producing.opens(client, 'a', { producerId: HUGE });
  link.forwards(client, 'a', send(HUGE, 3n));
  link.sink.reset();
  link.hears('SEND_ERROR', { producerId: number, sequenceId: 3n, error: 9, message: 'checksum' });
  const fields = { producerId: HUGE, sequenceId: 3n, error: 9, message: 'checksum' };
  t.match(link.told('a'), [{ name: 'SEND_ERROR', fields }]);
  t.equal(link.session.owed, 0);
});

t.test('receipts for who has left, or for nothing, go nowhere and harm nobody', async (t) => {
  const producing = new Producing();
  const { link } = producing;
  const client = producing.client();
  const number = producing.opens(client, 'a');
  link.forwards(client, 'a', send(0n, 1n));
  t.ok(link.session.owes('a'));
  const close = commandsIn(link.session.leave('a') ?? Buffer.alloc(0));
  t.match(close, [{ name: 'CLOSE_PRODUCER', fields: { producerId: number } }]);
  link.sink.reset();
  link.hears('SEND_RECEIPT', { producerId: number, sequenceId: 1n });
  link.hears('SEND_RECEIPT', { producerId: 99n, sequenceId: 1n });
  t.equal(link.sink.all().length, 0);
  t.equal(link.sink.failure, null);
  t.equal(link.session.owed, 1, 'its end is not confirmed yet');
});

t.test('a number is used again once the broker has confirmed its end, and not before', async (t) => {
  const producing = new Producing();
  const { link } = producing;
  const first = producing.client();
  const number = producing.opens(first, 'a');
  const [close] = commandsIn(link.session.leave('a') ?? Buffer.alloc(0));
  if (close?.name !== 'CLOSE_PRODUCER') return t.fail('it is not closed');
  t.not(producing.opens(producing.client(), 'b', { name: 'another' }), number);
  link.hears('SUCCESS', { requestId: close.fields.requestId ?? 0n });
  t.equal(producing.opens(producing.client(), 'c', { name: 'a third' }), number);
  link.sink.reset();
  link.hears('SEND_RECEIPT', { producerId: number, sequenceId: 1n });
  t.equal(link.sink.all().length, 0, 'who has sent nothing gets no receipt of the one before');
});

t.test('what no broker opens is forgotten: a message for it closes its client alone', async (t) => {
  const producing = new Producing();
  const { link } = producing;
  const client = producing.client();
  const asked = link.asks(client, 'a', 'PRODUCER', { topic: 'persistent://a/b/c', producerId: 7n, requestId: HUGE });
  link.sink.reset();
  link.hears('ERROR', { requestId: asked.requestId, error: 4, message: 'not yours' });
  t.match(link.told('a'), [{ name: 'ERROR', fields: { requestId: HUGE, error: 4, message: 'not yours' } }]);
  t.equal(client.session.registrations().length, 0);
  t.throws(() => link.forwards(client, 'a', send(7n, 1n)), /has not opened/);
  t.equal(link.session.owed, 0);
});
