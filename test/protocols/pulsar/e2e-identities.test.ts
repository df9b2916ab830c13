/** Clients that show brokers their own credentials: nobody's bytes go over a connection of another, and who is refused hears it. */
import t from 'tap';
import type { LoginSource } from '../../../src/core/login.ts';
import { fingerprintOf } from '../../../src/identity/fingerprint.ts';
import { PassedIdentities } from '../../../src/identity/passed.ts';
import { type PulsarSidecar, startPulsar } from '../../support/pulsar/memory.ts';

const TOPIC = 'persistent://public/default/orders';
const AUTHENTICATION_ERROR = 3;

function passing(): PassedIdentities {
  const nobody: LoginSource = { name: '', login: { fingerprint: 'nobody', tls: null, credential: () => null } };
  return new PassedIdentities({
    first: nobody,
    find: (name) => (name === '' ? nobody : undefined),
    onChange: () => undefined,
    loginOf: ({ material, credential }) => ({ fingerprint: fingerprintOf(material), tls: null, credential }),
  });
}

function start(scope: Parameters<typeof startPulsar>[0]): Promise<PulsarSidecar> {
  const passed = passing();
  return startPulsar(scope, {
    cluster: { credentials: new Set(['alice', 'bob']) },
    identities: passed,
    multiplexing: { passed },
  });
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
  for (const client of [looker, alice]) {
    client.onFrame = ({ command }) => {
      if (command.name !== 'AUTH_CHALLENGE') return;
      client.say('AUTH_RESPONSE', { response: { method: 'token', data: Buffer.from('alice') } });
    };
  }
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
