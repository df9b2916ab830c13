/** H5, H19, H20, H33, H34, H37: when a connection is idle, and how it goes. */
import t from 'tap';
import { parseConfig } from '../../src/config/load.ts';
import { type CoreFixture, startCore } from '../support/core-fixture.ts';
import type { FakeApp } from '../support/fake-app.ts';
import { seeded } from '../support/seeded.ts';

const MAX_IDLE = 180;
const INTERVAL = 60;
const SPREAD = 5;

function stateOf(core: CoreFixture): string | undefined {
  return core.control.upstreams()[0]?.state;
}

/** Time passes, timer by timer and without a look at the sockets, until the detector has chosen. */
function untilChosen(core: CoreFixture): void {
  while (stateOf(core) !== 'before_release') if (!core.clock.step()) throw new Error('the detector never chooses');
}

/** How many connections are open, once `count` were needed at the same time and none is any more. */
function burst(core: CoreFixture, count: number): FakeApp[] {
  const broker = core.broker();
  const apps = Array.from({ length: count }, () => core.connect());
  broker.manual = true;
  for (const app of apps) app.send('hold');
  core.pass(1);
  broker.manual = false;
  for (const connection of broker.open) connection.answer();
  core.pump();
  return apps;
}

// H5
const RESCUES: Readonly<Record<string, (core: CoreFixture, arrive: () => void) => void>> = {
  'before the detector looks': (_core, arrive) => arrive(),
  'when it was chosen': (core, arrive) => {
    untilChosen(core);
    arrive();
    core.pump();
  },
  'between the choice and its time, unread': (core, arrive) => {
    untilChosen(core);
    arrive();
    core.clock.runTimers(SPREAD * 1000);
    core.clock.readInput();
  },
  'when its time has come, unread': (core, arrive) => {
    untilChosen(core);
    core.clock.runTimers(SPREAD * 1000);
    arrive();
    core.clock.readInput();
  },
};

for (const [moment, happen] of Object.entries(RESCUES)) {
  t.test(`work that arrives ${moment} keeps its connection`, async (t) => {
    const core = await startCore(t);
    const app = core.connect();
    app.send('pool');
    core.clock.runTimers(MAX_IDLE * 1000);
    const { id, bytes } = app.frame('pool');
    happen(core, () => app.peer.send(bytes));
    core.pass(10);
    t.equal(app.ids.at(-1), id);
    t.strictSame(core.released, []);
    t.equal(core.network.dials.length, 1);
    t.strictSame(core.disconnected, []);
  });
}

t.test('work that arrives after the last look gets a new connection, and is written once', async (t) => {
  // H5
  const core = await startCore(t);
  const app = core.connect();
  app.send('pool');
  untilChosen(core);
  core.clock.runTimers(SPREAD * 1000);
  core.clock.readInput();
  t.strictSame(core.released, ['idle']);
  const id = app.send('pool');
  t.equal(app.ids.at(-1), id);
  t.equal(core.broker().ids.filter((received) => received === id).length, 1);
  t.equal(core.network.dials.length, 2);
});

t.test('a connection with an answer owed is never idle, however long the answer takes', async (t) => {
  // H5
  const core = await startCore(t);
  core.broker().manual = true;
  const app = core.connect();
  const id = app.send('hold', { keys: [['wait', '3600000']] });
  core.pass(3000);
  t.strictSame(core.released, []);
  core.broker().open[0]?.answer();
  core.pump();
  t.strictSame(app.ids, [id]);
});

t.test('every pair of times that lets somebody else cut first is refused at the start', async (t) => {
  // H19
  const base = 'routes:\n  - name: orders\n    protocol: kafka\n    listen: 127.0.0.1:9092\n';
  const kafka = `${base}    upstream:\n      bootstrap: [broker:9092]\n    brokers:\n      portBase: 29092\n`;
  for (const ceiling of [240, 350, 600]) {
    for (const idle of [30, 60, 120, 165, 170, 180, 230, 275, 280, 400, 525, 530, 600]) {
      for (const interval of [1, 5, 10, 60]) {
        const text = `${kafka}connectionMaxIdleSeconds: ${idle}\nconnectionIdleDetectionIntervalSeconds: ${interval}\nidleCeilingSeconds: ${ceiling}\n`;
        const load = (): unknown => parseConfig(text, 'slackwater.yaml');
        const name = `${idle} s, every ${interval} s, below ${ceiling} s`;
        if (idle + interval + 10 >= ceiling) t.throws(load, name);
        else t.doesNotThrow(load, name);
      }
    }
  }
});

