/** A busy client lets others have a turn. */
import t, { type Test } from 'tap';
import { type CoreFixture, startCore } from '../support/core-fixture.ts';
import type { FakeApp } from '../support/fake-app.ts';

/** One connection, and a client that always has two requests in flight on it. */
interface Busy {
  readonly core: CoreFixture;
  readonly busy: FakeApp;
  /** So long it goes on; answers how many requests were in flight at least. */
  turn(milliseconds: number): number;
}

async function oneBusy(t: Test): Promise<Busy> {
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 1 } });
  core.broker().manual = true;
  const busy = core.connect();
  busy.send('pool');
  busy.send('pool');
  const turn = (milliseconds: number): number => {
    let least = 2;
    for (let passed = 0; passed < milliseconds; passed += 5) {
      core.clock.advance(5);
      if ((core.broker().open[0]?.waiting.length ?? 0) === 0) continue;
      core.broker().open[0]?.answer();
      core.pump();
      busy.send('pool');
      least = Math.min(least, core.broker().open[0]?.waiting.length ?? 0);
    }
    return least;
  };
  return { core, busy, turn };
}

t.test('a client that never pauses keeps its connection as long as nobody waits', async (t) => {
  const { core, busy, turn } = await oneBusy(t);
  t.equal(turn(2000), 2, 'there is never a gap');
  t.ok(busy.answers.length > 300);
  t.ok(core.broker().ids.every((id) => id.startsWith('a1-')));
  t.equal(core.network.dials.length, 1);
});

t.test('once others wait it has leaseMaxHoldMilliseconds, then it is their turn', async (t) => {
  const { core, busy, turn } = await oneBusy(t);
  const waiting = core.connect();
  const id = waiting.send('pool');
  turn(40);
  t.notOk(core.broker().ids.includes(id), 'not yet');
  t.ok(busy.answers.length >= 7, 'it goes on');
  turn(40);
  t.ok(core.broker().ids.includes(id));
  t.equal(core.network.dials.length, 1);
});

t.test('what is in flight is finished first, and what is kept back keeps its order', async (t) => {
  const { core, busy, turn } = await oneBusy(t);
  const id = core.connect().send('pool');
  turn(200);
  const written = core.broker().ids;
  const own = written.filter((other) => other.startsWith('a1-'));
  t.strictSame(
    own,
    own.map((_, index) => `a1-${index + 1}`),
    'nothing was lost or turned around',
  );
  t.strictSame(busy.ids, own.slice(0, busy.answers.length));
  const at = written.indexOf(id);
  t.ok(at > 0 && at < written.length - 1, 'it went on afterwards');
});

t.test('all who wait have their turn in order before it comes back', async (t) => {
  const { core, turn } = await oneBusy(t);
  const ids = [core.connect(), core.connect(), core.connect()].map((app) => app.send('pool'));
  turn(400);
  const order = core.broker().ids.filter((id) => ids.includes(id));
  t.strictSame(order, ids);
  const from = core.broker().ids.indexOf(`${ids[0]}`);
  t.strictSame(core.broker().ids.slice(from, from + 3), ids, 'nobody was in between');
});

t.test('a request that has begun is carried to its end before the turn ends', async (t) => {
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 1 }, limits: { wholeFrameBytes: 100 } });
  const busy = core.connect();
  const { id, bytes } = busy.frame('pool', { body: Buffer.alloc(1000) });
  busy.write(bytes.subarray(0, 500));
  const other = core.connect().send('pool');
  core.clock.advance(200);
  t.strictSame(core.broker().ids, []);
  busy.write(bytes.subarray(500));
  t.strictSame(core.broker().ids, [id, other]);
});

t.test('who is pinned or held never yields', async (t) => {
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 1 } });
  const [pinned, other] = [core.connect(), core.connect()];
  pinned.send('odd');
  core.broker().manual = true;
  core.connect().send('pool');
  core.clock.advance(20);
  other.send('pool');
  core.clock.advance(200);
  core.broker().manual = false;
  const id = pinned.send('pool');
  t.ok(core.broker().ids.includes(id), 'it goes on at once');
});
