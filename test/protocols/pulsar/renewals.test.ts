import t from 'tap';
import type { PassedCredentials } from '../../../src/contract/multiplexing.ts';
import { Verdict } from '../../../src/contract/protocol.ts';
import { frame } from '../../support/pulsar/frames.ts';
import { Fixture } from './session-fixture.ts';

const TOKEN = { authMethodName: 'token', authData: Buffer.from('old') };
const RENEWED = frame('AUTH_RESPONSE', { clientVersion: 'x', response: { method: 'token', data: Buffer.from('new') } });

function passing(): { fixture: Fixture; renewed: string[] } {
  const renewed: string[] = [];
  const passed: PassedCredentials = {
    hold: () => 'somebody',
    letGo: () => undefined,
    renew: (identity, credential) => {
      if (credential.mechanism === 'PASSED')
        renewed.push(`${identity} ${credential.method} ${credential.data.reveal()}`);
    },
  };
  return { fixture: new Fixture({ passed }), renewed };
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
