import t from 'tap';
import { BOOTSTRAP } from '../../../src/contract/topology.ts';
import { frame } from '../../support/pulsar/frames.ts';
import { commandsIn, Fixture, HUGE } from './session-fixture.ts';

const TOPIC = 'persistent://public/default/orders';
const CONNECT = 1;
const REDIRECT = 0;
const URLS = { url: 'pulsar://b:6650', urlTls: 'pulsar+ssl://b:6651' };

t.test('two clients that use the same ids get each his own answer, in all 64 bits', async (t) => {
  const fixture = new Fixture();
  const link = fixture.link('lookup');
  const first = link.asks(fixture.client(), 'a', 'PARTITIONED_METADATA', { topic: TOPIC, requestId: HUGE });
  const second = link.asks(fixture.client(), 'b', 'PARTITIONED_METADATA', { topic: TOPIC, requestId: HUGE });
  t.not(first.requestId, second.requestId);
  t.equal(link.session.owed, 2);
  link.hears('PARTITIONED_METADATA_RESPONSE', { partitions: 2, requestId: second.requestId, response: 0 });
  link.hears('PARTITIONED_METADATA_RESPONSE', { partitions: 1, requestId: first.requestId, response: 0 });
  t.match(link.told('a'), [{ fields: { requestId: HUGE, partitions: 1 } }]);
  t.match(link.told('b'), [{ fields: { requestId: HUGE, partitions: 2 } }]);
  t.equal(link.session.owed, 0);
});

t.test('answers in any pieces are handed out whole, and to nobody else', async (t) => {
  const fixture = new Fixture();
  const link = fixture.link('lookup');
  const ids = ['a', 'b'].map(
    (tenant) => link.asks(fixture.client(), tenant, 'LOOKUP', { topic: TOPIC, requestId: 7n }).requestId,
  );
  const answers = Buffer.concat(
    ids.map((requestId) => frame('LOOKUP_RESPONSE', { ...URLS, response: CONNECT, requestId, authoritative: true })),
  );
  const part = 3;
  for (let at = 0; at < answers.length; at += part) {
    link.reads(answers.subarray(at, at + part));
    for (const tenant of ['a', 'b']) commandsIn(link.sink.delivered(tenant)); // throws at half a frame
  }
  for (const tenant of ['a', 'b']) t.match(link.told(tenant), [{ name: 'LOOKUP_RESPONSE', fields: { requestId: 7n } }]);
});

t.test('a lookup leads to the broker by way of us, and from then on we may be asked for it', async (t) => {
  const fixture = new Fixture();
  const link = fixture.link('lookup');
  const { requestId } = link.asks(fixture.client(), 'a', 'LOOKUP', { topic: TOPIC, requestId: HUGE });
  t.notOk(fixture.route.brokers.has('b:6650'));
  link.hears('LOOKUP_RESPONSE', { ...URLS, response: CONNECT, requestId, authoritative: true });
  t.match(link.told('a'), [
    {
      fields: {
        ...{ url: URLS.url, urlTls: URLS.url, response: CONNECT, requestId: HUGE },
        ...{ authoritative: true, proxyThroughServiceUrl: true },
      },
    },
  ]);
  t.ok(fixture.route.brokers.has('b:6650'));
  t.strictSame(link.sink.topologies, [
    { clusterId: null, nodes: [{ node: 'b:6650', host: 'b', port: 6650 }], complete: false, moves: true },
  ]);
});

t.test('where broker connections are secured, brokers are known by their TLS addresses', async (t) => {
  const fixture = new Fixture({ isUpstreamSecured: true });
  const link = fixture.link('lookup');
  const client = fixture.client();
  const { requestId } = link.asks(client, 'a', 'LOOKUP', { topic: TOPIC, requestId: 1n });
  link.hears('LOOKUP_RESPONSE', { ...URLS, response: CONNECT, requestId });
  t.match(link.told('a'), [{ fields: { url: URLS.urlTls, urlTls: URLS.urlTls } }]);
  t.ok(fixture.route.brokers.has('b:6651'));
  link.sink.reset();
  const again = link.asks(client, 'a', 'LOOKUP', { topic: TOPIC, requestId: 2n });
  link.hears('LOOKUP_RESPONSE', { url: URLS.url, response: CONNECT, requestId: again.requestId });
  t.match(link.told('a'), [{ fields: { response: 2, error: 6, message: /no usable TLS address/, requestId: 2n } }]);
});

