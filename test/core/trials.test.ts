/** The trial of a new login: where it goes, what ends it, and what it leaves. */
import t from 'tap';
import { LoginError } from '../../src/core/login.ts';
import type { CoreFixture } from '../support/core-fixture.ts';
import { loginOf, passwordOf } from '../support/fake-identities.ts';
import { ask, changesOf, startTwo } from '../support/two-users.ts';

/** Connections on which nobody is anybody yet. */
function trialsOf(core: CoreFixture, node = 1): number {
  return core.broker(node).open.filter(({ waiting }) => waiting.some(({ word }) => word === 'login')).length;
}

t.test('one that goes to a broker that moves goes on at another', async (t) => {
  const { core, identities } = await startTwo(t, { brokers: 2 });
  const [first, second] = [core.connect(1, 'alice'), core.connect(2, 'alice')];
  t.ok(ask(first));
  t.ok(ask(second));
  core.broker(1).greets = false;
  core.cluster.users?.set('alice', 'a2');
  identities.rotate('alice', 'a2');
  core.pump();
  t.equal(trialsOf(core), 1);
  core.route.pools.replace('1');
  core.pump();
  t.strictSame(changesOf(core), ['alice read', 'alice accepted']);
  t.ok(core.broker(2).open.length >= 1);
});

t.test('one that goes elsewhere outlives the broker that moves', async (t) => {
  const { core, identities } = await startTwo(t, { brokers: 2 });
  t.ok(ask(core.connect(1, 'alice')));
  t.ok(ask(core.connect(2, 'alice')));
  core.broker(1).greets = false;
  identities.rotate('alice', 'a2');
  core.pump();
  core.route.pools.replace('2');
  core.pump();
  t.equal(trialsOf(core), 1);
});

t.test('the same login told twice is tried once', async (t) => {
  const { core, identities } = await startTwo(t);
  t.ok(ask(core.connect(1, 'alice')));
  core.broker().greets = false;
  core.network.dials.length = 0;
  identities.rotate('alice', 'a2');
  core.pump();
  identities.rotate('alice', 'a2');
  core.pump();
  t.equal(core.network.dials.length, 1);
  t.strictSame(changesOf(core), ['alice read']);
});

t.test('what is in force already is not read again', async (t) => {
  const { core, identities } = await startTwo(t);
  t.ok(ask(core.connect(1, 'alice')));
  core.network.dials.length = 0;
  identities.rotate('alice', 'a1');
  core.pump();
  t.strictSame(core.network.dials, []);
  t.strictSame(changesOf(core), []);
});

t.test('a login that was put back is in force nowhere, not even when the old one is refused', async (t) => {
  const { core, identities } = await startTwo(t, { brokers: 2 });
  t.ok(ask(core.connect(1, 'alice')));
  core.broker(1).greets = false;
  identities.rotate('alice', 'a2');
  core.pump();
  identities.rotate('alice', 'a1');
  core.cluster.users?.set('alice', 'a2');
  const second = core.connect(2, 'alice');
  second.send('pool');
  core.pass(1);
  t.ok(second.wasReset);
  t.strictSame(changesOf(core), ['alice read']);
});

t.test('three logins, of which only the first is taken: it comes back', async (t) => {
  const { core, identities } = await startTwo(t);
  const alice = core.connect(1, 'alice');
  t.ok(ask(alice));
  core.pass(300);
  identities.rotate('alice', 'a2');
  identities.rotate('alice', 'a3');
  t.ok(ask(alice));
  t.equal(core.cluster.refusals, 1);
  t.strictSame(core.disconnected, []);
});

t.test('an old login that a broker refuses late takes nothing back', async (t) => {
  const { core, identities } = await startTwo(t, { brokers: 2 });
  t.ok(ask(core.connect(1, 'alice')));
  core.broker(2).greets = false;
  const second = core.connect(2, 'alice');
  second.send('pool');
  core.pump();
  const [late] = core.broker(2).open;
  core.broker(2).greets = true;
  core.cluster.users?.set('alice', 'a2');
  identities.rotate('alice', 'a2');
  core.pump();
  t.strictSame(changesOf(core), ['alice read', 'alice accepted']);
  t.ok(ask(core.connect(1, 'alice')));
  core.broker(1).greets = false;
  identities.rotate('alice', 'wrong');
  core.pump();
  // The dial under the oldest one was still under way, and is refused only now.
  late?.peer.send(late.takeAnswer({ keys: [['refused', 'yes']] }));
  core.pass(1);
  t.ok(ask(core.connect(1, 'alice')), 'the one in force stays, and none takes over untried');
  t.strictSame(changesOf(core), ['alice read', 'alice accepted', 'alice read']);
  t.strictSame(core.disconnected, []);
});

