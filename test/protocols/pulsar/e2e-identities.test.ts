/** Clients that show brokers their own credentials: nobody's bytes go over a connection of another, and who is refused hears it. */
import t from 'tap';
import type { Login, LoginSource } from '../../../src/core/login.ts';
import type { CredentialSource } from '../../../src/identity/credentials.ts';
import { fingerprintOf } from '../../../src/identity/fingerprint.ts';
import { PassedIdentities } from '../../../src/identity/passed.ts';
import { endingToken } from '../../support/ending-token.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import type { ScriptedClient } from '../../support/pulsar/client.ts';
import { type PulsarSidecar, startPulsar } from '../../support/pulsar/memory.ts';

const TOPIC = 'persistent://public/default/orders';
const AUTHENTICATION_ERROR = 3;
const LIFE_SECONDS = 300;
/** In seconds since 1970: of tokens that end once all is parked. */
const END = new ManualClock().unixSeconds() + LIFE_SECONDS;
const [OLD, NEW] = [endingToken('alice', END), endingToken('alice', END + LIFE_SECONDS)];

function passing(clock: ManualClock): PassedIdentities {
  const nobody: LoginSource = { name: '', login: { fingerprint: 'nobody', tls: null, credential: () => null } };
  const base = {
    first: nobody,
    find: (name: string) => (name === '' ? nobody : undefined),
    onChange: () => undefined,
    loginOf: ({ material, credential }: CredentialSource): Login => ({
      ...{ fingerprint: fingerprintOf(material), tls: null, credential },
    }),
  };
  return new PassedIdentities(base, clock);
}

function start(scope: Parameters<typeof startPulsar>[0], known = ['alice', 'bob']): Promise<PulsarSidecar> {
  const clock = new ManualClock();
  const passed = passing(clock);
  return startPulsar(scope, {
    clock,
    cluster: { credentials: new Set(known) },
    identities: passed,
    multiplexing: { passed },
  });
}

/** The client shows this from now on to whoever asks. */
function shows(client: ScriptedClient, token: string): void {
  client.onFrame = ({ command }) => {
    if (command.name !== 'AUTH_CHALLENGE') return;
    client.say('AUTH_RESPONSE', { response: { method: 'token', data: Buffer.from(token) } });
  };
}

t.test('whoever shows what brokers refuse hears that he is not authenticated, and nobody else notices', async (t) => {
  const sidecar = await start(t);
  const alice = sidecar.open();
  await alice.connect({ token: 'alice' });
  const producer = await alice.producer(TOPIC);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const mallory = sidecar.open();
    mallory.hello({ token: 'mallory' });
    mallory.say('LOOKUP', { topic: TOPIC, requestId: 1n });
    sidecar.pump();
    sidecar.pass(1);
    t.match(mallory.heard('ERROR'), [{ error: AUTHENTICATION_ERROR, message: /refuse what the client shows/ }]);
    t.strictSame(mallory.names, ['ERROR']);
    t.notOk(mallory.isOpen);
  }
  t.strictSame(
    sidecar.closeReasons,
    Array.from({ length: 3 }, () => 'authentication_failed'),
  );
  await alice.send(producer, 'one');
  t.equal(sidecar.cluster.topic(TOPIC).entries.length, 1);
});

t.test('a client that renews what it shows, whenever a broker asks, keeps no connection by that', async (t) => {
  const sidecar = await start(t);
  const broker = sidecar.cluster.broker();
  const [looker, alice] = [sidecar.open(), sidecar.open()];
  await looker.connect({ token: 'alice' });
  await looker.lookup(TOPIC);
  await alice.connect({ token: 'alice', proxyToBrokerUrl: broker.address });
  const producer = await alice.producer(TOPIC);
  await alice.send(producer, 'one');
  for (const client of [looker, alice]) shows(client, 'alice');
  for (let minute = 0; minute < 10; minute += 1) {
    for (const connection of broker.open) connection.challenge();
    sidecar.pump();
    sidecar.pass(60);
  }
  t.ok(alice.heard('AUTH_CHALLENGE').length >= 2, `it was asked ${alice.heard('AUTH_CHALLENGE').length} times`);
  t.strictSame(broker.open.length, 0);
  t.equal(sidecar.releaseReasons.at(-1), 'idle');
  await alice.send(producer, 'two');
  t.equal(sidecar.cluster.topic(TOPIC).entries.length, 2);
  t.strictSame([...sidecar.cluster.faults, ...sidecar.closeReasons], []);
});

