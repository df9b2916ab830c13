import t from 'tap';
import { type Credential, Secret } from '../../../src/contract/credential.ts';
import { BOOTSTRAP } from '../../../src/contract/topology.ts';
import { frame } from '../../support/pulsar/frames.ts';
import { CONNECTED, commandsIn, Fixture, FLAGS, Link } from './session-fixture.ts';

const AT = { node: BOOTSTRAP, host: 'broker-1', port: 6650 };
const NO_REQUEST = 2n ** 64n - 1n;

function dialled(fixture: Fixture, purpose: string, credential: Credential | null = null, at = AT): Link {
  const session = fixture.route.upstream<string>(at, '', purpose);
  return new Link(session, session.greeting(credential));
}

t.test(
  'to see whether a broker can be reached nothing is said, unless there is a credential to be tried',
  async (t) => {
    const fixture = new Fixture();
    const plain = dialled(fixture, '');
    t.equal(plain.greeting, undefined);
    t.equal(plain.session.owed, 0);
    const token = dialled(fixture, '', { mechanism: 'OAUTHBEARER', token: new Secret('t'), extensions: {} });
    t.match(commandsIn(token.greeting!), [
      { name: 'CONNECT', fields: { authMethodName: 'token', authData: Buffer.from('t') } },
    ]);
    t.equal(token.session.owed, 1);
  },
);

t.test('each credential is shown by the method that Pulsar has for it', async (t) => {
  const cases: [Credential | null, string, string | undefined][] = [
    [null, 'none', undefined],
    [{ mechanism: 'OAUTHBEARER', token: new Secret('ey'), extensions: {} }, 'token', 'ey'],
    [{ mechanism: 'PLAIN', username: 'u', password: new Secret('p:w') }, 'basic', 'u:p:w'],
    [{ mechanism: 'PASSED', method: 'athenz', data: new Secret('\u00ff\u0000') }, 'athenz', '\u00ff\u0000'],
    [{ mechanism: 'PASSED', method: 'none', data: new Secret('') }, 'none', undefined],
  ];
  for (const [credential, method, data] of cases) {
    const [command] = commandsIn(dialled(new Fixture(), 'lookup', credential).greeting!);
    t.match(command, { fields: { authMethodName: method, clientVersion: 'slackwater' } });
    t.equal(command?.name === 'CONNECT' ? command.fields.authData?.toString('latin1') : '', data);
  }
});

t.test('a connection of a client’s own speaks as that client does, in its version and with its features', async (t) => {
  const fixture = new Fixture();
  const { session } = fixture.client({
    clientVersion: 'Pulsar-CPP',
    protocolVersion: 19,
    flags: { partialProducer: true },
  });
  const link = dialled(fixture, session.ownPurpose);
  t.match(commandsIn(link.greeting!), [
    { fields: { clientVersion: 'Pulsar-CPP', protocolVersion: 19, flags: { partialProducer: true } } },
  ]);
  t.equal(commandsIn(link.greeting!)[0]?.name === 'CONNECT', true);
});

t.test('a connection is ready when its broker has answered, whether in one piece or byte by byte', async (t) => {
  const connected = frame('CONNECTED', CONNECTED);
  for (const size of [1, 5, 10, connected.length]) {
    const link = dialled(new Fixture(), 'lookup');
    for (let at = 0; at < connected.length; at += size) {
      t.strictSame(link.sink.facts, [], `not after ${at} bytes`);
      link.reads(connected.subarray(at, at + size));
    }
    t.strictSame(link.sink.facts, ['ready']);
    t.equal(link.session.owed, 0);
  }
});

t.test('a broker that refuses says why, and whether it is about who we are', async (t) => {
  const cases = [
    [3, 'authentication_failed'],
    [4, 'authentication_failed'],
    [10, 'rejected'],
  ] as const;
  for (const [error, failure] of cases) {
    const link = dialled(new Fixture(), 'lookup');
    link.hears('ERROR', { requestId: NO_REQUEST, error, message: 'no\nentry' });
    t.match(link.sink.failure, { reason: 'dial_failed', failure, detail: /no entry$/ });
  }
  const challenged = dialled(new Fixture(), 'lookup');
  challenged.hears('AUTH_CHALLENGE', {});
  t.match(challenged.sink.failure, { failure: 'mechanism_unsupported' });
});

t.test('what is no answer to CONNECT ends the dial', async (t) => {
  const link = dialled(new Fixture(), 'lookup');
  link.hears('SUCCESS', { requestId: 1n });
  t.match(link.sink.failure, { reason: 'protocol_error' });
  const noise = dialled(new Fixture(), 'lookup');
  noise.reads(Buffer.from('HTTP/1.1 400 Bad Request\r\n'));
  t.match(noise.sink.failure, { reason: 'protocol_error' });
});

t.test('PING is answered, before CONNECTED too, and our own is told when it was', async (t) => {
  const link = dialled(new Fixture(), 'lookup');
  link.hears('PING', {});
  t.match(commandsIn(Buffer.concat(link.sink.replies)), [{ name: 'PONG' }]);
  link.hears('CONNECTED', CONNECTED);
  t.match(commandsIn(link.session.ping()), [{ name: 'PING' }]);
  t.equal(link.session.owed, 1);
  link.hears('PONG', {});
  t.equal(link.session.owed, 0);
  link.hears('PONG', {});
  t.strictSame(link.sink.facts, ['ready', 'ponged'], 'a PONG too many is nothing');
});

t.test('a broker behind a proxy is asked for by name, any other is not', async (t) => {
  const fixture = new Fixture();
  const named = (at: typeof AT) => commandsIn(dialled(fixture, 'lookup', null, at).greeting!)[0];
  t.match(named({ node: 'b:6650', host: 'proxy', port: 6650 }), { fields: { proxyToBrokerUrl: 'b:6650' } });
  t.notMatch(named({ node: 'b:6650', host: 'b', port: 6650 }), { fields: { proxyToBrokerUrl: /./ } });
  t.notMatch(named(AT), { fields: { proxyToBrokerUrl: /./ } });
});

t.test('a broker that asks for the sidecar’s credential is shown it again', async (t) => {
  const link = dialled(new Fixture(), 'lookup');
  link.hears('CONNECTED', { ...CONNECTED, flags: FLAGS });
  link.hears('AUTH_CHALLENGE', {});
  t.strictSame(link.sink.facts, ['ready', 'authenticate']);
  const renewal = link.session.renewal({ mechanism: 'OAUTHBEARER', token: new Secret('new'), extensions: {} });
  t.match(commandsIn(renewal!), [{ name: 'AUTH_RESPONSE' }]);
  t.ok(renewal!.includes('new'));
  t.equal(link.session.renewal(null), undefined);
});
