/** Who the broker takes us for: pools never mix two identities, and a new secret never disturbs anybody. */
import t from 'tap';
import { BOOTSTRAP } from '../../src/contract/topology.ts';
import { LoginError } from '../../src/core/login.ts';
import { type CoreFixture, startCore } from '../support/core-fixture.ts';
import { FakeIdentities, loginOf, passwordOf } from '../support/fake-identities.ts';
import { ask, changesOf, startTwo } from '../support/two-users.ts';

function principals(core: CoreFixture, node = 1): string[] {
  return core.broker(node).received.map(({ id, principal }) => `${id} ${principal}`);
}

t.test('each user has connections of its own, and no request travels on those of another', async (t) => {
  const { core } = await startTwo(t);
  const [alice, bob] = [core.connect(1, 'alice'), core.connect(1, 'bob')];
  for (let round = 0; round < 3; round += 1) {
    t.ok(ask(alice));
    t.ok(ask(bob));
  }
  t.strictSame(principals(core), ['a1-1 alice', 'a2-1 bob', 'a1-2 alice', 'a2-2 bob', 'a1-3 alice', 'a2-3 bob']);
  t.equal(core.openTo(1), 2);
});

t.test('whoever has not authenticated may learn what brokers can, and nothing more', async (t) => {
  const { core } = await startTwo(t);
  const nobody = core.connect(1);
  const hi = nobody.send('hi');
  t.strictSame(nobody.ids, [hi]);
  nobody.send('pool');
  core.pump();
  t.ok(nobody.wasReset);
  t.match(core.eventsOf('invariant.violated'), [{ detail: /there is no identity/ }], 'nobody is taken for somebody');
  t.strictSame(principals(core), []);
});

t.test('a new secret is tried over one connection, and takes over once a broker has taken it', async (t) => {
  const { core, identities } = await startTwo(t);
  const [alice, other] = [core.connect(1, 'alice'), core.connect(1, 'alice')];
  t.ok(ask(alice));
  core.broker().manual = true;
  const owed = other.send('pool');
  core.cluster.users?.set('alice', 'a2');
  identities.rotate('alice', 'a2');
  core.pump();
  t.strictSame(changesOf(core), ['alice read', 'alice accepted']);
  const [old, fresh] = core.broker().open;
  t.equal(core.broker().open.length, 2, 'the old one still owes an answer');
  old?.answer();
  core.pump();
  t.strictSame(other.ids, [owed]);
  t.strictSame(core.released, ['condemned']);
  core.broker().manual = false;
  t.ok(ask(alice));
  t.equal(core.broker().received.at(-1)?.connection, fresh);
  t.strictSame(core.disconnected, []);
});

t.test('while a new secret is tried the old connections serve', async (t) => {
  const { core, identities } = await startTwo(t);
  const alice = core.connect(1, 'alice');
  t.ok(ask(alice));
  core.broker().greets = false;
  identities.rotate('alice', 'a2');
  core.pump();
  t.ok(ask(alice));
  t.strictSame(changesOf(core), ['alice read']);
});

t.test('a wrong new secret is told, tried rarely, and disturbs nobody', async (t) => {
  const { core, identities } = await startTwo(t);
  const [alice, bob] = [core.connect(1, 'alice'), core.connect(1, 'bob')];
  t.ok(ask(alice));
  identities.rotate('alice', 'wrong');
  for (let second = 0; second < 600; second += 10) {
    t.ok(ask(alice));
    t.ok(ask(bob));
    core.pass(10);
  }
  t.ok(core.cluster.refusals >= 2 && core.cluster.refusals <= 8, `${core.cluster.refusals} attempts in ten minutes`);
  t.equal(changesOf(core).filter((change) => change === 'alice refused').length, core.cluster.refusals);
  t.strictSame(core.disconnected, []);
  t.equal(core.eventsOf('broker.changed').length, 0, 'the broker is well');
  core.cluster.users?.set('alice', 'wrong');
  core.pass(300);
  ask(alice);
  core.pass(300);
  t.equal(changesOf(core).at(-1), 'alice accepted', 'and taken as soon as the broker knows it');
});

