/** A broker that turns one user away serves the others, and whoever has not said yet who he is. */
import t from 'tap';
import { BOOTSTRAP } from '../../src/contract/topology.ts';
import { LoginError } from '../../src/core/login.ts';
import { CoreFixture, startCore } from '../support/core-fixture.ts';
import { FakeIdentities, loginOf, passwordOf } from '../support/fake-identities.ts';
import { ask, startTwo } from '../support/two-users.ts';

t.test(
  'the topology is learnt as the second user where the first is refused, and newcomers are answered',
  async (t) => {
    const { core } = await startTwo(t, {}, { alice: 'another' });
    t.ok(core.route.learnt);
    const newcomer = core.connect(BOOTSTRAP);
    const hi = newcomer.send('hi');
    t.strictSame(newcomer.ids, [hi]);
    t.ok(ask(core.connect(BOOTSTRAP, 'bob')));
  },
);

t.test('where all are refused, each account is tried rarely', async (t) => {
  const { core } = await startTwo(t, {}, { alice: 'another', bob: 'another' });
  t.notOk(core.route.learnt);
  core.pass(600);
  t.ok(core.cluster.refusals >= 4 && core.cluster.refusals <= 16, `${core.cluster.refusals} attempts in ten minutes`);
  core.cluster.users?.set('bob', 'b1');
  core.pass(400);
  t.ok(core.route.learnt, 'and the topology is learnt as soon as one of them is taken');
});

t.test('newcomers are answered while the first user is refused', async (t) => {
  const { core } = await startTwo(t);
  core.cluster.users?.set('alice', 'another');
  const alice = core.connect(1, 'alice');
  alice.send('pool');
  core.pass(0.1);
  t.ok(alice.wasReset);
  for (let second = 0; second < 60; second += 1) {
    const newcomer = core.connect(1);
    const hi = newcomer.send('hi');
    core.pass(1);
    t.strictSame(newcomer.ids, [hi]);
  }
  t.ok(ask(core.connect(1, 'bob')));
});

t.test('where all were refused, whoever is taken again lets newcomers in', async (t) => {
  const { core } = await startTwo(t);
  for (const user of ['alice', 'bob']) {
    core.cluster.users?.set(user, 'another');
    core.connect(1, user).send('pool');
    core.pass(0.1);
  }
  core.pass(900); // nobody asks, and nobody is asked any more
  core.cluster.users?.set('bob', 'b1');
  let answered = 0;
  for (let second = 0; second < 60; second += 1) {
    const newcomer = core.connect(1);
    newcomer.send('hi');
    core.pass(1);
    answered += newcomer.ids.length;
  }
  t.ok(answered >= 40, `${answered} of 60 newcomers`);
});

t.test('the first user learns again once brokers take it', async (t) => {
  const { core } = await startTwo(t, {}, { alice: 'another' });
  core.pass(30);
  core.cluster.users?.set('alice', 'a1');
  core.pass(30);
  const alice = core.connect(1, 'alice');
  alice.send('pool');
  core.pass(3);
  core.broker().stop();
  core.pump();
  core.broker().start();
  core.events.length = 0;
  core.connect(BOOTSTRAP).send('hi');
  core.pass(15);
  t.ok(core.eventsOf('upstream.connected').length > 0);
  t.ok(core.eventsOf('upstream.connected').every(({ identity }) => identity === 'alice'));
});

t.test('what does not come in time says nothing of the broker', async (t) => {
  const { core, identities } = await startTwo(t);
  identities.replace(
    'bob',
    loginOf('bob', 'token', () => new Promise(() => undefined)),
  );
  const bob = core.connect(1, 'bob');
  bob.send('pool');
  core.pass(3.5);
  t.ok(bob.wasReset);
  t.match(core.eventsOf('upstream.dial_failed'), [{ identity: 'bob', reason: 'credential_unavailable' }]);
  t.ok(ask(core.connect(1, 'alice')));
  t.equal(core.network.dials.length, 1);
});

t.test('what cannot be shown is not asked for again for every address', async (t) => {
  const bootstrap = [1, 2, 3].map((node) => ({ host: `broker-${node}`, port: 9092 }));
  let asked = 0;
  const identities = new FakeIdentities({ '': 'secret' });
  const credential = (): never => {
    asked += 1;
    throw new LoginError('the file is gone');
  };
  identities.replace('', loginOf('', 'token', credential));
  const core = new CoreFixture({ identities, brokers: 3, upstream: { bootstrap } });
  t.teardown(() => core.route.stop());
  await core.route.start();
  core.pass(1);
  t.equal(asked, 1);
});

