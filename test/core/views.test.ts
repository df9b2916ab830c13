/** What an operator sees: states, and why each connection is open, in words. */
import t from 'tap';
import { Distribution } from '../../src/core/distribution.ts';
import { type CoreFixture, startCore } from '../support/core-fixture.ts';
import type { FakeApp } from '../support/fake-app.ts';

interface Scene {
  readonly bring: (core: CoreFixture, app: FakeApp) => void;
  readonly client: object;
  readonly upstream?: object;
}

const SCENES: Readonly<Record<string, Scene>> = {
  'a client that has not asked for anything': {
    bring: () => undefined,
    client: { state: 'parked', upstream: null, pins: [], lastWorkSecondsAgo: null, why: /holds no connection/ },
  },
  'a client that waits for a dial': {
    bring: (core, app) => {
      core.broker().greets = false;
      app.send('pool');
    },
    client: { state: 'waiting', why: /waits for a connection to broker 1/ },
    upstream: { state: 'dialing', why: 'a client waits for it', releaseInSeconds: null },
  },
  'a client to which an answer is owed': {
    bring: (core, app) => {
      core.broker().manual = true;
      app.send('pool');
    },
    client: { state: 'attached', why: 'answers are owed to it', lastWorkSecondsAgo: 0 },
    upstream: { state: 'using', budget: 'pool', owed: 1, client: 'c1', why: 'carries requests of a client' },
  },
  'a client whose broker keeps its answer back': {
    bring: (core, app) => {
      core.broker().manual = true;
      app.send('hold');
    },
    client: { state: 'attached' },
    upstream: { state: 'using', budget: 'held', why: 'the broker keeps an answer back' },
  },
  'a client that is pinned': {
    bring: (_core, app) => void app.send('share'),
    client: { state: 'attached', pins: ['share_session'], why: /of its own: share_session/ },
    upstream: { state: 'using', budget: 'pinned', pins: ['share_session'], why: 'pinned to one client' },
  },
  'a client that is throttled': {
    bring: (core, app) => {
      core.broker().manual = true;
      app.send('pool');
      core.broker().open[0]?.answer({ mute: 1000 });
      core.pump();
    },
    client: { state: 'attached' },
    upstream: { state: 'using', budget: 'muted', why: 'the broker throttles its client' },
  },
  'a client whose fence is under way': {
    bring: (core, app) => {
      core.broker().answersPings = false;
      app.send('shot');
      core.clock.advance(200);
    },
    client: { state: 'attached', pins: ['acks_zero'] },
    upstream: { state: 'using', why: /proof that requests without an answer were read/ },
  },
  'a client that has had its answer': {
    bring: (_core, app) => void app.send('pool'),
    client: { state: 'idle', upstream: null, why: /others use its broker/ },
    upstream: { state: 'idle_marked', client: null, why: /kept for the next request/ },
  },
  'a client that has had housekeeping': {
    bring: (_core, app) => void app.send('house'),
    client: { state: 'idle', lastWorkSecondsAgo: null },
    upstream: {
      state: 'idle_marked',
      why: /served housekeeping/,
      lastWorkSecondsAgo: null,
      releaseInSeconds: { earliest: 1, latest: 2 },
    },
  },
  'a client whose connection must give a sign of life': {
    bring: (core, app) => {
      app.send('pool');
      core.pass(31);
      core.broker().answersPings = false;
      app.send('pool');
    },
    client: { state: 'waiting' },
    upstream: { state: 'using', why: /sign of life/ },
  },
  'a client whose connection has been reaped': {
    bring: (core, app) => {
      app.send('pool');
      core.pass(250);
    },
    client: { state: 'parked', lastWorkSecondsAgo: 250 },
  },
};

for (const [what, { bring, client, upstream }] of Object.entries(SCENES)) {
  t.test(`${what} is seen for what it is`, async (t) => {
    const core = await startCore(t);
    bring(core, core.connect());
    t.match(core.control.clients(), [{ id: 'c1', route: 'orders', listener: '1', broker: '1', ...client }]);
    const upstreams = core.control.upstreams();
    t.equal(upstreams.length, upstream === undefined ? 0 : 1);
    if (upstream !== undefined)
      t.match(upstreams[0], { route: 'orders', broker: '1', address: 'broker-1:9092', ...upstream });
    const { clients, upstreams: counts } = core.control.view();
    t.equal(clients[core.control.clients()[0]!.state], 1, 'and it is counted so');
    if (upstreams[0] !== undefined) t.equal(counts[upstreams[0].state], 1);
    for (const { state } of upstreams) t.equal(core.control.figures().upstreams.get('1')?.[state], 1);
  });
}

t.test('what is saved is counted apart: clients whose pool is asleep, and clients that share', async (t) => {
  const core = await startCore(t, { brokers: 2 });
  for (let client = 0; client < 7; client += 1) core.connect(1).send('pool');
  for (let client = 0; client < 3; client += 1) core.connect(2);
  t.strictSame(core.control.view().connectionsSaved, { reaping: 3, sharing: 6 });
  core.pass(250);
  t.strictSame(core.control.view().connectionsSaved, { reaping: 10, sharing: 0 });
});

t.test('more connections than clients save nothing, and no less', async (t) => {
  const core = await startCore(t);
  const apps = [core.connect(), core.connect(), core.connect()];
  core.broker().manual = true;
  for (const app of apps) app.send('hold');
  for (const connection of core.broker().open) connection.answer();
  core.pump();
  for (const app of apps.slice(1)) app.fin();
  t.strictSame(core.control.view().connectionsSaved, { reaping: 0, sharing: 0 });
});

t.test('clients that are pinned and clients that wait are counted', async (t) => {
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 1 } });
  core.connect().send('odd');
  core.connect().send('share');
  core.broker().manual = true;
  core.connect().send('pool');
  core.clock.advance(20);
  core.connect().send('pool');
  const { clientsPinned, waiters } = core.control.figures();
  t.match(clientsPinned, { unknown_api: 1, share_session: 1, acks_zero: 0, sasl: 0, opaque: 0 });
  t.equal(waiters, 1);
  t.match(core.control.view().brokers, [{ waiters: 1, upstreams: 3, state: 'awake' }]);
});

t.test('an observation is counted in the first range that holds it', async (t) => {
  const distribution = new Distribution([1, 2.5, 5]);
  for (const value of [0, 1, 1.1, 2.5, 4, 5, 5.1, 100]) distribution.observe(value);
  t.strictSame(distribution.counts, [2, 2, 2]);
  t.equal(distribution.count, 8, 'those beyond the last are counted too');
  t.ok(Math.abs(distribution.sum - 118.7) < 1e-9);
});
