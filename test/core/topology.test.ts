/** What answers say about the cluster, and what becomes of pools, listeners and clients. */
import t, { type Test } from 'tap';
import { asker, listener } from '../support/asker.ts';
import { type CoreFixture, startCore } from '../support/core-fixture.ts';
import { watchDials } from '../support/dial-times.ts';
import type { FakeApp } from '../support/fake-app.ts';

t.test(
  'when a broker moves, its quiet connections go, its client and its port stay, and dials go to the new place',
  async (t) => {
    const { core, ask } = await asker(t);
    const second = core.connect(2);
    second.send('pool');
    core.broker(2).moveTo('broker-2:9999');
    await ask();
    t.match(core.eventsOf('broker.changed'), [{ broker: '2', change: 'moved', address: 'broker-2:9999' }]);
    t.strictSame(core.released, ['condemned']);
    t.ok(second.isOpen);
    core.network.dials.length = 0;
    second.send('pool');
    t.equal(second.answers.length, 2);
    t.strictSame(core.network.dials, ['broker-2:9999']);
    t.ok(core.network.listening.includes(listener(2)));
  },
);

t.test('what is in flight when a broker moves is finished where it began', async (t) => {
  const { core, ask } = await asker(t);
  core.broker(2).manual = true;
  const second = core.connect(2);
  const id = second.send('pool');
  const [old] = core.broker(2).open;
  core.broker(2).moveTo('broker-2:9999');
  await ask();
  t.strictSame(core.released, []);
  old?.answer();
  core.pump();
  t.strictSame(second.ids, [id]);
  t.strictSame(core.released, ['condemned']);
});

t.test('who waits for a broker that moves asks again at the new place', async (t) => {
  const { core, ask } = await asker(t);
  core.network.silence('broker-2:9092');
  const second = core.connect(2);
  const id = second.send('pool');
  core.broker(2).moveTo('broker-2:9999');
  core.network.silence('broker-2:9092');
  await ask();
  t.strictSame(second.ids, [id]);
  core.pass(5);
  t.ok(second.isOpen, 'the old dial is nobody’s failure');
  t.ok(core.network.listening.includes(listener(2)));
});

t.test('a dial that reaches a broker that is advertised elsewhere learns that before anything is lent', async (t) => {
  const core = await startCore(t, { brokers: 2 });
  core.broker(2).address = 'broker-2:9999';
  core.network.serve('broker-2:9999', (peer) => core.broker(2).accept(peer));
  const second = core.connect(2);
  const id = second.send('pool');
  core.pass(1);
  t.strictSame(second.ids, [id]);
  t.strictSame(core.network.dials, ['broker-2:9092', 'broker-2:9999']);
  t.match(core.eventsOf('upstream.released')[0], { reason: 'cluster_changed', opened: false });
});

t.test('a dial that reaches another cluster is refused, and so is who waits', async (t) => {
  const core = await startCore(t);
  core.cluster.id = 'pond';
  const app = core.connect();
  app.send('pool');
  t.ok(app.wasReset);
  t.match(core.eventsOf('upstream.dial_failed')[0], { reason: 'rejected' });
  t.strictSame(core.broker().ids, []);
});

t.test(
  'a broker is removed after removeAfterSeconds without it: its listener closes, its idle clients go',
  async (t) => {
    const { core, ask } = await asker(t);
    const second = core.connect(2);
    second.send('pool');
    core.cluster.brokers.delete('2');
    await ask();
    core.pass(299);
    await ask();
    core.pass(0.6);
    t.ok(second.isOpen);
    t.ok(core.network.listening.includes(listener(2)));
    core.pass(1);
    await ask();
    t.notOk(core.network.listening.includes(listener(2)));
    core.pass(0.6);
    t.ok(second.wasEnded);
    t.strictSame(core.disconnected, ['broker_removed']);
    t.match(core.eventsOf('broker.changed'), [{ broker: '2', change: 'removed' }]);
    t.strictSame(
      core.control.view().brokers.map(({ broker }) => broker),
      ['1'],
    );
  },
);