t.test('it is shown, and it ends with its identity', async (t) => {
  const { core, identities } = await startTwo(t);
  t.ok(ask(core.connect(1, 'alice')));
  core.broker().greets = false;
  identities.rotate('alice', 'a2');
  core.pump();
  t.equal(core.control.view().upstreams.dialing, 1);
  identities.remove('alice');
  core.broker().greets = true;
  core.pass(5);
  t.equal(core.openTo(), 0);
  const { length } = core.network.dials;
  core.pass(120);
  t.equal(core.network.dials.length, length, 'nobody is dialled for who is gone');
  t.notOk([...core.route.pools].some(({ identity }) => identity.name === 'alice'));
});

t.test('it ends when everything falls asleep, and the login is tried again when somebody wakes', async (t) => {
  const { core, identities } = await startTwo(t);
  const alice = core.connect(1, 'alice');
  t.ok(ask(alice));
  identities.rotate('alice', 'wrong');
  core.pass(1000);
  const { refusals } = core.cluster;
  core.pass(3600);
  t.equal(core.cluster.refusals, refusals, 'nothing is tried while all is asleep');
  core.cluster.users?.set('alice', 'wrong');
  t.ok(ask(alice));
  t.equal(changesOf(core).at(-1), 'alice accepted');
});

t.test('it goes on as long as anything is open, though the broker cannot be reached for it', async (t) => {
  const { core, identities } = await startTwo(t);
  const alice = core.connect(1, 'alice');
  t.ok(ask(alice));
  core.broker().network.refuse('broker-1:9092');
  core.cluster.users?.set('alice', 'a2');
  identities.rotate('alice', 'a2');
  for (let second = 0; second < 400; second += 10) {
    t.ok(ask(alice));
    core.pass(10);
  }
  t.strictSame(core.eventsOf('broker.changed'), [], 'which says nothing to anybody else');
  core.broker().start();
  core.pass(15);
  t.equal(changesOf(core).at(-1), 'alice accepted');
});

t.test('what was known under one login is not told under another', async (t) => {
  const { core, identities } = await startTwo(t);
  t.ok(ask(core.connect(1, 'alice')));
  const { invalidations } = core.line;
  core.cluster.users?.set('alice', 'a2');
  identities.rotate('alice', 'a2');
  core.pump();
  t.ok(core.line.invalidations >= invalidations + 2, 'when it is read, and when it takes over');
});

t.test('the end of the process ends it', async (t) => {
  const { core, identities } = await startTwo(t);
  const alice = core.connect(1, 'alice');
  t.ok(ask(alice));
  identities.replace(
    'alice',
    loginOf('alice', 'token', () => new Promise(() => undefined)),
  );
  core.pump();
  await core.route.stop();
  alice.fin();
  t.equal(core.network.open, 0);
  core.pass(10);
  t.equal(core.clock.timers, 0);
  identities.rotate('alice', 'a3');
  core.pass(10);
  t.equal(core.network.open, 0);
});

t.test('where connections are open, a broker whose TLS fails is no reason to take over untried', async (t) => {
  const { core, identities } = await startTwo(t, { brokers: 2 });
  const alice = core.connect(1, 'alice');
  t.ok(ask(alice));
  core.broker(1).greets = false;
  identities.rotate('alice', 'wrong');
  core.pump();
  core.network.refuse('broker-2:9092', 'ERR_TLS_HANDSHAKE_CLOSED');
  core.connect(2, 'alice').send('pool');
  core.pump();
  core.broker(2).start();
  t.strictSame(core.released, []);
  core.broker(1).greets = true;
  core.pass(61);
  await core.settle();
  t.ok(ask(alice));
  t.ok(ask(core.connect(2, 'alice')));
  t.notOk(changesOf(core).includes('alice accepted'));
});