t.test('redirects are followed here, to their end, and the client sees the end alone', async (t) => {
  const fixture = new Fixture();
  const link = fixture.link('lookup');
  const client = fixture.client();
  const lookup = { topic: TOPIC, requestId: HUGE, authoritative: false };
  const { requestId } = link.asks(client, 'a', 'LOOKUP', lookup);
  link.hears('LOOKUP_RESPONSE', { ...URLS, response: REDIRECT, requestId, authoritative: true });
  t.equal(link.sink.delivered('a').length, 0);
  const again = Buffer.from(/^again a (\w+)$/.exec(link.sink.facts.at(-1) ?? '')?.[1] ?? '', 'hex');
  t.match(commandsIn(again), [{ name: 'LOOKUP', fields: { topic: TOPIC, requestId: HUGE, authoritative: true } }]);
  t.equal(again.length, frame('LOOKUP', { topic: TOPIC, requestId: HUGE, authoritative: true }).length, 'said once');
  client.verdict(again);
  t.match(client.session.routing, { node: 'b:6650', purpose: 'lookup' });
  const other = fixture.link('lookup', { node: 'b:6650', host: 'b' });
  const [forwarded] = commandsIn(other.forwards(client, 'a2', again));
  const id = (forwarded?.name === 'LOOKUP' ? forwarded.fields.requestId : undefined) ?? 0n;
  other.hears('LOOKUP_RESPONSE', { ...URLS, response: CONNECT, requestId: id });
  t.match(other.told('a2'), [{ fields: { response: CONNECT, requestId: HUGE } }]);
  client.asks('LOOKUP', { topic: TOPIC, requestId: HUGE });
  t.equal(client.session.node, BOOTSTRAP, 'the next lookup of that id is another one');
});

t.test('redirects without end are told as a broker that is not ready', async (t) => {
  const fixture = new Fixture();
  const client = fixture.client();
  const link = fixture.link('lookup');
  let lookup = frame('LOOKUP', { topic: TOPIC, requestId: 5n });
  for (let hop = 0; link.sink.delivered('a').length === 0; hop += 1) {
    if (hop > 30) return t.fail('it never ends');
    const [forwarded] = commandsIn(link.forwards(client, 'a', lookup));
    const requestId = (forwarded?.name === 'LOOKUP' ? forwarded.fields.requestId : undefined) ?? 0n;
    link.hears('LOOKUP_RESPONSE', { ...URLS, response: REDIRECT, requestId });
    lookup = Buffer.from(/^again a (\w+)$/.exec(link.sink.facts.at(-1) ?? '')?.[1] ?? '', 'hex');
  }
  t.match(link.told('a'), [{ fields: { response: 2, error: 6, requestId: 5n } }]);
});

t.test('a lookup that failed is told as it is', async (t) => {
  const fixture = new Fixture();
  const link = fixture.link('lookup');
  const { requestId } = link.asks(fixture.client(), 'a', 'LOOKUP', { topic: TOPIC, requestId: 9n });
  link.hears('LOOKUP_RESPONSE', { response: 2, requestId, error: 14, message: 'too many' });
  t.match(link.told('a'), [{ fields: { response: 2, error: 14, message: 'too many', requestId: 9n } }]);
});

t.test('with listeners of ours an answer waits until there is one, and names it', async (t) => {
  const fixture = new Fixture({ rewritesLookups: true });
  const link = fixture.link('lookup');
  const client = fixture.client();
  const { requestId } = link.asks(client, 'a', 'LOOKUP', { topic: TOPIC, requestId: 1n });
  const next = link.asks(client, 'a', 'PARTITIONED_METADATA', { topic: TOPIC, requestId: 2n });
  const answers = Buffer.concat([
    frame('LOOKUP_RESPONSE', { ...URLS, response: CONNECT, requestId }),
    frame('PARTITIONED_METADATA_RESPONSE', { partitions: 3, requestId: next.requestId, response: 0 }),
  ]);
  link.reads(answers.subarray(0, answers.length - 4));
  t.ok(link.session.blocked);
  t.equal(link.session.owed, 2, 'an answer that waits is not given');
  t.ok(link.session.owes('a'));
  link.reads(answers.subarray(answers.length - 4));
  t.equal(link.sink.delivered('a').length, 0);
  fixture.listeners.set('b:6650', { host: '127.0.0.1', port: 7001 });
  link.session.resume(link.sink);
  t.match(link.told('a'), [
    { fields: { url: 'pulsar://127.0.0.1:7001', urlTls: 'pulsar+ssl://127.0.0.1:7001', requestId: 1n } },
    { fields: { partitions: 3, requestId: 2n } },
  ]);
  t.notMatch(link.told('a')[0], { fields: { proxyThroughServiceUrl: true } });
  t.equal(link.session.owed, 0);
});