t.test('a secret that is put back ends the trial', async (t) => {
  const { core, identities } = await startTwo(t);
  const alice = core.connect(1, 'alice');
  t.ok(ask(alice));
  identities.rotate('alice', 'wrong');
  core.pump();
  identities.rotate('alice', 'a1');
  const { refusals } = core.cluster;
  for (let second = 0; second < 120; second += 10) {
    t.ok(ask(alice));
    core.pass(10);
  }
  t.equal(core.cluster.refusals, refusals);
});

t.test('asleep, a new secret is used by the next dial, and nothing is dialled for it', async (t) => {
  const { core, identities } = await startTwo(t);
  const alice = core.connect(1, 'alice');
  t.ok(ask(alice));
  core.pass(300);
  t.equal(core.openTo(1), 0);
  const dials = core.network.dials.length;
  core.cluster.users?.set('alice', 'a2');
  identities.rotate('alice', 'a2');
  core.pass(600);
  t.equal(core.network.dials.length, dials);
  t.ok(ask(alice));
  t.equal(core.cluster.refusals, 0);
  t.equal(core.network.dials.length, dials + 1);
  t.strictSame(changesOf(core), ['alice read', 'alice accepted']);
});

t.test('asleep, a wrong new secret gives way to the one before, and the request that woke it is served', async (t) => {
  const { core, identities } = await startTwo(t);
  const alice = core.connect(1, 'alice');
  t.ok(ask(alice));
  core.pass(300);
  identities.rotate('alice', 'wrong');
  t.ok(ask(alice));
  t.strictSame(core.disconnected, []);
  t.equal(core.cluster.refusals, 1);
  t.strictSame(changesOf(core), ['alice read', 'alice refused']);
  core.pass(5);
  t.ok(ask(alice));
  t.equal(core.cluster.refusals, 1);
});

t.test('a secret that brokers do not take any more gives way to a newer one at once', async (t) => {
  const { core, identities } = await startTwo(t, { brokers: 2 });
  const [alice, second] = [core.connect(1, 'alice'), core.connect(2, 'alice')];
  t.ok(ask(alice));
  core.broker().greets = false;
  core.cluster.users?.set('alice', 'a2');
  identities.rotate('alice', 'a2');
  core.pump();
  t.ok(ask(second), 'broker 2 refuses the old one, and is asked with the new one');
  t.strictSame(core.disconnected, []);
  t.equal(core.cluster.refusals, 1);
});

t.test('a refused login is shown rarely, to all brokers together, whoever asks', async (t) => {
  const { core } = await startTwo(t, { brokers: 3 });
  core.cluster.users?.set('alice', 'changed');
  const bob = core.connect(2, 'bob');
  t.ok(ask(bob));
  for (let second = 0; second < 300; second += 1) {
    const alice = core.connect((second % 3) + 1, 'alice');
    if (!alice.peer.refused) alice.send('pool');
    core.pass(1);
    t.ok(alice.wasReset || alice.peer.refused, 'she learns it at once');
    if (second % 30 === 0) t.ok(ask(bob));
  }
  t.ok(core.cluster.refusals <= 7, `${core.cluster.refusals} attempts in five minutes`);
  t.match(core.eventsOf('upstream.dial_failed'), [{ identity: 'alice', reason: 'authentication_failed' }]);
});

t.test('where connections are open, a refused growth keeps nobody from them', async (t) => {
  const identities = new FakeIdentities({ '': 'secret' });
  const core = await startCore(t, {
    identities,
    brokers: 2,
    prepare: ({ cluster }) => {
      cluster.users = new Map([['app', 'secret']]);
    },
  });
  const app = core.connect();
  t.ok(ask(app));
  core.cluster.users?.set('app', 'changed');
  core.broker().manual = true;
  const others = [core.connect(), core.connect(), core.connect(BOOTSTRAP)];
  for (const other of others) other.send('pool');
  core.pass(0.5);
  t.equal(core.cluster.refusals, 1, 'one more was wanted');
  for (let turn = 0; turn < others.length; turn += 1) {
    core.broker().open[0]?.answer();
    core.pass(0.1);
  }
  t.ok(others.every(({ answers }) => answers.length === 1));
  t.notOk(core.connect().peer.refused);
  core.broker().manual = false;
  for (let second = 0; second < 120; second += 1) {
    t.ok(ask(core.connect(BOOTSTRAP)), 'newcomers are served, too');
    core.pass(1);
  }
  t.strictSame(core.disconnected, []);
  t.strictSame(core.eventsOf('broker.changed'), []);
  t.ok(core.cluster.refusals <= 5, `${core.cluster.refusals} attempts`);
});

