/** A dead broker looks dead, and alive again once it is: DESIGN 5.7. */
import t, { type Test } from 'tap';
import { BOOTSTRAP } from '../../src/contract/topology.ts';
import { type CoreFixture, type Overrides, PORT_BASE, startCore } from '../support/core-fixture.ts';
import { watchDials } from '../support/dial-times.ts';
import type { FakeApp } from '../support/fake-app.ts';

const LISTENER = `127.0.0.1:${PORT_BASE + 1}`;

/** Broker 1 is dead, one client has found out, another one is idle. */
async function dead(t: Test, overrides: Overrides = {}): Promise<{ core: CoreFixture; idle: FakeApp }> {
  const core = await startCore(t, {
    brokers: 2,
    upstream: { bootstrap: [{ host: 'broker-2', port: 9092 }] },
    ...overrides,
  });
  const idle = core.connect();
  idle.send('hi');
  core.pass(3);
  core.broker(1).stop();
  core.pump();
  core.events.length = 0;
  const app = core.connect();
  app.send('pool');
  t.ok(app.wasReset, 'who waited is reset');
  t.strictSame(core.disconnected, ['upstream_unavailable']);
  return { core, idle };
}

t.test('its listener is closed, so that new clients are refused as by a dead broker', async (t) => {
  const { core } = await dead(t);
  t.notOk(core.network.listening.includes(LISTENER));
  t.ok(core.connect(1).peer.refused);
  t.notOk(core.connect(2).peer.refused, 'and no other');
  t.notOk(core.connect(BOOTSTRAP).peer.refused);
  t.match(core.control.view().brokers[0], { state: 'down', local: null });
  t.match(core.eventsOf('broker.changed'), [{ broker: '1', change: 'down' }]);
});

t.test('its idle clients stay', async (t) => {
  const { core, idle } = await dead(t);
  core.pass(100);
  t.ok(idle.isOpen);
});

t.test('dials go on with back-off, at most ten seconds apart', async (t) => {
  const { core } = await dead(t, { random: () => 0.999 });
  const dials = watchDials(core);
  core.pass(120);
  const times = dials.filter(({ address }) => address === 'broker-1:9092').map(({ second }) => second);
  const gaps = times.slice(1).map((second, index) => second - (times[index] ?? 0));
  t.ok(Math.max(...gaps) <= 10.1, `${Math.max(...gaps)} s`);
  t.ok(gaps.length > 10 && (gaps[0] ?? 99) < 1);
  t.strictSame(core.eventsOf('broker.changed').length, 1, 'and it is told once that it is down');
});

t.test('a dial that an operator ends is not the last one', async (t) => {
  const { core } = await dead(t);
  core.network.silence('broker-1:9092');
  core.pass(11);
  const dialling = core.control.upstreams().find(({ state, broker }) => state === 'dialing' && broker === '1');
  t.ok(core.control.condemnUpstream(`${dialling?.id}`, true));
  core.broker(1).start();
  core.pass(12);
  t.ok(core.network.listening.includes(LISTENER));
});

for (const [maxIdle, memory] of [
  [180, 180],
  [30, 60],
] as const) {
  t.test(
    `dials end ${memory} s after somebody asked last, if connectionMaxIdleSeconds is ${maxIdle}, and the listener opens`,
    async (t) => {
      const { core } = await dead(t, { random: () => 0.9, options: { connectionMaxIdleSeconds: maxIdle } });
      core.pass(memory - 10);
      t.notOk(core.network.listening.includes(LISTENER));
      const dials = watchDials(core);
      core.pass(22);
      await core.settle();
      t.ok(
        dials.some(({ address }) => address === 'broker-1:9092'),
        'until then it was dialled',
      );
      t.ok(core.network.listening.includes(LISTENER));
      dials.length = 0;
      core.pass(3600);
      t.strictSame(dials, []);
    },
  );
}

t.test('after the dials have ended the next client begins anew, and is reset', async (t) => {
  const { core } = await dead(t);
  core.pass(300);
  await core.settle();
  const app = core.connect();
  app.send('hi');
  core.clock.advance(600);
  t.ok(app.wasReset, 'nothing is absorbed meanwhile');
  t.ok(core.connect().peer.refused);
});

t.test('once a dial succeeds it is alive: the listener opens on the same port, and it is told', async (t) => {
  const { core, idle } = await dead(t);
  core.broker(1).start();
  core.pass(11);
  await core.settle();
  t.ok(core.network.listening.includes(LISTENER));
  t.match(
    core.eventsOf('broker.changed').map(({ change }) => change),
    ['down', 'up'],
  );
  idle.send('pool');
  t.equal(idle.answers.length, 2);
  core.connect().send('pool');
  t.match(core.control.view().brokers[0], { state: 'awake' });
});

