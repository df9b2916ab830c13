import t from 'tap';
import { Verdict } from '../../../src/contract/protocol.ts';
import { frame, payloadOf, rawFrame } from '../../support/pulsar/frames.ts';
import { type Client, CONNECTED, Fixture, type FixtureOptions, HUGE, type Link } from './session-fixture.ts';

const TOPIC = 'persistent://public/default/orders';
const NO_REQUEST = 2n ** 64n - 1n;
const URLS = { url: 'pulsar://b:6650', urlTls: 'pulsar+ssl://b:6651' };

function open(options: FixtureOptions = {}): { fixture: Fixture; client: Client; link: Link } {
  const fixture = new Fixture(options);
  const client = fixture.client();
  const link = fixture.link(client.session.ownPurpose);
  link.session.lend('a');
  return { fixture, client, link };
}

function message(body: Buffer | string, consumerId = 0n): Buffer {
  const payload = payloadOf({ producerName: 'p', sequenceId: 0n, publishTime: 1n }, Buffer.from(body));
  return frame('MESSAGE', { consumerId, messageId: { ledgerId: 1n, entryId: 2n } }, payload);
}

function send(producerId: bigint, sequenceId = 0n): Buffer {
  const payload = payloadOf({ producerName: 'p', sequenceId, publishTime: 1n }, Buffer.from('x'));
  return frame('SEND', { producerId, sequenceId, numMessages: 1 }, payload);
}

function subscribe({ client, link }: { client: Client; link: Link }, consumerId = 0n, requestId = HUGE): void {
  link.asks(client, 'a', 'SUBSCRIBE', { topic: TOPIC, subscription: 's', subType: 0, consumerId, requestId });
}

function openProducer({ client, link }: { client: Client; link: Link }, more = {}, producerId = 0n): void {
  link.asks(client, 'a', 'PRODUCER', { topic: TOPIC, producerId, requestId: HUGE, ...more });
  link.hears('PRODUCER_SUCCESS', { requestId: HUGE, producerName: 'granted', ready: true });
}

t.test('requests pass as they are, ids and all', async (t) => {
  const { client, link } = open();
  const bytes = frame('SUBSCRIBE', { topic: TOPIC, subscription: 's', subType: 1, consumerId: HUGE, requestId: HUGE });
  t.ok(link.forwards(client, 'a', bytes).equals(bytes));
  t.equal(link.session.owed, 1);
});

t.test('answers pass as they are, in whatever pieces they come', async (t) => {
  const stream = Buffer.concat([
    frame('SUCCESS', { requestId: HUGE }),
    message('a'),
    message('b'.repeat(300)),
    rawFrame(Buffer.from('081ffa010408001001', 'hex')),
    frame('PING', {}),
    message('c'),
  ]);
  const seen = Buffer.concat([stream.subarray(0, stream.length - message('c').length - 13), message('c')]);
  for (let size = 1; size <= stream.length; size += 1) {
    const { client, link } = open();
    subscribe({ client, link });
    for (let at = 0; at < stream.length; at += size) {
      link.reads(stream.subarray(at, at + size));
      if (link.sink.failure !== null) return t.fail(link.sink.failure.detail);
    }
    if (!link.sink.delivered('a').equals(seen)) return t.fail(`in pieces of ${size}`);
    t.equal(link.sink.replies.length, 1, 'PING is answered by us');
    t.equal(link.sink.facts.filter((fact) => fact === 'worked').length, 3);
    t.notOk(link.session.inAnswer);
  }
});

t.test('messages next to one another are handed over in one piece, one that is cut as well', async (t) => {
  const { client, link } = open();
  subscribe({ client, link });
  link.hears('SUCCESS', { requestId: HUGE });
  link.sink.reset();
  const three = Buffer.concat([message('a'), message('b'), message('c'.repeat(1000))]);
  link.reads(three.subarray(0, three.length - 900));
  t.equal(link.sink.deliveries('a'), 1);
  t.equal(link.sink.delivered('a').length, three.length - 900);
  t.ok(link.session.inAnswer);
  link.reads(three.subarray(three.length - 900));
  t.ok(link.sink.delivered('a').equals(three));
  t.notOk(link.session.inAnswer);
});

