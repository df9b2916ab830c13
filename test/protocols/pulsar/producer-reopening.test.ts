/** Parked producers come back as what they were, or their client is told that they do not. */
import t from 'tap';
import { Verdict } from '../../../src/contract/protocol.ts';
import { only, Producing, send, TOPIC } from './producer-fixture.ts';
import { type Client, commandsIn, HUGE, type Link } from './session-fixture.ts';

function reopening(client: Client, link: Link, tenant = 'a', producerId = 0n) {
  t.equal(client.verdict(send(producerId, 9n)), Verdict.forward);
  return only('PRODUCER', link.session.prepare(client.session, tenant));
}

t.test('a parked producer is opened again as it was, under the name that it got and with a higher epoch', async (t) => {
  const producing = new Producing();
  const client = producing.client();
  const asked = {
    ...{ producerId: HUGE, epoch: 4n, encrypted: true },
    metadata: [{ key: 'k', value: 'v' }],
    schema: { name: 's', data: Buffer.from('{}'), type: 2 },
  };
  producing.opens(client, 'a', { producerId: HUGE, name: 'granted', asked });
  producing.parks();
  t.match(client.session.registrations(), [{ state: 'parked', name: 'granted', topic: TOPIC }]);
  const link = producing.another();
  const again = reopening(client, link, 'a', HUGE);
  const { producerId: _, ...rest } = asked;
  t.match(again, { ...rest, topic: TOPIC, epoch: 5n, producerName: 'granted', userProvidedName: false });
  t.equal(link.session.prepare(client.session, 'a'), undefined, 'it is asked for once');
  link.sink.reset();
  const answer = { requestId: again.requestId ?? 0n, producerName: 'granted', schemaVersion: Buffer.from([1]) };
  link.hears('PRODUCER_SUCCESS', { ...answer, ready: false });
  t.strictSame(link.sink.facts, [], 'not before the broker is ready');
  link.hears('PRODUCER_SUCCESS', { ...answer, ready: true });
  t.strictSame(link.sink.facts, ['prepared a']);
  t.equal(link.sink.all().length, 0, 'its client does not learn of it');
  t.match(commandsIn(link.forwards(client, 'a', send(HUGE, 9n))), [{ fields: { sequenceId: 9n } }]);
});

t.test('each time it comes back its epoch is higher, also when its client opens it itself', async (t) => {
  const producing = new Producing();
  const { link } = producing;
  const client = producing.client();
  producing.opens(client, 'a', { name: 'n' });
  for (const epoch of [1n, 2n, 3n]) {
    producing.parks();
    const again = reopening(client, link);
    t.equal(again.epoch, epoch);
    const answer = { requestId: again.requestId ?? 0n, producerName: 'n', ready: true };
    link.hears('PRODUCER_SUCCESS', { ...answer, schemaVersion: Buffer.from([1]) });
  }
  const fields = { topic: TOPIC, producerId: 0n, requestId: 8n, producerName: 'n', epoch: 1n };
  const own = link.asks(client, 'a', 'PRODUCER', fields);
  t.equal(own.epoch, 4n);
});

t.test('who opens a producer that is open keeps its number, for brokers let only that succeed itself', async (t) => {
  const producing = new Producing();
  const client = producing.client();
  producing.opens(producing.client(), 'b', { name: 'other' });
  const number = producing.opens(client, 'a', { name: 'n' });
  producing.link.forwards(client, 'a', send(0n, 1n));
  t.equal(producing.opens(client, 'a', { name: 'n', asked: { producerName: 'n', epoch: 1n } }), number);
  t.equal(producing.link.session.owed, 0, 'it sends again what was not acknowledged');
});

const CHANGES = {
  'another name': { producerName: 'm', schemaVersion: Buffer.from([1]) },
  'another schema': { producerName: 'n', schemaVersion: Buffer.from([2]) },
};
for (const [what, changed] of Object.entries(CHANGES)) {
  t.test(`a producer that comes back with ${what} is closed, and its client opens it itself`, async (t) => {
    const producing = new Producing();
    const { link } = producing;
    const client = producing.client();
    producing.opens(client, 'a', { name: 'n' });
    producing.parks();
    const again = reopening(client, link);
    link.sink.reset();
    link.hears('PRODUCER_SUCCESS', { requestId: again.requestId ?? 0n, ready: true, ...changed });
    t.match(only('CLOSE_PRODUCER', link.sink.replies[0]), { producerId: again.producerId });
    t.ok(link.sink.facts.includes('prepared a'));
    t.equal(client.verdict(send(0n, 9n)), Verdict.answer);
    t.match(only('CLOSE_PRODUCER', client.session.answer()), { producerId: 0n, requestId: 2n ** 64n - 1n });
    t.equal(client.verdict(send(0n, 9n)), Verdict.discard);
    t.equal(client.verdict(send(0n, 10n)), Verdict.discard, 'until it opens it');
    t.equal(link.session.owed, 1, 'the close is not confirmed');
  });
}

t.test('an answer that was not written tells the client nothing', async (t) => {
  const producing = new Producing();
  const { link } = producing;
  const client = producing.client();
  producing.opens(client, 'a', { name: 'n' });
  producing.parks();
  const again = reopening(client, link);
  link.hears('ERROR', { requestId: again.requestId ?? 0n, error: 6, message: 'no' });
  for (let times = 0; times < 3; times += 1) t.equal(client.verdict(send(0n, 9n)), Verdict.answer);
  client.session.answer();
  t.equal(client.verdict(send(0n, 9n)), Verdict.discard);
});