t.test(
  'until a dial has succeeded nothing is absorbed: the first request starts one and is reset if it fails',
  async (t) => {
    const { core, idle } = await dead(t, { random: () => 0.999 });
    core.pass(30);
    const dials = watchDials(core);
    idle.send('hi');
    core.clock.advance(500);
    t.ok(
      dials.some(({ address }) => address === 'broker-1:9092'),
      'within half a second, whatever the back-off',
    );
    t.equal(idle.answers.length, 1);
    t.ok(idle.wasReset);
  },
);

t.test('a request that waits for the dial is answered if that succeeds', async (t) => {
  const { core, idle } = await dead(t, { random: () => 0.999 });
  core.pass(30);
  idle.send('hi');
  core.broker(1).start();
  core.clock.advance(500);
  t.equal(idle.answers.length, 2);
  t.ok(idle.isOpen);
});

t.test('the loss of all connections to a broker starts a dial, so that its death is known at once', async (t) => {
  const core = await startCore(t);
  const [app, idle] = [core.connect(), core.connect()];
  app.send('pool');
  core.broker().stop();
  core.pump();
  t.ok(app.isOpen && idle.isOpen, 'nobody was owed anything');
  t.ok(core.network.dials.length >= 2);
  t.notOk(core.network.listening.includes(LISTENER));
  t.ok(core.connect().peer.refused);
});

t.test('from the loss of the last connection until a dial has succeeded nothing is absorbed', async (t) => {
  const core = await startCore(t);
  const [app, idle] = [core.connect(), core.connect()];
  app.send('pool');
  idle.send('hi');
  t.equal(idle.answers.length, 1);
  core.network.silence(core.broker().address);
  core.broker().open[0]?.peer.rst();
  core.pump();
  idle.send('hi');
  core.clock.advance(2000);
  t.equal(idle.answers.length, 1, 'whether the broker is well is not known');
  core.broker().start();
  core.pump();
  t.equal(idle.answers.length, 2);
  core.network.dials.length = 0;
  idle.send('hi');
  t.equal(idle.answers.length, 3);
  t.strictSame(core.network.dials, [], 'and then it is absorbed as before');
});

t.test('a broker that was lost while no client was there is asked before the next client is told of it', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('pool');
  app.fin();
  core.broker().open[0]?.peer.close();
  core.pass(30);
  core.network.dials.length = 0;
  const next = core.connect();
  next.send('hi');
  t.equal(next.answers.length, 1);
  t.equal(core.network.dials.length, 1);
});

t.test('a broker whose connections we closed ourselves is trusted', async (t) => {
  const core = await startCore(t);
  core.connect().send('pool');
  core.pass(300);
  t.strictSame(core.released, ['idle']);
  core.network.dials.length = 0;
  const next = core.connect();
  next.send('hi');
  t.equal(next.answers.length, 1);
  t.strictSame(core.network.dials, []);
});

t.test('the loss of one of several connections starts none', async (t) => {
  const core = await startCore(t, { brokers: 2, upstream: { bootstrap: [{ host: 'broker-2', port: 9092 }] } });
  core.broker(1).manual = true;
  const apps = [core.connect(), core.connect()];
  for (const app of apps) app.send('hold');
  core.broker(1).open[0]?.answer();
  core.pump();
  const dials = watchDials(core);
  core.broker(1).open[0]?.peer.close();
  core.pass(1);
  t.strictSame(
    dials.filter(({ address }) => address === 'broker-1:9092'),
    [],
  );
});

t.test('without a client nobody asks whether a broker that closed is there', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('pool');
  app.fin();
  core.network.dials.length = 0;
  core.broker().stop();
  core.pass(600);
  t.strictSame(core.network.dials, []);
  t.ok(core.network.listening.includes(LISTENER));
});

t.test('the bootstrap listener closes only when no broker can be reached', async (t) => {
  const { core } = await dead(t);
  const bootstrap = core.connect(BOOTSTRAP);
  bootstrap.send('pool');
  t.equal(bootstrap.answers.length, 1, 'another broker serves it');
  core.broker(2).stop();
  core.pass(2);
  t.notOk(core.network.listening.includes('127.0.0.1:9092'));
  t.strictSame(core.network.listening, []);
  core.broker(2).start();
  core.pass(11);
  await core.settle();
  t.ok(core.network.listening.includes('127.0.0.1:9092'));
});

t.test('the bootstrap listener opens as soon as any broker was reached', async (t) => {
  const { core } = await dead(t, { random: () => 0.999 });
  const second = core.connect(2);
  second.send('pool');
  core.broker(2).stop();
  core.pass(60);
  t.strictSame(core.network.listening, []);
  core.broker(2).start();
  second.send('pool');
  core.clock.advance(500);
  await core.settle();
  t.equal(second.answers.length, 2);
  t.ok(core.network.listening.includes('127.0.0.1:9092'));
});
