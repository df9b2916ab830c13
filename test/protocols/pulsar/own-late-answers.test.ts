/** A client that has given up waiting, on a connection of its own: what it opens anew is not what it has closed. */
import t from 'tap';
import { type Client, Fixture, HUGE, type Link } from './session-fixture.ts';

const TOPIC = 'persistent://public/default/orders';
const NO_REQUEST = 2n ** 64n - 1n;

function open(): { client: Client; link: Link } {
  const fixture = new Fixture();
  const client = fixture.client();
  const link = fixture.link(client.session.ownPurpose);
  link.session.lend('a');
  return { client, link };
}

function subscribe(client: Client, link: Link, requestId: bigint): void {
  link.asks(client, 'a', 'SUBSCRIBE', { topic: TOPIC, subscription: 's', subType: 0, consumerId: 0n, requestId });
}

function produce(client: Client, link: Link, requestId: bigint): void {
  link.asks(client, 'a', 'PRODUCER', { topic: TOPIC, producerId: 0n, requestId, accessMode: 1 });
}

t.test('a subscription that was asked for once more outlives the end of the one before', async (t) => {
  const { client, link } = open();
  subscribe(client, link, 1n);
  link.asks(client, 'a', 'CLOSE_CONSUMER', { consumerId: 0n, requestId: 2n });
  subscribe(client, link, 3n);
  link.hears('SUCCESS', { requestId: 2n });
  t.ok(link.session.pinned, 'the end of the first says nothing of the second');
  link.hears('SUCCESS', { requestId: 3n });
  t.match(client.session.registrations(), [{ kind: 'consumer', state: 'open' }]);
  t.ok(link.session.pinned);
  t.equal(link.session.owed, 0, 'the first is never answered');
});

t.test('a producer that was asked for once more outlives the end of the one before', async (t) => {
  const { client, link } = open();
  produce(client, link, 1n);
  link.asks(client, 'a', 'CLOSE_PRODUCER', { producerId: 0n, requestId: 2n });
  produce(client, link, 3n);
  link.hears('SUCCESS', { requestId: 2n });
  link.hears('PRODUCER_SUCCESS', { requestId: 3n, producerName: 'p', ready: true });
  t.match(client.session.registrations(), [{ kind: 'producer', state: 'open' }]);
  t.equal(link.session.owed, 0);
});

t.test('what was refused late says nothing of what was asked for since', async (t) => {
  const { client, link } = open();
  subscribe(client, link, 1n);
  subscribe(client, link, 2n);
  link.hears('ERROR', { requestId: 1n, error: 5, message: 'busy' });
  t.ok(link.session.pinned);
  link.hears('SUCCESS', { requestId: 2n });
  t.match(client.session.registrations(), [{ state: 'open' }]);
});

t.test('what was closed before it was open is not waited for', async (t) => {
  for (const kind of ['consumer', 'producer'] as const) {
    const { client, link } = open();
    if (kind === 'consumer') {
      subscribe(client, link, HUGE);
      link.asks(client, 'a', 'CLOSE_CONSUMER', { consumerId: 0n, requestId: 2n });
    } else {
      produce(client, link, HUGE);
      link.asks(client, 'a', 'CLOSE_PRODUCER', { producerId: 0n, requestId: 2n });
    }
    link.hears('SUCCESS', { requestId: 2n });
    t.equal(link.session.owed, 0, kind);
    t.notOk(link.session.pinned, kind);
  }
});

t.test('an acknowledgement that meets the end of its consumer is not waited for', async (t) => {
  const { client, link } = open();
  subscribe(client, link, 1n);
  link.hears('SUCCESS', { requestId: 1n });
  link.hears('CLOSE_CONSUMER', { consumerId: 0n, requestId: NO_REQUEST });
  link.asks(client, 'a', 'ACK', { consumerId: 0n, ackType: 0, requestId: 5n });
  t.equal(link.session.owed, 0, 'no broker answers it');
  link.hears('ACK_RESPONSE', { consumerId: 0n, requestId: 5n });
  t.equal(link.session.owed, 0, 'and none is missed');
});

t.test('a producer that is refused is forgotten: a message for it is one for nobody', async (t) => {
  const { client, link } = open();
  produce(client, link, 1n);
  t.ok(client.session.producers.has(0n));
  link.hears('ERROR', { requestId: 1n, error: 16, message: 'busy' });
  t.notOk(client.session.producers.has(0n), 'a client that tries again and again, under numbers of its own');
  t.strictSame(client.session.registrations(), []);
});
