import t from 'tap';
import type { PassedCredentials } from '../../../src/contract/multiplexing.ts';
import { Verdict } from '../../../src/contract/protocol.ts';
import { BOOTSTRAP } from '../../../src/contract/topology.ts';
import type { Command } from '../../support/pulsar/commands.ts';
import { frame } from '../../support/pulsar/frames.ts';
import { Client, commandsIn, Fixture, FLAGS } from './session-fixture.ts';

const TOKEN = { authMethodName: 'token', authData: Buffer.from('old') };
const RENEWED = frame('AUTH_RESPONSE', { clientVersion: 'x', response: { method: 'token', data: Buffer.from('new') } });

function passing() {
  const renewed: string[] = [];
  const listeners: ((identity: string) => void)[] = [];
  const passed: PassedCredentials = {
    hold: () => 'somebody',
    letGo: () => undefined,
    onEnded: (listener) => listeners.push(listener),
    renew: (identity, credential) => {
      if (credential.mechanism === 'PASSED')
        renewed.push(`${identity} ${credential.method} ${credential.data.reveal()}`);
    },
  };
  const ends = (identity: string): void => {
    for (const listener of listeners) listener(identity);
  };
  return { fixture: new Fixture({ passed }), renewed, ends };
}

t.test('a broker that asks anew is answered by a client that can, over the connection that asked', async (t) => {
  const { fixture, renewed } = passing();
  const deaf = fixture.client({ ...TOKEN, flags: {} });
  const able = fixture.client(TOKEN);
  const link = fixture.link('lookup', {}, 'somebody');
  link.asks(deaf, 'deaf', 'LOOKUP', { topic: 't', requestId: 1n });
  link.asks(able, 'able', 'LOOKUP', { topic: 't', requestId: 1n });
  link.hears('AUTH_CHALLENGE', {});
  t.equal(link.sink.delivered('deaf').length, 0);
  t.match(link.told('able'), [{ name: 'AUTH_CHALLENGE' }]);
  t.equal(able.verdict(RENEWED), Verdict.forward);
  t.equal(able.verdict(RENEWED), Verdict.forward, 'it may be inspected again');
  t.match([able.session.purpose, able.session.work], ['lookup', false]);
  const owed = link.session.owed;
  t.ok(link.forwards(able, 'able', RENEWED).equals(RENEWED));
  t.equal(link.session.owed, owed, 'nothing is answered to that');
  t.strictSame(renewed, ['somebody token new']);
  t.equal(able.verdict(RENEWED), Verdict.discard, 'nobody has asked again');
});

t.test('a connection whose clients can show nothing new is of no use any more', async (t) => {
  const { fixture } = passing();
  const link = fixture.link('lookup', {}, 'somebody');
  link.asks(fixture.client({ ...TOKEN, flags: {} }), 'deaf', 'LOOKUP', { topic: 't', requestId: 1n });
  link.hears('AUTH_CHALLENGE', {});
  t.equal(link.sink.failure?.reason, 'condemned');
});

t.test('who goes without an answer is followed by another one, before the broker looks again', async (t) => {
  const { fixture } = passing();
  const [first, second] = [fixture.client(TOKEN), fixture.client(TOKEN)];
  const link = fixture.link('lookup', {}, 'somebody');
  link.asks(first, 'first', 'LOOKUP', { topic: 't', requestId: 1n });
  link.asks(second, 'second', 'LOOKUP', { topic: 't', requestId: 1n });
  link.hears('AUTH_CHALLENGE', {});
  t.match(link.told('first'), [{ name: 'AUTH_CHALLENGE' }]);
  link.session.leave('first');
  link.hears('PING', {});
  t.match(link.told('second'), [{ name: 'AUTH_CHALLENGE' }]);
  t.ok(link.forwards(second, 'second', RENEWED).equals(RENEWED));
  link.session.leave('second');
  link.hears('PING', {});
  t.equal(link.sink.failure, null, 'that was answered');
});

t.test('what nobody is left to answer costs the connection', async (t) => {
  const { fixture } = passing();
  const link = fixture.link('lookup', {}, 'somebody');
  link.asks(fixture.client(TOKEN), 'a', 'LOOKUP', { topic: 't', requestId: 1n });
  link.hears('AUTH_CHALLENGE', {});
  link.session.leave('a');
  link.hears('PING', {});
  t.equal(link.sink.failure?.reason, 'condemned');
});

