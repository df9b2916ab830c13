/** H7, H8, H9, H44: many clients and few connections; who waits, for how long, and what becomes of it. */
import t from 'tap';
import { budgetOf } from '../../src/core/budget.ts';
import { type CoreFixture, startCore } from '../support/core-fixture.ts';
import type { FakeApp } from '../support/fake-app.ts';

/** The broker takes `milliseconds` for each request, on each connection. */
function work(core: CoreFixture, milliseconds: number, each: () => void = () => undefined): void {
  for (let tick = 0; tick < milliseconds; tick += 1) {
    each();
    for (const connection of core.broker().open) if (connection.waiting.length > 0) connection.answer();
    core.clock.advance(1);
  }
}

function pooled(core: CoreFixture): number {
  const { slowAnswerMilliseconds } = core.route.options.pool;
  const open = [...core.route.pools].flatMap((pool) => [...pool.open]);
  return open.filter((each) => budgetOf(each, core.clock.now(), slowAnswerMilliseconds) === 'pool').length;
}

t.test('requests that the broker may keep back never wait for one another', async (t) => {
  // H7: twenty members that join; the answer comes only when the last one has asked.
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 1 } });
  core.broker().manual = true;
  const members = Array.from({ length: 20 }, () => core.connect());
  for (const member of members) member.send('hold');
  core.clock.advance(100);
  t.equal(core.broker().received.length, 20);
  const other = core.connect();
  other.send('pool');
  core.clock.advance(100);
  t.equal(core.broker().received.length, 21, 'nor does anybody else wait for them');
  for (const connection of core.broker().open) connection.answer();
  core.pump();
  t.ok([...members, other].every(({ ids }) => ids.length === 1));
});

t.test('the one whom all others wait for gets through, though they have taken every connection', async (t) => {
  // H7: followers ask first, the leader last; all of them have just used the pool.
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 2 } });
  const members = Array.from({ length: 12 }, () => core.connect());
  for (const member of members) member.send('pool');
  core.broker().manual = true;
  core.broker().received.length = 0;
  for (const member of members.slice(1)) member.send('hold');
  core.clock.advance(50);
  const busy = Array.from({ length: 4 }, () => core.connect());
  for (const app of busy) app.send('pool');
  const leader = members[0]?.send('hold');
  core.clock.advance(10);
  t.ok(core.broker().ids.includes(leader ?? ''));
});

t.test('who keeps a connection busy passes it on, and those who wait come in their turn', async (t) => {
  // H8
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 1 } });
  core.broker().manual = true;
  const hold = core.route.options.pool.leaseMaxHoldMilliseconds;
  const busy = Array.from({ length: 4 }, () => core.connect());
  const slow = core.connect();
  const owed = (app: FakeApp, sent: number): number => sent - app.answers.length;
  const sent = new Map<FakeApp, number>(busy.map((app) => [app, 0]));
  const waits: number[] = [];
  let askedAt: number | null = null;
  let asked = 0;
  work(core, 6000, () => {
    for (const [app, count] of sent) {
      if (owed(app, count) >= 5) continue;
      app.send('pool');
      sent.set(app, count + 1);
    }
    if (askedAt !== null && slow.answers.length === asked) {
      waits.push(core.clock.now() - askedAt);
      askedAt = null;
    }
    if (askedAt === null && core.clock.now() % 100 === 0) {
      slow.send('pool');
      asked += 1;
      askedAt = core.clock.now();
    }
  });
  t.equal(core.openTo(), 1);
  t.ok(waits.length > 10, `${waits.length} turns`);
  // Each of the others may hold for so long, drain its five, and the coarse look comes every 10 ms.
  const bound = 4 * (hold + 5 + 20);
  t.ok(Math.max(...waits) <= bound, `${Math.max(...waits)} ms at most, ${bound} allowed`);
  const shares = busy.map(({ answers }) => answers.length);
  t.ok(Math.min(...shares) > 0.5 * Math.max(...shares), `fair: ${shares}`);
  t.strictSame(core.disconnected, []);
});

t.test('nobody waits longer than he may: his socket is reset, and no answer is invented', async (t) => {
  // H9
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 1, slowAnswerMilliseconds: 60_000 } });
  core.broker().manual = true;
  const holder = core.connect();
  holder.send('pool');
  const waiter = core.connect();
  waiter.send('pool');
  core.clock.advance(4900);
  t.ok(waiter.isOpen);
  core.clock.advance(200);
  t.ok(waiter.wasReset);
  t.strictSame(core.disconnected, ['wait_timeout']);
  t.equal(waiter.answers.length + waiter.partial, 0);
  t.ok(holder.isOpen);
  core.broker().open[0]?.answer();
  core.pump();
  t.equal(holder.answers.length, 1);
  t.equal(core.broker().received.length, 1, 'what waited was never sent');
});

t.test('ten times as many clients as connections stay within the cap, and all are served', async (t) => {
  // H44
  const cap = 16;
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: cap } });
  core.broker().manual = true;
  const apps = Array.from({ length: 10 * cap }, () => core.connect());
  for (const app of apps) for (let request = 0; request < 3; request += 1) app.send('pool');
  let most = 0;
  work(core, 1500, () => {
    most = Math.max(most, pooled(core), core.openTo());
  });
  t.equal(most, cap);
  t.ok(apps.every(({ ids }) => ids.length === 3));
  t.strictSame(core.disconnected, []);
});

t.test('slow answers make nobody wait: they are outside the cap, and the pool shrinks again', async (t) => {
  // H44, H8
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 2 } });
  core.broker().manual = true;
  for (let count = 0; count < 4; count += 1) core.connect().send('pool');
  core.clock.advance(600);
  const other = core.connect();
  const id = other.send('pool');
  core.clock.advance(600);
  t.ok(core.broker().ids.includes(id));
  for (let round = 0; round < 3; round += 1)
    for (const connection of core.broker().open) if (connection.waiting.length > 0) connection.answer();
  core.pass(15);
  t.equal(core.openTo(), 2);
  t.ok(
    core.released.every((reason) => reason === 'excess'),
    String(core.released),
  );
});

t.test('clients beyond the number that is allowed are turned away, and the others do not notice', async (t) => {
  // H44
  const core = await startCore(t, { options: { maxClients: 5 }, pool: { maxWaiters: 3, maxConnectionsPerBroker: 1 } });
  core.broker().manual = true;
  const apps = Array.from({ length: 5 }, () => core.connect());
  const late = core.connect();
  core.pump();
  t.ok(late.wasReset);
  t.strictSame(core.disconnected, ['too_many_clients']);
  for (const app of apps) app.send('pool');
  core.pump();
  t.strictSame(core.disconnected, ['too_many_clients', 'too_many_waiters']);
  t.ok(apps.at(-1)?.wasReset);
  work(core, 500);
  t.ok(apps.slice(0, 4).every(({ ids, isOpen }) => isOpen && ids.length === 1));
});