t.test('what brokers close while it is open, its client hears of at once', async (t) => {
  const producing = new Producing();
  const { link } = producing;
  const client = producing.client();
  const number = producing.opens(client, 'a', { producerId: HUGE });
  link.forwards(client, 'a', send(HUGE, 1n));
  link.sink.reset();
  link.hears('CLOSE_PRODUCER', { producerId: number, requestId: 2n ** 64n - 1n });
  t.match(link.told('a'), [{ name: 'CLOSE_PRODUCER', fields: { producerId: HUGE } }]);
  t.equal(link.session.owed, 0, 'no receipt comes any more');
  t.equal(client.verdict(send(HUGE, 2n)), Verdict.discard);
  t.not(producing.opens(client, 'a', { producerId: HUGE }), number);
});

t.test('what brokers close while it is being parked is parked, and its client hears nothing', async (t) => {
  const producing = new Producing();
  const { link } = producing;
  const client = producing.client();
  const number = producing.opens(client, 'a', { name: 'n' });
  const parked = only('CLOSE_PRODUCER', link.session.park());
  link.sink.reset();
  link.hears('CLOSE_PRODUCER', { producerId: number, requestId: 2n ** 64n - 1n });
  link.hears('ERROR', { requestId: parked.requestId ?? 0n, error: 0, message: 'there is no such producer' });
  t.equal(link.sink.all().length, 0);
  t.equal(link.session.owed, 0);
  t.equal(reopening(client, producing.another()).producerName, 'n');
});

t.test('where topics are kept alive an open producer keeps its connection', async (t) => {
  const producing = new Producing({ keepsTopicsAlive: true });
  t.notOk(producing.link.session.pinned);
  producing.opens(producing.client(), 'a');
  t.ok(producing.link.session.pinned);
});

t.test('what a broker says of a producer that has left its connection does not reach where it is now', async (t) => {
  const producing = new Producing();
  const client = producing.client();
  const number = producing.opens(client, 'a', { name: 'n' });
  const close = only('CLOSE_PRODUCER', producing.link.session.leave('a'));
  const now = producing.another();
  producing.opens(client, 'b', { name: 'n', asked: { epoch: 1n } }, now);
  now.forwards(client, 'b', send(0n, 1n));
  producing.link.sink.reset();
  producing.link.hears('SEND_RECEIPT', { producerId: number, sequenceId: 1n });
  producing.link.hears('CLOSE_PRODUCER', { producerId: number, requestId: 2n ** 64n - 1n });
  t.equal(producing.link.sink.all().length, 0);
  t.equal(now.session.owed, 1, 'its message is still to be acknowledged');
  producing.link.hears('SUCCESS', { requestId: close.requestId ?? 0n });
  t.equal(producing.link.session.owed, 0);
  t.match(client.session.registrations(), [{ state: 'open' }]);
});

t.test('one that moves while it is being opened again is opened where it moves to', async (t) => {
  const producing = new Producing();
  const client = producing.client();
  producing.opens(client, 'a', { name: 'n' });
  producing.parks();
  const before = reopening(client, producing.link);
  const close = only('CLOSE_PRODUCER', producing.link.session.leave('a'));
  const now = producing.another();
  t.equal(now.session.prepare(client.session, 'b'), undefined, 'its name is being closed');
  const answer = { producerName: 'n', schemaVersion: Buffer.from([1]), ready: true };
  producing.link.sink.reset();
  producing.link.hears('PRODUCER_SUCCESS', { requestId: before.requestId ?? 0n, ...answer });
  t.strictSame(producing.link.sink.facts, []);
  producing.link.hears('SUCCESS', { requestId: close.requestId ?? 0n });
  t.strictSame(producing.link.sink.facts, ['prepared b']);
  t.equal(producing.link.session.owed, 0);
  const again = only('PRODUCER', now.session.prepare(client.session, 'b'));
  t.equal(again.epoch, 2n);
  now.hears('PRODUCER_SUCCESS', { requestId: again.requestId ?? 0n, ...answer });
  t.equal(now.session.prepare(client.session, 'b'), null);
});

t.test('an opening that the broker takes back owes no answer, and one that comes late is nobody’s', async (t) => {
  const producing = new Producing();
  const { link } = producing;
  const client = producing.client();
  const asked = { topic: TOPIC, producerId: 0n, requestId: 1n, userProvidedName: false };
  const opening = link.asks(client, 'a', 'PRODUCER', asked);
  link.hears('CLOSE_PRODUCER', { producerId: opening.producerId, requestId: 1n });
  t.equal(link.session.owed, 0);
  link.sink.reset();
  link.hears('PRODUCER_SUCCESS', { requestId: opening.requestId, producerName: 'late', ready: true });
  t.equal(link.sink.all().length, 0);
  t.strictSame(link.sink.facts, []);
});

t.test('a message that waits for such an opening does not wait for its answer', async (t) => {
  const producing = new Producing();
  const { link } = producing;
  const client = producing.client();
  producing.opens(client, 'a', { name: 'n' });
  producing.parks();
  const again = reopening(client, link);
  link.sink.reset();
  link.hears('CLOSE_PRODUCER', { producerId: again.producerId ?? -1n, requestId: 1n });
  t.match(link.sink.facts, ['prepared a']);
  t.equal(link.session.owed, 0);
  t.equal(client.verdict(send(0n, 9n)), Verdict.discard, 'its client was told, and sends it again');
});
