import t from 'tap';
import { Verdict } from '../../../src/contract/protocol.ts';
import { BOOTSTRAP } from '../../../src/contract/topology.ts';
import { pulsar } from '../../../src/protocols/pulsar/pulsar.ts';
import { frame } from '../../support/pulsar/frames.ts';
import { Client, Fixture } from './session-fixture.ts';

const TOPIC = 'persistent://public/default/orders';

t.test('commands are counted by their names, those that go to brokers apart from those that do not', async (t) => {
  const fixture = new Fixture();
  const client = fixture.client();
  const link = fixture.link('lookup');
  link.asks(client, 'a', 'LOOKUP', { topic: TOPIC, requestId: 1n });
  link.asks(client, 'a', 'LOOKUP', { topic: TOPIC, requestId: 2n });
  client.asks('PING', {});
  client.session.answer();
  const { forwarded, absorbed } = fixture.route.counts();
  t.strictSame([...forwarded], [['LOOKUP', 2]]);
  t.strictSame(
    [...absorbed],
    [
      ['CONNECT', 1],
      ['PING', 1],
    ],
  );
});

t.test('brokers have listeners of their own only where answers name these', async (t) => {
  t.notOk(new Fixture().route.listensPerBroker);
  const { route } = new Fixture({ rewritesLookups: true, ports: { 'b:6650': 7001 } });
  t.ok(route.listensPerBroker);
  t.equal(route.localPort('b:6650'), 7001);
  t.match(route.localPort('c:6650'), { fault: /brokers\.portBase/ });
  t.equal(route.client('b:6650').node, 'b:6650', 'a client of that listener is that broker’s');
});

t.test('what is known of brokers for somebody is forgotten with the last client that is this one', async (t) => {
  const nothing = (): void => undefined;
  const passed = { hold: () => 'somebody', letGo: nothing, renew: nothing, onEnded: nothing };
  const fixture = new Fixture({ passed });
  const first = fixture.client();
  const second = fixture.client();
  const asks = (): Verdict => {
    const client = new Client(fixture.route.client(BOOTSTRAP));
    const verdict = client.verdict(frame('CONNECT', { clientVersion: 'x', protocolVersion: 21 }));
    client.session.close();
    return verdict;
  };
  first.session.close();
  t.equal(asks(), Verdict.answer);
  second.session.close();
  t.equal(asks(), Verdict.learn);
  fixture.link('lookup', {}, 'somebody');
  t.equal(asks(), Verdict.learn, 'what comes later is kept for nobody');
});

t.test('a route without what protocols that multiplex need is a fault of ours', async (t) => {
  const addresses = { find: () => undefined };
  const context = { addresses, maxFrameBytes: 1, portBase: undefined, ports: {}, saslPassThrough: false, users: null };
  t.throws(() => pulsar.createRoute(context));
});

t.test('requests are admitted by the tenancy alone', async (t) => {
  const fixture = new Fixture();
  const { session } = fixture.client();
  t.throws(() => fixture.link('lookup').session.admit(session));
});