t.test('an answer to a connection that is gone is taken, and given to no other', async (t) => {
  const { fixture } = passing();
  const client = fixture.client(TOKEN);
  const link = fixture.link('lookup', {}, 'somebody');
  link.asks(client, 'a', 'LOOKUP', { topic: 't', requestId: 1n });
  link.hears('AUTH_CHALLENGE', {});
  client.verdict(RENEWED);
  link.session.gone();
  t.equal(client.verdict(RENEWED), Verdict.discard);
  const other = fixture.link('lookup', {}, 'somebody');
  other.asks(client, 'a', 'LOOKUP', { topic: 't', requestId: 2n });
  other.hears('AUTH_CHALLENGE', {});
  link.hears('PING', {});
  t.equal(client.verdict(RENEWED), Verdict.forward);
  t.ok(other.forwards(client, 'a', RENEWED).equals(RENEWED));
});

t.test(
  'what a client shows in another way than at first is told to the broker that asked, and stands for nobody',
  async (t) => {
    const { fixture, renewed } = passing();
    const client = fixture.client(TOKEN);
    const link = fixture.link('lookup', {}, 'somebody');
    link.asks(client, 'a', 'LOOKUP', { topic: 't', requestId: 1n });
    link.hears('AUTH_CHALLENGE', {});
    const other = frame('AUTH_RESPONSE', { response: { method: 'basic', data: Buffer.from('admin:x') } });
    t.ok(link.forwards(client, 'a', other).equals(other));
    t.strictSame(renewed, []);
  },
);

/** What that client is told without having asked, from now on. */
function heard(client: Client): Command[] {
  const commands: Command[] = [];
  client.session.attach((bytes) => commands.push(...commandsIn(bytes)));
  return commands;
}

t.test('of the clients whose credential ends one is asked that can show another, and nothing goes to a broker', (t) => {
  const { fixture, renewed, ends } = passing();
  const unconnected = new Client(fixture.route.client(BOOTSTRAP));
  unconnected.asks('CONNECT', { clientVersion: 'x', protocolVersion: 21, flags: FLAGS, ...TOKEN });
  const clients = [fixture.client({ ...TOKEN, flags: {} }), fixture.client(TOKEN), fixture.client(TOKEN)];
  const told = [unconnected, ...clients].map(heard);
  ends('another');
  t.strictSame(told.flat(), []);
  ends('somebody');
  t.strictSame(
    told.map(({ length }) => length),
    [0, 0, 1, 0],
  );
  t.match(told[2], [
    {
      name: 'AUTH_CHALLENGE',
      fields: { challenge: { method: 'token', data: Buffer.from('PulsarAuthRefresh') }, protocolVersion: 21 },
    },
  ]);
  const able = clients[1] as Client;
  for (let inspection = 0; inspection < 2; inspection += 1) t.equal(able.verdict(RENEWED), Verdict.answer);
  t.strictSame(renewed, []);
  t.equal(able.session.answer().length, 0, 'it is told nothing to that');
  t.strictSame(renewed, ['somebody token new']);
  t.equal(able.verdict(RENEWED), Verdict.discard);
  t.end();
});

t.test('an answer is for whoever asked first, be it a broker or the sidecar', async (t) => {
  const { fixture, renewed, ends } = passing();
  const client = fixture.client(TOKEN);
  const told = heard(client);
  const link = fixture.link('lookup', {}, 'somebody');
  link.asks(client, 'a', 'LOOKUP', { topic: 't', requestId: 1n });
  ends('somebody');
  link.hears('AUTH_CHALLENGE', {});
  ends('somebody');
  t.equal(told.length, 1, 'it is not asked again before it has answered');
  t.equal(client.verdict(RENEWED), Verdict.answer);
  client.session.answer();
  t.ok(link.forwards(client, 'a', RENEWED).equals(RENEWED));
  t.equal(client.verdict(RENEWED), Verdict.discard);
  t.equal(renewed.length, 2);
  ends('somebody');
  t.equal(told.length, 2);
});