t.test('a broker that gets no listener is not ready', async (t) => {
  const fixture = new Fixture({ rewritesLookups: true });
  fixture.listeners.set('b:6650', 'unbindable');
  const link = fixture.link('lookup');
  const { requestId } = link.asks(fixture.client(), 'a', 'LOOKUP', { topic: TOPIC, requestId: 1n });
  link.hears('LOOKUP_RESPONSE', { ...URLS, response: CONNECT, requestId });
  t.match(link.told('a'), [{ fields: { response: 2, error: 6 } }]);
});

t.test('a broker behind a proxy is dialled by way of that proxy', async (t) => {
  const fixture = new Fixture();
  const link = fixture.link('lookup', { host: 'proxy' });
  const { requestId } = link.asks(fixture.client(), 'a', 'LOOKUP', { topic: TOPIC, requestId: 1n });
  link.hears('LOOKUP_RESPONSE', { ...URLS, response: CONNECT, requestId, proxyThroughServiceUrl: true });
  t.match(link.sink.topologies, [{ nodes: [{ node: 'b:6650', host: 'proxy', port: 6650 }] }]);
});

t.test('the answer to a client that is gone goes nowhere', async (t) => {
  const fixture = new Fixture();
  const link = fixture.link('lookup');
  const { requestId } = link.asks(fixture.client(), 'a', 'LOOKUP', { topic: TOPIC, requestId: 1n });
  t.ok(link.session.owes('a'));
  t.equal(link.session.leave('a'), undefined);
  t.notOk(link.session.owes('a'));
  t.equal(link.session.owed, 1, 'the broker will answer');
  link.hears('LOOKUP_RESPONSE', { ...URLS, response: CONNECT, requestId });
  t.equal(link.session.owed, 0);
  t.equal(link.sink.all().length, 0);
});

t.test('what was not asked ends the connection, and nobody is told', async (t) => {
  const cases = [
    [frame('LOOKUP_RESPONSE', { ...URLS, response: CONNECT, requestId: 77n }), 'wrong_correlation_id'],
    [frame('MESSAGE', { consumerId: 1n, messageId: { ledgerId: 1n, entryId: 1n } }), 'unsolicited_bytes'],
    [frame('CLOSE_PRODUCER', { producerId: 1n, requestId: 1n }), 'unsolicited_bytes'],
    [frame('CONNECTED', { serverVersion: 'x' }), 'protocol_error'],
    [frame('ERROR', { requestId: 2n ** 64n - 1n, error: 3, message: 'expired' }), 'broker_closed'],
    [Buffer.from('7fffffff0000000508129201', 'hex'), 'protocol_error'],
  ] as const;
  for (const [bytes, reason] of cases) {
    const fixture = new Fixture();
    const link = fixture.link('lookup');
    link.asks(fixture.client(), 'a', 'LOOKUP', { topic: TOPIC, requestId: 1n });
    link.reads(bytes);
    t.equal(link.sink.failure?.reason, reason);
    t.equal(link.sink.all().length, 0);
  }
});

t.test('a question is not answered with the answer to another kind', async (t) => {
  const fixture = new Fixture();
  const link = fixture.link('lookup');
  const { requestId } = link.asks(fixture.client(), 'a', 'PARTITIONED_METADATA', { topic: TOPIC, requestId: 1n });
  link.hears('LOOKUP_RESPONSE', { ...URLS, response: CONNECT, requestId });
  t.equal(link.sink.failure?.reason, 'protocol_error');
});
