/** Logins that are replaced at every wrong moment. */
import t from 'tap';
import { BOOTSTRAP } from '../../src/contract/topology.ts';
import { LoginError } from '../../src/core/login.ts';
import { tcp } from '../../src/protocols/tcp/tcp.ts';
import { CoreFixture, type Overrides, startCore } from '../support/core-fixture.ts';
import { FakeIdentities, loginOf } from '../support/fake-identities.ts';
import type { FakePeer } from '../support/fake-peer.ts';
import { ask, changesOf, startTwo } from '../support/two-users.ts';

interface Scope {
  teardown(task: () => Promise<void>): unknown;
}

/** Nothing was dialled, and brokers know these. */
function notStarted(t: Scope, known: Readonly<Record<string, string>>): [CoreFixture, FakeIdentities] {
  const identities = new FakeIdentities({ alice: 'a1', bob: 'b1' });
  const core = new CoreFixture({ identities });
  core.cluster.users = new Map(Object.entries(known));
  t.teardown(() => core.route.stop());
  return [core, identities];
}

t.test('the topology is still learnt if who learns it is removed', async (t) => {
  const [core, identities] = notStarted(t, { bob: 'b1' });
  core.broker().stop();
  await core.route.start();
  core.pass(1);
  identities.remove('alice');
  core.broker().start();
  core.pass(2);
  t.ok(core.route.learnt);
});

t.test('the topology is still learnt if the first login is refused and a newer one is there', async (t) => {
  const [core, identities] = notStarted(t, { alice: 'a2' });
  await core.route.start();
  identities.rotate('alice', 'a2');
  core.pump();
  t.ok(core.route.learnt);
  t.strictSame(changesOf(core), ['alice read', 'alice accepted']);
});

t.test('a client that always has something in flight leaves the old login', async (t) => {
  const { core, identities } = await startTwo(t);
  core.broker().manual = true;
  const app = core.connect(1, 'alice');
  const ids = [app.send('pool'), app.send('pool')];
  const [old] = core.broker().open;
  identities.replace('alice', { ...loginOf('alice', 'a1'), fingerprint: 'another certificate' });
  core.pump();
  const answerAll = (): void => {
    for (const connection of core.broker().open) while (connection.waiting.length > 0) connection.answer();
    core.pump();
  };
  for (let turn = 0; turn < 20; turn += 1) {
    for (const connection of core.broker().open) if (connection.waiting.length > 0) connection.answer();
    core.pump();
    ids.push(app.send('pool'));
  }
  t.strictSame(core.released, ['condemned']);
  t.notOk(core.broker().open.some((connection) => connection === old));
  answerAll();
  answerAll();
  t.strictSame(app.ids, ids, 'each once and in order');
});

t.test('who is bound to a connection of the old login goes on with it', async (t) => {
  const { core, identities } = await startTwo(t);
  const [bound, alice] = [core.connect(1, 'alice'), core.connect(1, 'alice')];
  t.equal(bound.send('odd'), bound.ids.at(-1));
  identities.replace('alice', { ...loginOf('alice', 'a1'), fingerprint: 'another certificate' });
  core.pump();
  t.ok(ask(alice));
  t.ok(ask(bound));
  t.equal(core.broker().received.at(-1)?.connection, core.broker().open[0]);
  bound.fin();
  core.pass(3);
  t.notOk(
    [...core.route.pools].some(({ retired }) => retired),
    'no pool is left behind',
  );
});

t.test('a login without a broken certificate is told once, and again when brokers take it', async (t) => {
  const { core, identities } = await startTwo(t, {}, { bob: 'b3' });
  const bob = core.connect(1, 'bob');
  bob.send('pool');
  core.pass(1);
  t.strictSame(changesOf(core), [], 'the one from the start was not read under way');
  for (const password of ['b2', 'b3']) {
    identities.rotate('bob', password);
    core.pass(1);
  }
  t.strictSame(changesOf(core), ['bob read', 'bob refused', 'bob read', 'bob accepted']);
});

function withBadCertificate(identities: FakeIdentities): void {
  const credential = (): never => {
    throw new LoginError('the certificate was refused', 'tls_failed');
  };
  identities.replace('alice', loginOf('alice', 'bad', credential));
}