t.test('a subscription keeps its connection until it is closed, whoever closes it', async (t) => {
  const closes = {
    'its client': (link: Link, client: Client) => {
      link.asks(client, 'a', 'CLOSE_CONSUMER', { consumerId: 0n, requestId: 2n });
      t.ok(link.session.pinned);
      link.hears('SUCCESS', { requestId: 2n });
    },
    'its client, for good': (link: Link, client: Client) => {
      link.asks(client, 'a', 'UNSUBSCRIBE', { consumerId: 0n, requestId: 2n });
      link.hears('SUCCESS', { requestId: 2n });
    },
    'the broker': (link: Link) => link.hears('CLOSE_CONSUMER', { consumerId: 0n, requestId: NO_REQUEST }),
  };
  for (const [who, close] of Object.entries(closes)) {
    const { client, link } = open();
    subscribe({ client, link });
    t.ok(link.session.pinned, 'from the beginning');
    link.hears('SUCCESS', { requestId: HUGE });
    t.match(client.session.registrations(), [
      { kind: 'consumer', topic: TOPIC, name: 's', state: 'open', isShared: false, keptBy: 'consumer' },
    ]);
    t.match([client.session.pinned, client.session.pin], [true, 'consumer']);
    t.ok(link.session.owes('a'));
    close(link, client);
    t.notOk(link.session.pinned, who);
    t.notOk(client.session.pinned, who);
    t.equal(link.session.owed, 0, who);
  }
});

t.test('a subscription that is refused, or whose end is, is what it was', async (t) => {
  const { client, link } = open();
  subscribe({ client, link });
  link.hears('ERROR', { requestId: HUGE, error: 5, message: 'busy' });
  t.notOk(link.session.pinned);
  subscribe({ client, link });
  link.hears('SUCCESS', { requestId: HUGE });
  link.asks(client, 'a', 'UNSUBSCRIBE', { consumerId: 0n, requestId: 2n });
  link.hears('ERROR', { requestId: 2n, error: 5, message: 'others use it' });
  t.match(client.session.registrations(), [{ state: 'open' }]);
});

t.test('acknowledgements that a broker will not answer are not waited for once their consumer is closed', async (t) => {
  const { client, link } = open();
  subscribe({ client, link });
  link.hears('SUCCESS', { requestId: HUGE });
  link.asks(client, 'a', 'ACK', { consumerId: 0n, ackType: 0, requestId: 5n });
  t.equal(link.session.owed, 1);
  link.hears('CLOSE_CONSUMER', { consumerId: 0n, requestId: NO_REQUEST });
  t.equal(link.session.owed, 0);
});

t.test('a message is owed its receipt, and nothing more once its producer is closed', async (t) => {
  const { client, link } = open();
  openProducer({ client, link });
  t.match(client.session.registrations(), [{ kind: 'producer', name: 'granted', state: 'open' }]);
  link.forwards(client, 'a', send(0n, 0n));
  link.forwards(client, 'a', send(0n, 1n));
  t.equal(link.session.owed, 2);
  link.hears('SEND_RECEIPT', { producerId: 0n, sequenceId: 0n });
  t.equal(link.session.owed, 1);
  link.hears('CLOSE_PRODUCER', { producerId: 0n, requestId: NO_REQUEST });
  t.equal(link.session.owed, 0);
  t.equal(client.verdict(send(0n, 2n)), Verdict.discard, 'what was under way goes nowhere');
});

t.test('a message for a producer that was never opened closes its client, and reaches no broker', async (t) => {
  const { client } = open();
  t.equal(client.verdict(send(9n)), Verdict.close);
  t.equal(client.session.closeReason, 'protocol_error');
});

t.test('a producer that waits to be the only one is not open before it is', async (t) => {
  const { client, link } = open();
  link.asks(client, 'a', 'PRODUCER', { topic: TOPIC, producerId: 0n, requestId: 1n, accessMode: 2 });
  link.hears('PRODUCER_SUCCESS', { requestId: 1n, producerName: 'p', ready: false });
  t.match(client.session.registrations(), [{ state: 'opening', keptBy: 'exclusive_producer' }]);
  t.equal(link.session.owed, 1);
  link.hears('PRODUCER_SUCCESS', { requestId: 1n, producerName: 'p', ready: true });
  t.match(client.session.registrations(), [{ state: 'open' }]);
  t.equal(link.session.owed, 0);
});

t.test('what is open says why it keeps its connection', async (t) => {
  const cases = [
    [{ accessMode: 1 }, 'exclusive_producer'],
    [{ txnEnabled: true }, 'transaction'],
    [{ topic: 'non-persistent://public/default/x' }, 'non_persistent'],
  ] as const;
  for (const [more, keptBy] of cases) {
    const each = open();
    openProducer(each, more);
    t.match(each.client.session.registrations(), [{ kind: 'producer', keptBy }]);
    t.ok(each.link.session.pinned);
  }
});

