/** H48: what many silent clients, and clients that send ahead, cost in memory. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import { startCore } from '../support/core-fixture.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import { HandClock } from '../support/hand-clock.ts';
import { settledMemory } from '../support/settled-memory.ts';
import { createTopic } from './requests.ts';
import { startSidecar } from './sidecar.ts';

t.setTimeout(120_000);

const KIB = 1024;
const READ = 64 * KIB;

t.test('a client that waits is read a little ahead and no further', async (t) => {
  const core = await startCore(t);
  core.broker().greets = false;
  const read = new Map<string, number>();
  core.network.spy = {
    dialled: () => undefined,
    wrote: () => undefined,
    read: (wire, bytes) => void read.set(wire.remote, (read.get(wire.remote) ?? 0) + bytes.length),
  };
  const apps = Array.from({ length: 20 }, () => core.connect());
  for (const app of apps)
    for (let request = 0; request < 30; request += 1) app.send('pool', { body: Buffer.alloc(10 * KIB) });
  const most = Math.max(...read.values());
  t.ok(most <= READ + 16 * KIB, `${most} bytes of one client`);
  core.broker().greets = true;
  core.broker().open[0]?.answer();
  core.pass(3);
  t.ok(apps.every(({ ids }) => ids.length === 30));
});

t.test('of a request that is not complete no more is held than limits.wholeFrameBytes', async (t) => {
  const core = await startCore(t, { limits: { wholeFrameBytes: 8 * KIB } });
  core.network.bufferBytes = 4 * KIB;
  const app = core.connect();
  const { bytes } = app.frame('pool', { body: Buffer.alloc(100 * KIB) });
  app.write(bytes.subarray(0, 60 * KIB));
  t.equal(core.broker().open[0]?.partial, 60 * KIB, 'it streams');
  const small = core.connect();
  small.write(small.frame('pool', { body: Buffer.alloc(7 * KIB) }).bytes.subarray(0, 7 * KIB));
  t.equal(core.broker().connections.length, 1, 'this one is kept until it is complete');
});

t.test('a client that has fallen silent gives its buffers back', async (t) => {
  const core = await startCore(t);
  const apps = Array.from({ length: 100 }, () => core.connect());
  for (const app of apps) app.send('pool', { body: Buffer.alloc(10 * KIB) });
  core.pass(2);
  for (const { peer } of apps) t.ok(peer.wire.relaxed);
  for (const client of core.route.clients) t.equal(client.stalledSince, Number.POSITIVE_INFINITY);
});

t.test('clients that are gone leave nothing behind', async (t) => {
  const core = await startCore(t);
  core.pass(400);
  const timers = core.clock.timers;
  for (let round = 0; round < 50; round += 1) {
    const apps = Array.from({ length: 20 }, () => core.connect());
    for (const app of apps) {
      app.send('meta', { keys: [['topic', `t${round}`]] });
      app.send('pool');
      app.send('shot');
    }
    core.pass(1);
    for (const [index, app] of apps.entries())
      if (index % 2 === 0) app.fin();
      else app.reset();
    core.pass(2);
  }
  core.pass(400);
  t.equal(core.route.clients.size, 0);
  t.equal(core.line.sessions.size, 0);
  t.equal(core.network.open, 0);
  t.equal(core.clock.timers, timers);
  t.notOk(core.disconnected.some((reason) => reason !== 'client_closed' && reason !== 'client_reset'));
});

t.test('hundreds of clients that are asleep cost a few kilobytes each', async (t) => {
  const count = 500;
  const cluster = await startCluster(t, { brokers: 1 });
  createTopic(cluster);
  const clock = new HandClock();
  const sidecar = await startSidecar(t, cluster, { clock });
  const crowd = async (size: number): Promise<void> => {
    const program = join(import.meta.dirname, 'silent-crowd.ts');
    const child = fork(program, [`${sidecar.port(1)}`, `${size}`], {
      execArgv: [],
      env: { PATH: process.env.PATH ?? '' },
    });
    t.teardown(() => child.kill());
    await once(child, 'message');
    await clock.pass(3);
  };
  // The first ones bring what all have in common.
  await crowd(50);
  await sidecar.asleep(cluster);
  cluster.forgetRequests();
  const before = await settledMemory();
  await crowd(count);
  await sidecar.asleep(cluster);
  cluster.forgetRequests();
  sidecar.events.length = 0;
  const each = ((await settledMemory()) - before) / count / KIB;
  t.equal(sidecar.route.clients.size, count + 50);
  t.ok(each < 6, `${each.toFixed(1)} KiB each`);
  t.comment(`${each.toFixed(1)} KiB each`);
});
