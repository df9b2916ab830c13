/** H36: a process that stood still, and a wall clock that jumps. */
import t from 'tap';
import { BOOTSTRAP } from '../../src/contract/topology.ts';
import { tcp } from '../../src/protocols/tcp/tcp.ts';
import { startCore } from '../support/core-fixture.ts';
import { seeded } from '../support/seeded.ts';

const STANDSTILL = 10 * 60 * 1000;

t.test('work that came while the process stood still keeps its connection', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('pool');
  core.pass(20);
  const { id, bytes } = app.frame('pool');
  app.peer.send(bytes);
  core.clock.stall(STANDSTILL);
  core.pass(10);
  t.equal(app.ids.at(-1), id);
  t.equal(core.network.dials.length, 1);
  t.strictSame(core.released, []);
  t.strictSame(core.disconnected, []);
});

t.test('a stream whose bytes came while the process stood still was not silent', async (t) => {
  const core = await startCore(t, { protocol: tcp });
  const app = core.connect(BOOTSTRAP);
  app.send('pool');
  core.pass(20);
  const { id, bytes } = app.frame('pool');
  app.peer.send(bytes);
  core.clock.stall(STANDSTILL);
  core.pass(10);
  t.equal(app.ids.at(-1), id);
  t.strictSame(core.disconnected, []);
});

t.test('a standstill makes no burst: what was due goes over the usual time', async (t) => {
  const core = await startCore(t, { random: seeded(5), pool: { maxConnectionsPerBroker: 100 } });
  core.broker().manual = true;
  const apps = Array.from({ length: 100 }, () => core.connect());
  for (const app of apps) app.send('hold');
  for (const connection of core.broker().open) connection.answer();
  core.pump();
  t.equal(core.openTo(), 100);
  core.clock.stall(STANDSTILL);
  t.ok(core.released.length < 5, `${core.released.length} at once`);
  const times: number[] = [];
  core.onEvent = ({ type }) => {
    if (type === 'upstream.released') times.push(core.clock.now());
  };
  core.pass(70);
  const within = Map.groupBy(times, (time) => Math.floor(time / 250));
  t.ok(Math.max(...[...within.values()].map(({ length }) => length)) < 25);
  t.equal(core.openTo(), 0);
});

t.test('after a standstill a connection gives a sign of life before it is lent', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('pool');
  core.pass(20);
  const [connection] = core.broker().open;
  core.broker().answersPings = false;
  const { id, bytes } = app.frame('pool');
  app.peer.send(bytes);
  core.clock.stall(31_000);
  t.strictSame(
    connection?.waiting.map(({ word }) => word),
    ['ping'],
  );
  t.notOk(core.broker().ids.includes(id));
  connection?.answer();
  core.pump();
  t.equal(app.ids.at(-1), id);
});

t.test('the wall clock may jump: nothing that is decided hangs on it', async (t) => {
  const timesOf = async (jumps: readonly number[]): Promise<number[]> => {
    const core = await startCore(t);
    const times: number[] = [];
    core.onEvent = ({ type }) => {
      if (type === 'upstream.released') times.push(core.clock.now());
    };
    let offset = 0;
    core.clock.unixSeconds = () => 1_700_000_000 + offset;
    core.connect().send('pool');
    for (const jump of jumps) {
      core.pass(40);
      offset += jump;
    }
    core.pass(300);
    return times;
  };
  const steady = await timesOf([0, 0, 0, 0]);
  t.equal(steady.length, 1);
  t.strictSame(await timesOf([3600, -7200, 86_400, -1e9]), steady);
});