t.test(
  'a client whose token ends while no broker is connected is asked for another, and wakes with that',
  async (t) => {
    const sidecar = await start(t, [OLD, NEW]);
    const broker = sidecar.cluster.broker();
    const [looker, alice] = [sidecar.open(), sidecar.open()];
    await looker.connect({ token: OLD });
    await looker.lookup(TOPIC);
    looker.end();
    sidecar.pump();
    sidecar.events.length = 0;
    await alice.connect({ token: OLD, proxyToBrokerUrl: broker.address });
    const producer = await alice.producer(TOPIC);
    await alice.send(producer, 'one');
    sidecar.pass(LIFE_SECONDS - 60);
    t.strictSame(
      [broker.open.length, alice.heard('AUTH_CHALLENGE')],
      [0, []],
      'it is parked, and the token still good',
    );
    const dials = broker.connections.length;
    shows(alice, NEW);
    sidecar.pass(180);
    t.match(
      alice.heard('AUTH_CHALLENGE'),
      [{ challenge: { method: 'token' }, protocolVersion: 21 }],
      'it is asked once',
    );
    t.equal(broker.connections.length, dials, 'which is nothing to any broker');
    sidecar.cluster.credentials = new Set([NEW]);
    await alice.send(producer, 'two');
    t.equal(sidecar.cluster.topic(TOPIC).entries.length, 2);
    t.strictSame(broker.connections.at(-1)?.shown, [`token:${NEW}`]);
    sidecar.pass(240);
    t.equal(broker.open.length, 0, 'and it is parked again');
    t.strictSame([...sidecar.cluster.faults, ...sidecar.closeReasons], []);
  },
);

t.test('who does not answer is not asked again, but another one is after a minute', async (t) => {
  const sidecar = await start(t, [OLD, NEW]);
  const silent = sidecar.open();
  const unable = sidecar.open();
  const second = sidecar.open();
  await silent.connect({ token: OLD });
  await unable.connect({ token: OLD, flags: {} });
  await second.connect({ token: OLD });
  shows(second, NEW);
  const asked = () => [silent, unable, second].map((client) => client.heard('AUTH_CHALLENGE').length);
  sidecar.pass(LIFE_SECONDS + 5);
  t.strictSame(asked(), [1, 0, 0]);
  sidecar.pass(60);
  t.strictSame(asked(), [1, 0, 1]);
  sidecar.pass(120);
  t.strictSame(asked(), [1, 0, 1], 'there is a new one');
  sidecar.pass(LIFE_SECONDS - 180);
  t.strictSame(asked(), [1, 0, 2], 'until that ends as well');
  t.strictSame(sidecar.closeReasons, []);
});

t.test('who renews as somebody else speaks for himself alone', async (t) => {
  const bobs = endingToken('bob', END + LIFE_SECONDS);
  const sidecar = await start(t, [OLD, NEW, bobs]);
  const [changed, alice] = [sidecar.open(), sidecar.open()];
  await changed.connect({ token: OLD });
  await alice.connect({ token: OLD });
  shows(changed, bobs);
  sidecar.pass(LIFE_SECONDS + 5);
  t.equal(changed.heard('AUTH_CHALLENGE').length, 1);
  await alice.lookup(TOPIC);
  const { connections } = sidecar.cluster.broker();
  t.strictSame(connections.at(-1)?.shown, [`token:${OLD}`]);
  t.notOk(connections.some(({ shown }) => shown.includes(`token:${bobs}`)));
});

t.test('a client that comes as soon as the last one of its token has gone is served at once', async (t) => {
  const sidecar = await start(t);
  const before = sidecar.open();
  await before.connect({ token: 'alice' });
  await before.lookup(TOPIC);
  before.end();
  sidecar.pump();
  const after = sidecar.open();
  const connected = after.connect({ token: 'alice' });
  sidecar.pump();
  await connected;
  await after.lookup(TOPIC);
  t.strictSame(sidecar.closeReasons, ['client_closed']);
});