t.test('asleep, one that was replaced too early takes over once the one before fails', async (t) => {
  const { core, identities } = await startTwo(t);
  let brokersAreReplaced = false;
  const during = (replaced: boolean) => () => {
    if (brokersAreReplaced !== replaced) throw new LoginError('not signed by any of them', 'tls_untrusted');
    return passwordOf('alice', 'a1');
  };
  identities.replace('alice', loginOf('alice', 'old authority', during(false)));
  const alice = core.connect(1, 'alice');
  const isServed = (): boolean => {
    const id = alice.send('pool');
    core.pass(0.1); // what cannot be shown is known a moment later
    return alice.ids.at(-1) === id;
  };
  t.ok(isServed());
  core.pass(300);
  identities.replace('alice', loginOf('alice', 'new authority', during(true)));
  t.ok(isServed(), 'too early, and nobody notices');
  core.pass(1000);
  brokersAreReplaced = true;
  t.ok(isServed());
  t.equal(changesOf(core).at(-1), 'alice accepted');
  core.pass(300);
  t.ok(isServed());
  t.equal(changesOf(core).filter((change) => change === 'alice accepted').length, 2, 'each once');
});

t.test('once a login was taken the one before is gone', async (t) => {
  const { core, identities } = await startTwo(t);
  const alice = core.connect(1, 'alice');
  t.ok(ask(alice));
  core.pass(300);
  core.cluster.users?.set('alice', 'a2');
  identities.rotate('alice', 'a2');
  t.ok(ask(alice));
  core.pass(300);
  core.cluster.users?.set('alice', 'a3');
  const late = core.connect(1, 'alice');
  late.send('pool');
  core.pass(1);
  t.ok(late.wasReset);
  t.equal(core.cluster.refusals, 1);
});

t.test('one that had to give way takes over when brokers know it', async (t) => {
  const { core, identities } = await startTwo(t);
  const alice = core.connect(1, 'alice');
  t.ok(ask(alice));
  core.pass(300);
  identities.rotate('alice', 'a2');
  t.ok(ask(alice));
  core.cluster.users?.set('alice', 'a2');
  core.pass(15);
  t.strictSame(changesOf(core), ['alice read', 'alice refused', 'alice accepted']);
});

t.test('one that took over while it was tried is tried no more', async (t) => {
  const { core, identities } = await startTwo(t, { brokers: 2 });
  t.ok(ask(core.connect(1, 'alice')));
  core.broker(1).greets = false;
  core.cluster.users?.set('alice', 'a2');
  identities.rotate('alice', 'a2');
  core.pump();
  t.ok(ask(core.connect(2, 'alice')), 'broker 2 has refused the old one');
  const { length } = core.network.dials;
  core.pass(60);
  t.equal(core.network.dials.length, length);
});

t.test('users who are one account: what one of them was refused with, the others do not show', async (t) => {
  const { core, identities } = await startTwo(t);
  core.cluster.users?.set('app', 'old');
  const shared = (password: string) => ({
    ...loginOf('app', password),
    credential: () => passwordOf('app', password),
  });
  const users = ['carol', 'dave'];
  for (const user of users) identities.replace(user, shared('old'));
  for (const user of users) t.ok(ask(core.connect(1, user)));
  core.pass(300);
  for (const user of users) identities.replace(user, shared('wrong'));
  for (const user of users) t.ok(ask(core.connect(1, user)), `${user} is served with the one before`);
  t.equal(core.cluster.refusals, 1);
});

t.test('where connections are open, a login that is held back elsewhere gives way to none untried', async (t) => {
  const { core, identities } = await startTwo(t, { brokers: 2 });
  const alice = core.connect(1, 'alice');
  t.ok(ask(alice));
  core.cluster.users?.set('alice', 'another');
  core.connect(2, 'alice').send('pool');
  core.pass(1);
  core.broker(1).greets = false;
  identities.rotate('alice', 'wrong');
  core.pump();
  for (let turn = 0; turn < 3; turn += 1) t.ok(ask(alice));
  t.strictSame(core.released, []);
});