t.test('a broker that refuses the only login looks dead to applications', async (t) => {
  const identities = new FakeIdentities({ '': 'secret' });
  const core = await startCore(t, {
    identities,
    prepare: ({ cluster }) => {
      cluster.users = new Map([['app', 'secret']]);
    },
  });
  core.cluster.users?.set('app', 'changed');
  const app = core.connect();
  app.send('pool');
  core.pass(1);
  t.ok(app.wasReset);
  t.ok(core.connect().peer.refused);
  identities.rotate('', 'changed');
  await core.settle();
  core.pass(1);
  await core.settle();
  t.notOk(core.connect().peer.refused, 'and a newer one is not held back');
});

t.test('what a broker is shown may have to be fetched first', async (t) => {
  const { core, identities } = await startTwo(t);
  let give: () => void = () => undefined;
  const fetched = new Promise<void>((resolve) => {
    give = resolve;
  });
  const credential = () => fetched.then(() => passwordOf('alice', 'a1'));
  identities.replace('alice', loginOf('alice', 'token', credential));
  const alice = core.connect(1, 'alice');
  alice.send('pool');
  core.pump();
  t.equal(core.network.dials.length, 0);
  give();
  await core.settle();
  t.equal(alice.ids.length, 1);
});

for (const how of ['throws', 'rejects'] as const) {
  t.test(`a credential that cannot be had (${how}) fails the dial with its reason`, async (t) => {
    const { core, identities } = await startTwo(t);
    const error = new LoginError('the endpoint gives no token');
    const credential = (): Promise<never> => {
      if (how === 'throws') throw error;
      return Promise.reject(error);
    };
    identities.replace('bob', loginOf('bob', 'token', credential));
    const bob = core.connect(1, 'bob');
    bob.send('pool');
    await core.settle();
    core.pass(0.1);
    t.ok(bob.wasReset);
    t.equal(core.network.dials.length, 0);
    t.match(core.eventsOf('upstream.dial_failed'), [
      { reason: 'credential_unavailable', detail: 'the endpoint gives no token' },
    ]);
  });
}

t.test('a credential that comes after the dial was given up is not used', async (t) => {
  const { core, identities } = await startTwo(t);
  let give: () => void = () => undefined;
  const fetched = new Promise<void>((resolve) => {
    give = resolve;
  });
  identities.replace(
    'bob',
    loginOf('bob', 'token', () => fetched.then(() => passwordOf('bob', 'b1'))),
  );
  const bob = core.connect(1, 'bob');
  bob.send('pool');
  core.pass(3.5);
  t.ok(bob.wasReset);
  await core.route.stop();
  give();
  await core.settle();
  t.equal(core.network.dials.length, 0);
  t.strictSame(core.network.faults, []);
});

t.test('those of a user that was removed go, those who wait among them, and nobody else', async (t) => {
  const { core, identities } = await startTwo(t);
  const [alice, bob, waiting] = [core.connect(1, 'alice'), core.connect(1, 'bob'), core.connect(1, 'bob')];
  t.ok(ask(alice));
  t.ok(ask(bob));
  core.broker().manual = true;
  bob.send('pool');
  waiting.send('pool');
  core.pump();
  identities.remove('bob');
  core.pump();
  t.ok(bob.wasEnded);
  t.ok(waiting.wasEnded);
  t.strictSame(core.disconnected, ['identity_removed', 'identity_removed']);
  core.broker().manual = false;
  t.ok(ask(alice));
  core.pass(2);
  t.strictSame(
    core.broker().open.map(({ principal }) => principal),
    ['alice'],
  );
});