t.test('a listener that was shut is opened when the broker is there and turns away who asks', async (t) => {
  const { core } = await startTwo(t, { brokers: 2 });
  const [idle, alice] = [core.connect(1, 'alice'), core.connect(1, 'alice')];
  core.broker(1).stop();
  alice.send('pool');
  core.pass(1);
  t.ok(core.connect(1, 'bob').peer.refused);
  core.cluster.users?.set('alice', 'another');
  core.broker(1).start();
  core.pass(15);
  await core.settle();
  t.ok(core.cluster.refusals > 0);
  t.ok(ask(core.connect(1, 'bob')));
  t.ok(idle.isOpen);
});

t.test('users who are one account for the brokers are held back together', async (t) => {
  const users = Array.from({ length: 20 }, (_, number) => `user-${number}`);
  const identities = new FakeIdentities({ alice: 'a1', ...Object.fromEntries(users.map((user) => [user, ''])) });
  const shared = { ...loginOf('app', 'secret'), credential: () => passwordOf('app', 'secret') };
  for (const user of users) identities.replace(user, shared);
  const core = await startCore(t, {
    identities,
    prepare: ({ cluster }) => {
      cluster.users = new Map([
        ['alice', 'a1'],
        ['app', 'another'],
      ]);
    },
  });
  for (let second = 0; second < 120; second += 1) {
    for (const user of users) {
      const app = core.connect(1, user);
      app.send('pool');
      t.ok(app.wasReset || app.peer.refused);
    }
    core.pass(1);
  }
  t.ok(core.cluster.refusals <= 6, `${core.cluster.refusals} attempts in two minutes`);
  core.cluster.users?.set('app', 'secret');
  core.pass(300);
  for (const user of users) t.ok(ask(core.connect(1, user)), 'one that is taken holds nobody back');
});

t.test('a login that was refused before is not shown at once because it was read again', async (t) => {
  const { core, identities } = await startTwo(t);
  t.ok(ask(core.connect(1, 'alice')));
  for (let round = 0; round < 20; round += 1) {
    identities.rotate('alice', 'wrong');
    core.pump();
    identities.rotate('alice', 'a1');
    core.pump();
    core.pass(0.1);
  }
  t.equal(core.cluster.refusals, 1);
});

t.test('newcomers are answered while there is nothing to show for the first user', async (t) => {
  const credential = (): never => {
    throw new LoginError('the file is gone');
  };
  const identities = new FakeIdentities({ alice: 'a1', bob: 'b1' });
  identities.replace('alice', loginOf('alice', 'token', credential));
  const core = await startCore(t, {
    identities,
    prepare: ({ cluster }) => {
      cluster.users = new Map([['bob', 'b1']]);
    },
  });
  t.ok(core.route.learnt);
  const newcomer = core.connect(BOOTSTRAP);
  t.equal(newcomer.send('hi'), newcomer.ids.at(-1));
  t.ok(ask(core.connect(1, 'bob')));
});

t.test('who is the same account as one that was refused is not asked to learn', async (t) => {
  const identities = new FakeIdentities({ carol: '', dave: '', bob: 'b1' });
  for (const user of ['carol', 'dave']) identities.replace(user, loginOf('app', 'secret'));
  const core = await startCore(t, {
    identities,
    prepare: ({ cluster }) => {
      cluster.users = new Map([['bob', 'b1']]);
    },
  });
  t.ok(core.route.learnt);
  t.equal(core.cluster.refusals, 1);
});

t.test('a broker that turns one user away is shown as it is for the others', async (t) => {
  const { core } = await startTwo(t);
  core.cluster.users?.set('alice', 'another');
  const alice = core.connect(1, 'alice');
  alice.send('pool');
  core.pass(0.1);
  t.ok(alice.wasReset);
  t.equal(core.control.view().brokers[0]?.state, 'asleep');
  t.ok(ask(core.connect(1, 'bob')));
  t.equal(core.control.view().brokers[0]?.state, 'awake');
});

t.test('a handshake that fails is tried again within ten seconds, as with any broker that is dead', async (t) => {
  const core = await startCore(t);
  core.network.refuse(core.broker().address, 'ERR_TLS_HANDSHAKE_CLOSED');
  for (let second = 0; second < 300; second += 1) {
    const app = core.connect();
    if (!app.peer.refused) app.send('pool');
    core.pass(1);
  }
  const dials = core.eventsOf('upstream.dial_failed').filter(({ broker }) => broker === '1').length;
  t.ok(dials >= 30 && dials <= 70, `${dials} dials in five minutes`);
});