t.test('a client of a removed broker gets what is owed to it first', async (t) => {
  const { core, ask } = await asker(t);
  const gone = core.broker(2);
  gone.manual = true;
  const second = core.connect(2);
  const id = second.send('hold', { keys: [['wait', '900000']] });
  core.cluster.brokers.delete('2');
  await ask();
  core.pass(301);
  await ask();
  core.pass(2);
  t.ok(second.isOpen);
  gone.open[0]?.answer();
  core.pass(0.6);
  t.strictSame(second.ids, [id]);
  t.strictSame(core.disconnected, ['broker_removed']);
});

t.test('who asks for a broker that has just been removed is reset', async (t) => {
  const { core, ask } = await asker(t);
  const second = core.connect(2);
  core.cluster.brokers.delete('2');
  await ask();
  core.pass(301);
  await ask();
  second.send('pool');
  t.ok(second.wasReset);
  t.strictSame(core.disconnected, ['broker_removed']);
});

t.test('a broker that comes back has a listener again', async (t) => {
  const { core, ask, named } = await asker(t);
  const gone = core.broker(2);
  core.cluster.brokers.delete('2');
  await ask();
  core.pass(301);
  await ask();
  t.equal(named(), `1@${listener(1)}`);
  core.cluster.brokers.set('2', gone);
  await ask();
  t.equal(named(), `1@${listener(1)},2@${listener(2)}`);
  const second = core.connect(2);
  second.send('pool');
  t.equal(second.answers.length, 1);
});

t.test('what was cached about the cluster is void after a loss, a move and a removal, and not otherwise', async (t) => {
  const { core, ask } = await asker(t);
  const { line } = core;
  let before = line.invalidations;
  const voided = (): boolean => {
    const is = line.invalidations > before;
    before = line.invalidations;
    return is;
  };
  core.addBroker('3');
  await ask();
  t.notOk(voided(), 'a new broker');
  core.pass(300);
  t.strictSame(core.released, ['idle']);
  t.notOk(voided(), 'a reap');
  core.broker(3).moveTo('broker-3:9999');
  await ask();
  t.ok(voided(), 'a move');
  core.broker(1).open[0]?.peer.close();
  core.pump();
  t.ok(voided(), 'a loss');
});

/** Three clients with a connection each to the second broker; the topology is asked for at `seed:1`. */
async function threeHeld(t: Test): Promise<{ core: CoreFixture; apps: FakeApp[]; seeds(): number; lose(): void }> {
  const core = await startCore(t, { brokers: 2, upstream: { bootstrap: [{ host: 'seed', port: 1 }] } });
  core.network.serve('seed:1', (peer) => core.broker(1).accept(peer));
  core.pass(30);
  const apps = [core.connect(2), core.connect(2), core.connect(2)];
  core.broker(2).manual = true;
  for (const app of apps) app.send('hold');
  const dials = watchDials(core);
  return {
    core,
    apps,
    seeds: () => dials.filter(({ address }) => address === 'seed:1').length,
    lose: () => {
      core.broker(2).open[0]?.peer.close();
      core.pump();
    },
  };
}

t.test('after a loss the topology is learnt again, at most once a second, and the latest loss counts', async (t) => {
  const { core, apps, seeds, lose } = await threeHeld(t);
  lose();
  lose();
  t.equal(seeds(), 1);
  core.pass(0.99);
  t.equal(seeds(), 1);
  core.pass(2);
  t.equal(seeds(), 2, 'the second loss is learnt from as soon as it may');
  for (const app of apps) app.reset();
  core.pass(60);
  t.equal(seeds(), 2);
});

t.test('when the last client has gone nothing is learnt from losses any more', async (t) => {
  const { core, apps, seeds, lose } = await threeHeld(t);
  lose();
  lose();
  for (const app of apps) app.reset();
  core.pass(60);
  t.equal(seeds(), 1);
});