t.test('transactions keep their connection for good', async (t) => {
  const { client, link } = open();
  link.asks(client, 'a', 'TC_CLIENT_CONNECT_REQUEST', { requestId: 1n, tcId: 0n });
  link.hears('TC_CLIENT_CONNECT_RESPONSE', { requestId: 1n });
  t.equal(link.session.owed, 0);
  t.ok(link.session.pinned);
  t.match(client.session.registrations(), [{ kind: 'session', keptBy: 'transaction' }]);
});

t.test('a producer that its broker sends elsewhere is sent there by way of us', async (t) => {
  const { fixture, client, link } = open();
  openProducer({ client, link });
  link.sink.reset();
  link.hears('CLOSE_PRODUCER', { producerId: 0n, requestId: NO_REQUEST, ...URLS });
  t.match(link.told('a'), [
    { name: 'CLOSE_PRODUCER', fields: { producerId: 0n, requestId: NO_REQUEST, url: URLS.url, urlTls: URLS.url } },
  ]);
  t.ok(fixture.route.brokers.has('b:6650'), 'it may go there');
  t.notOk(link.session.pinned);
});

t.test('behind a proxy all brokers are behind that proxy', async (t) => {
  const fixture = new Fixture();
  const client = fixture.client();
  const link = fixture.link(client.session.ownPurpose, { node: 'c:6650', host: 'proxy', port: 6650 });
  link.session.lend('a');
  openProducer({ client, link });
  link.hears('CLOSE_PRODUCER', { producerId: 0n, requestId: NO_REQUEST, ...URLS });
  t.match(link.sink.topologies, [{ nodes: [{ node: 'b:6650', host: 'proxy', port: 6650 }] }]);
});

t.test('with listeners of ours it is sent to the listener, or looks up again where there is none', async (t) => {
  for (const port of [7001, undefined]) {
    const each = open({ rewritesLookups: true });
    const { fixture, link } = each;
    if (port !== undefined) fixture.listeners.set('b:6650', { host: '127.0.0.1', port });
    subscribe(each);
    link.hears('CLOSE_CONSUMER', { consumerId: 0n, requestId: NO_REQUEST, ...URLS });
    const [told] = link.told('a');
    if (told?.name !== 'CLOSE_CONSUMER') return t.fail(`told ${told?.name}`);
    t.equal(told.fields.url, port === undefined ? undefined : 'pulsar://127.0.0.1:7001');
    t.equal(told.fields.urlTls, port === undefined ? undefined : 'pulsar+ssl://127.0.0.1:7001');
  }
});

t.test('a topic that moved to another cluster is looked up again, here', async (t) => {
  for (const [resourceType, name] of [
    [0, 'CLOSE_PRODUCER'],
    [1, 'CLOSE_CONSUMER'],
  ] as const) {
    const each = open();
    if (resourceType === 0) openProducer(each);
    else subscribe(each);
    each.link.sink.reset();
    each.link.hears('TOPIC_MIGRATED', { resourceId: 0n, resourceType, ...URLS });
    const [told, ...others] = each.link.told('a');
    t.equal(told?.name, name);
    t.strictSame(others, []);
    t.notOk(each.link.sink.delivered('a').includes('b:66'), 'no address passes');
    t.notOk(each.link.session.pinned);
  }
});

t.test('a client that was told more than this broker can is closed, and asks again', async (t) => {
  const fixture = new Fixture();
  const client = fixture.client();
  const session = fixture.route.upstream<string>(
    { node: 'b:6650', host: 'b', port: 6650 },
    '',
    client.session.ownPurpose,
  );
  session.greeting(null);
  const connected = frame('CONNECTED', { ...CONNECTED, maxMessageSize: 1024 });
  const { sink } = fixture.link('lookup');
  session.read(connected, 0, connected.length, sink);
  session.lend('a');
  const bytes = frame('FLOW', { consumerId: 0n, permits: 1 });
  client.verdict(bytes);
  t.equal(session.admit(client.session, 'a', bytes, 0), 'versions_changed');
});

t.test('when the connection is gone nothing of it is left with its client', async (t) => {
  for (const end of ['gone', 'leave'] as const) {
    const each = open();
    subscribe(each);
    t.strictSame(
      end === 'gone' ? each.link.session.gone() : each.link.session.leave('a'),
      end === 'gone' ? [] : undefined,
    );
    t.strictSame(each.client.session.registrations(), []);
    t.notOk(each.client.session.pinned);
  }
});
