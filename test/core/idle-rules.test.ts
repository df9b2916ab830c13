/** The idle rules, DESIGN 4.1 to 4.7, in their order. Details stand in reaper, lingering, fence and mute. */
import t from 'tap';
import { type CoreFixture, type Overrides, startCore } from '../support/core-fixture.ts';
import type { FakeApp } from '../support/fake-app.ts';

/** Nobody loses patience but the detector. */
const PATIENT: Overrides = {
  limits: { clientStallSeconds: 1e6, responseTimeoutSeconds: 1e6, wholeFrameBytes: 100 },
};
/** The latest moment at which a connection that is idle from now on goes. */
const LATEST_SECONDS = 180 + 60 + 5;

t.test('4.1 a connection goes at the end of its time, never earlier', async (t) => {
  const core = await startCore(t);
  core.connect().send('pool');
  core.pass(180);
  t.strictSame(core.released, []);
  core.pass(LATEST_SECONDS - 180);
  t.strictSame(core.released, ['idle']);
  t.equal(core.openTo(), 0);
});

/** What keeps a connection however long it lasts. */
const UNSAFE: Readonly<Record<string, (core: CoreFixture, app: FakeApp) => Promise<void> | void>> = {
  'an answer is owed': (core, app) => {
    core.broker().manual = true;
    app.send('pool');
  },
  'an answer has begun to arrive': (core, app) => {
    core.broker().manual = true;
    const id = app.send('pool');
    core.broker().open[0]?.peer.send(`ok ${id} 100\nhalf`);
    core.pump();
  },
  'an answer waits for a listener': (core, app) => {
    core.network.holdsBinds = true;
    core.addBroker('2');
    app.send('meta');
    t.teardown(() => core.network.bindNow());
  },
  'a request has begun to arrive': (_core, app) => {
    app.write(app.frame('pool', { body: Buffer.alloc(1000) }).bytes.subarray(0, 500));
  },
  'a request was written of which nothing proves that it was read': (core, app) => {
    core.broker().answersPings = false;
    app.send('shot');
  },
  'its broker does not take what was written': (core, app) => {
    app.send('pool');
    core.broker().open[0]?.peer.clog(0);
    const id = app.send('pool');
    core.broker().open[0]?.peer.send(`ok ${id} 0\n`);
    core.pump();
    t.strictSame(app.ids.at(-1), id, 'nothing is owed');
  },
  'its client does not take what was answered': (core, app) => {
    app.peer.clog(0);
    app.send('pool', { keys: [['answer', '1000']] });
    core.pump();
  },
  'its client is pinned': (_core, app) => void app.send('odd'),
  'its client is pinned for good': (_core, app) => void app.send('share'),
  'its broker throttles': (core, app) => {
    core.broker().manual = true;
    app.send('pool');
    core.broker().open[0]?.answer({ mute: 1e7 });
    core.pump();
  },
};

for (const [what, bring] of Object.entries(UNSAFE)) {
  t.test(`4.2 only a safe state ends a connection, and not while ${what}`, async (t) => {
    const core = await startCore(t, PATIENT);
    await bring(core, core.connect());
    core.pass(2 * LATEST_SECONDS);
    t.strictSame(core.released, []);
    t.equal(core.openTo(), 1);
    t.strictSame(core.disconnected, []);
  });
}

t.test('4.3 housekeeping never moves the clock, and what was opened for it alone soon goes', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('pool');
  for (let second = 0; second < LATEST_SECONDS; second += 7) {
    core.pass(7);
    if (core.openTo() > 0) app.send('house');
  }
  t.strictSame(core.released, ['idle']);
  app.send('house');
  core.pass(1.6);
  t.strictSame(core.released, ['idle', 'housekeeping_done']);
});

t.test('4.4 what is not understood is in use', async (t) => {
  const core = await startCore(t, PATIENT);
  const app = core.connect();
  app.send('odd');
  app.send('pool');
  core.pass(3000);
  t.match(core.control.upstreams()[0], { state: 'using', pins: ['unknown_api'] });
  app.fin();
  core.pass(LATEST_SECONDS);
  t.strictSame(core.released, ['idle']);
});

t.test('4.5 a probe of ours never moves the clock', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('pool');
  for (let turn = 0; turn < 4; turn += 1) {
    core.pass(40);
    app.send('house');
  }
  const probes = core.broker().open[0]?.received.filter(({ word }) => word === 'ping').length;
  t.equal(probes, 4, 'each time it gave a sign of life');
  t.equal(core.control.upstreams()[0]?.lastWorkSecondsAgo, 160);
  core.pass(LATEST_SECONDS - 160);
  t.strictSame(core.released, ['idle']);
});

t.test('4.6 nothing is dialled without demand', async (t) => {
  const core = await startCore(t, { brokers: 3 });
  for (const node of [1, 2, 3]) core.connect(node).send('pool');
  core.pass(LATEST_SECONDS);
  t.equal(core.released.length, 3);
  core.network.dials.length = 0;
  core.pass(24 * 3600);
  t.strictSame(core.network.dials, [], 'not in a day, with clients connected');
});

t.test('4.6 a close of our own making is no failure', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  for (let turn = 0; turn < 3; turn += 1) {
    app.send('pool');
    core.pass(LATEST_SECONDS);
  }
  t.strictSame(core.released, ['idle', 'idle', 'idle']);
  t.strictSame(core.eventsOf('upstream.dial_failed'), []);
  t.strictSame(core.eventsOf('broker.changed'), []);
  t.strictSame(
    core.control.view().brokers.map(({ state }) => state),
    ['asleep'],
  );
});

t.test('4.7 after a standstill the sockets are read first', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('pool');
  app.peer.send(app.frame('pool').bytes);
  core.clock.stall(1_000_000);
  core.pass(6);
  t.equal(app.answers.length, 2);
  t.strictSame(core.released, []);
});