t.test('a broker whose TLS fails puts no login in force that others do not take', async (t) => {
  const { core, identities } = await startTwo(t, { brokers: 2 });
  const alice = core.connect(1, 'alice');
  t.ok(ask(alice));
  withBadCertificate(identities);
  core.pass(30);
  core.network.refuse('broker-2:9092', 'ERR_TLS_HANDSHAKE_CLOSED');
  core.connect(2, 'alice').send('pool');
  core.pass(1);
  t.ok(ask(alice), 'those at broker 1 are served');
  core.broker(2).start();
  core.pass(70);
  await core.settle();
  t.ok(ask(core.connect(2, 'alice')));
  t.notOk(core.disconnected.includes('upstream_lost'));
});

t.test('two logins of which none is taken do not take turns all the time', async (t) => {
  const { core, identities } = await startTwo(t);
  t.ok(ask(core.connect(1, 'alice')));
  core.pass(300);
  withBadCertificate(identities);
  core.network.refuse('broker-1:9092', 'ERR_TLS_HANDSHAKE_CLOSED');
  core.network.dials.length = 0;
  for (let second = 0; second < 60; second += 1) {
    const alice = core.connect(1, 'alice');
    if (!alice.peer.refused) alice.send('pool');
    core.pass(1);
  }
  t.ok(core.network.dials.length <= 30, `${core.network.dials.length} dials in a minute`);
  core.broker().start();
  core.pass(61);
  await core.settle();
  t.ok(ask(core.connect(1, 'alice')), 'and the one that is right is found again');
});

t.test('what was not known of a broker a new secret does not tell', async (t) => {
  const { core, identities } = await startTwo(t, { brokers: 2 });
  const [sleeper, alice] = [core.connect(1, 'alice'), core.connect(1, 'alice')];
  t.equal(sleeper.send('hi'), sleeper.ids.at(-1));
  core.broker().stop();
  alice.send('pool');
  core.pass(1);
  core.network.silence('broker-1:9092');
  identities.rotate('alice', 'a2');
  const { length } = sleeper.ids;
  sleeper.send('hi');
  t.equal(sleeper.ids.length, length, 'nothing is absorbed before a dial has succeeded');
});

t.test(
  'of those of a user that was removed nothing is sent any more, not on connections that others free',
  async (t) => {
    const { core, identities } = await startTwo(t);
    const bound = core.connect(1, 'bob');
    bound.send('odd');
    core.broker().greets = false;
    const waiting = core.connect(1, 'bob');
    waiting.send('pool');
    core.pass(0.1);
    core.broker().received.length = 0;
    identities.remove('bob');
    core.pump();
    t.strictSame(core.broker().received, []);
    t.strictSame(core.disconnected, ['identity_removed', 'identity_removed']);
  },
);

// --- opaque streams -----------------------------------------------------------------------------------------------

async function startOpaque(t: Scope, says = '', overrides: Overrides = {}) {
  const identities = new FakeIdentities({ '': 'first' });
  const core = await startCore(t, { identities, protocol: tcp, brokers: 0, ...overrides });
  const served: FakePeer[] = [];
  core.network.serve('broker-1:9092', (peer) => {
    served.push(peer);
    peer.onEnd = () => peer.close();
    if (says !== '') peer.send(says);
  });
  return { core, identities, served };
}

t.test('an opaque stream of the old login idles and goes like any other, and leaves nothing behind', async (t) => {
  const { core, identities } = await startOpaque(t);
  const app = core.connect(BOOTSTRAP);
  app.write('to whom it may concern');
  identities.rotate('', 'second');
  core.pump();
  core.pass(300);
  t.notOk(app.isOpen);
  t.strictSame(core.released, ['housekeeping_done', 'idle']);
  for (const pool of core.route.pools) {
    t.notOk(pool.retired);
    t.equal(pool.open.size + pool.closing.size, 0);
  }
});

t.test('a server that speaks first is not dialled again and again for a new login', async (t) => {
  const { core, identities, served } = await startOpaque(t, '220 good day');
  const app = core.connect(BOOTSTRAP);
  app.write('to whom it may concern');
  identities.rotate('', 'second');
  core.pass(60);
  t.equal(served.length, 2, 'the stream, and the trial');
  t.ok(app.isOpen);
});