t.test('a broker that reaps after ten minutes never comes first, whatever the application does', async (t) => {
  // H19, H20
  const random = seeded(7);
  const core = await startCore(t, { brokers: 2, random });
  const apps = [1, 2, 1, 2].map((node) => core.connect(node));
  let longest = 0;
  for (let second = 0; second < 4 * 3600; second += 1) {
    for (const app of apps) if (random() < 0.004) app.send('pool');
    core.pass(1);
    for (const { session, lastTrafficTime } of [...core.route.pools].flatMap((pool) => [...pool.open]))
      if (session.owed === 0) longest = Math.max(longest, core.clock.now() - lastTrafficTime);
  }
  t.ok(core.released.length > 20, `${core.released.length} releases`);
  t.strictSame(
    core.released.filter((reason) => reason !== 'idle'),
    [],
  );
  t.ok(longest <= (MAX_IDLE + INTERVAL + SPREAD) * 1000, `${longest} ms of silence at most`);
  t.strictSame(core.disconnected, []);
});

t.test('a connection that the broker closed while it was idle is nobody’s trouble', async (t) => {
  // H20
  const core = await startCore(t, { brokers: 2 });
  const [busy, quiet] = [core.connect(1), core.connect(2)];
  quiet.send('pool');
  for (let round = 0; round < 10; round += 1) {
    busy.send('pool');
    core.pass(1);
    for (const { peer } of core.broker(2).open) peer.close();
    core.pass(1);
    const id = quiet.send('pool');
    core.pass(1);
    t.equal(quiet.ids.at(-1), id);
  }
  t.strictSame(core.disconnected, []);
});

t.test('neither housekeeping nor probes nor fences of ours keep a connection', async (t) => {
  // H33
  const core = await startCore(t);
  const app = core.connect();
  app.send('shot');
  app.send('pool');
  const start = core.clock.now();
  let elapsed = 0;
  while (core.released.length === 0) {
    // Quiet for longer than pool.validateAfterIdleSeconds: each is preceded by a probe.
    if (elapsed % 31 === 30) app.send('house');
    core.pass(1);
    elapsed += 1;
    if (elapsed > 1000) throw new Error('it is kept for ever');
  }
  const words = core.broker().connections[0]?.received.map(({ word }) => word) ?? [];
  t.ok(words.filter((word) => word === 'ping').length >= 5, String(words));
  t.strictSame(core.released, ['idle']);
  const idle = (core.clock.now() - start) / 1000;
  t.ok(idle >= MAX_IDLE && idle <= MAX_IDLE + INTERVAL + SPREAD + 1, `after ${idle} s`);
});

t.test('after a burst one connection carries what one can carry, and the others go', async (t) => {
  // H34
  const core = await startCore(t);
  const apps = burst(core, 10);
  t.equal(core.openTo(), 10);
  for (let second = 0; second <= MAX_IDLE + INTERVAL + SPREAD; second += 1) {
    apps[second % apps.length]?.send('pool');
    core.pass(1);
  }
  t.equal(core.openTo(), 1);
  t.strictSame(core.released, Array(9).fill('idle'));
});

t.test('connections that grow idle together do not go together', async (t) => {
  // H37
  const core = await startCore(t, { random: seeded(3), pool: { maxConnectionsPerBroker: 400 } });
  burst(core, 400);
  const start = core.clock.now();
  t.equal(core.openTo(), 400);
  const times: number[] = [];
  core.onEvent = ({ type }) => {
    if (type === 'upstream.released') times.push(core.clock.now() - start);
  };
  core.pass(MAX_IDLE + INTERVAL + SPREAD);
  t.equal(times.length, 400);
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  t.ok(first >= (MAX_IDLE - 1) * 1000, `the first after ${first} ms`);
  t.ok(last - first > 0.8 * SPREAD * 1000, `within ${last - first} ms`);
  const within = Map.groupBy(times, (time) => Math.floor(time / 250));
  const most = Math.max(...[...within.values()].map(({ length }) => length));
  t.ok(most < 60, `at most ${most} in a quarter of a second`);
});

t.test('sidecars that start together do not look together', async (t) => {
  // H37
  const times: number[] = [];
  for (let pod = 0; pod < 40; pod += 1) {
    const core = await startCore(t, { random: seeded(pod) });
    core.connect().send('pool');
    const start = core.clock.now();
    while (stateOf(core) !== 'before_release') core.clock.step();
    times.push((core.clock.now() - start) / 1000);
  }
  const eighths = Map.groupBy(times, (time) => Math.floor(((time - MAX_IDLE) / INTERVAL) * 8));
  t.ok(eighths.size >= 6, `in ${eighths.size} eighths of the interval`);
  for (const [eighth, those] of eighths) t.ok(those.length <= 14, `${those.length} in eighth ${eighth}`);
});
