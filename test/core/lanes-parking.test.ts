/** Connections that clients share and that go although clients have something open there: it is closed first. */
import t from 'tap';
import type { CoreFixture } from '../support/core-fixture.ts';
import type { FakeApp } from '../support/fake-app.ts';
import type { FakeConnection } from '../support/fake-broker.ts';
import { answer, isServed, join, keyed, onlyLink, startLanes, tenantsOf, wordsOn } from '../support/lanes-fixture.ts';

/** The latest moment at which a connection that is idle from now on goes. */
const LATEST_SECONDS = 180 + 60 + 5;
/** For so long a broker may take to close what is open. */
const PARK_SECONDS = 5;

type Scope = Parameters<typeof startLanes>[0];

interface Two {
  readonly core: CoreFixture;
  readonly a: FakeApp;
  readonly b: FakeApp;
  readonly link: FakeConnection;
}

/** Two clients share a connection, and each has a name of its own open there. */
async function two(t: Scope): Promise<Two> {
  const core = await startLanes(t);
  const [a, b] = [join(core), join(core)];
  a.send('open', keyed({ name: 'a' }));
  b.send('open', keyed({ name: 'b' }));
  return { core, a, b, link: onlyLink(core) };
}

/** Lets time pass until the names are being closed, which the broker does not answer by itself. */
function untilGoodbye({ core, link }: Two): void {
  core.broker().manual = true;
  for (let second = 0; second < LATEST_SECONDS && wordsOn(link).length === 2; second += 1) core.pass(1);
  t.strictSame(wordsOn(link), ['open a', 'open b', 'close a', 'close b']);
}

/** The words on the connections that are open, but for one. */
function wordsElsewhere(core: CoreFixture, link: FakeConnection): string[] {
  return core.broker().open.flatMap((other) => (other === link ? [] : wordsOn(other)));
}

t.test('what is open is closed before an idle connection goes, and opened again with the next request', async (t) => {
  const all = await two(t);
  const { core, a, b, link } = all;
  untilGoodbye(all);
  answer(core, link);
  t.strictSame(core.released, [], 'not before all of it was answered');
  t.notOk(link.peer.over);
  answer(core, link);
  t.strictSame(core.released, ['idle']);
  t.equal(core.route.reaped, 1);
  t.equal(core.openTo(), 0);
  t.equal(tenantsOf(core), 0);
  t.ok(a.isOpen && b.isOpen);
  core.broker().manual = false;
  const ids = [a.send('data', keyed({ name: 'a' })), a.send('data', keyed({ name: 'a' })), a.send('ask')];
  t.strictSame(wordsOn(onlyLink(core)), ['open a', 'data a', 'data a', 'ask'], 'and nothing for the other');
  t.strictSame(a.ids.slice(1), ids);
  const last = b.send('data', keyed({ name: 'b' }));
  t.strictSame(wordsOn(onlyLink(core)).slice(4), ['open b', 'data b']);
  t.equal(b.ids.at(-1), last);
  t.strictSame(core.disconnected, []);
});

t.test('a connection on which nothing is open goes without a word', async (t) => {
  const core = await startLanes(t);
  const [a, b] = [join(core), join(core)];
  a.send('ask');
  b.send('ask');
  const link = onlyLink(core);
  core.pass(LATEST_SECONDS);
  t.strictSame(wordsOn(link), ['ask', 'ask']);
  t.strictSame(core.released, ['idle']);
  t.ok(isServed(a) && isServed(b));
});

for (const answered of [0, 1] as const) {
  t.test(`a request that comes when ${answered} of two answers to the closing came goes elsewhere`, async (t) => {
    const all = await two(t);
    const { core, a, b, link } = all;
    untilGoodbye(all);
    for (let left = answered; left > 0; left -= 1) answer(core, link);
    core.broker().manual = false;
    const ids = [b.send('data', keyed({ name: 'b' })), b.send('ask')];
    const other = a.send('ask');
    t.strictSame(wordsOn(link).length, 4, 'nothing more goes over the one that leaves');
    t.notOk(wordsElsewhere(core, link).includes('open b'), 'not opened while it may be open there');
    while (link.waiting.length > 0) answer(core, link);
    t.strictSame(core.released, ['idle']);
    t.strictSame(b.ids.slice(1), ids);
    t.equal(a.ids.at(-1), other);
    t.strictSame(
      wordsOn(onlyLink(core)).filter((word) => word !== 'ask'),
      ['open b', 'data b'],
    );
    t.strictSame(core.disconnected, []);
    t.equal(tenantsOf(core), 2);
  });
}

t.test('work that arrives behind the look and before the judgement keeps the connection as it is', async (t) => {
  const { core, a, link } = await two(t);
  const marked = (): boolean => core.control.upstreams().some(({ state }) => state === 'before_release');
  for (let second = 0; second < LATEST_SECONDS && !marked(); second += 1) core.pass(1);
  t.ok(marked(), 'it was looked at');
  const { id, bytes } = a.frame('data', keyed({ name: 'a' }));
  a.peer.send(bytes); // it is in the socket, and nobody has read it
  core.pass(30);
  t.equal(a.ids.at(-1), id);
  t.notOk(wordsOn(link).some((word) => word.startsWith('close')));
  t.ok(onlyLink(core) === link);
  t.strictSame(core.released, []);
  core.pass(LATEST_SECONDS);
  t.strictSame(core.released, ['idle']);
});

t.test('what must stay open keeps its connection, for as long as it is open', async (t) => {
  const core = await startLanes(t);
  const [a, b] = [join(core), join(core)];
  a.send('open', keyed({ name: 'a' }));
  b.send('keep', keyed({ name: 'b' }));
  const link = onlyLink(core);
  core.pass(3 * LATEST_SECONDS);
  t.strictSame(new Set(wordsOn(link)), new Set(['open a', 'keep b', 'ping']));
  b.fin();
  t.equal(wordsOn(link).at(-1), 'close b');
  core.pass(LATEST_SECONDS);
  t.equal(wordsOn(link).at(-1), 'close a');
  t.strictSame(core.released, ['idle']);
  t.ok(a.isOpen);
});

/** What ends a connection on which the closing was not answered. */
const ENDS: Readonly<Record<string, { end: (all: Two) => void; reason: string }>> = {
  'says nothing': { end: ({ core }) => core.pass(PARK_SECONDS + 1), reason: 'response_timeout' },
  ends: { end: ({ link }) => link.peer.close(), reason: 'broker_closed' },
  'ends with a reset': { end: ({ link }) => link.peer.rst(), reason: 'broker_reset' },
};

for (const [how, { end, reason }] of Object.entries(ENDS)) {
  t.test(`a broker that ${how} in the middle of the closing disturbs nobody`, async (t) => {
    const all = await two(t);
    const { core, a, b, link } = all;
    untilGoodbye(all);
    answer(core, link);
    const waiting = b.send('data', keyed({ name: 'b' }));
    core.broker().manual = false;
    end(all);
    core.pump();
    core.pass(1);
    t.strictSame(core.released, [reason]);
    t.strictSame(core.disconnected, [], 'nothing of theirs was under way');
    t.equal(b.ids.at(-1), waiting, 'what waited was sent');
    const id = a.send('data', keyed({ name: 'a' }));
    t.equal(a.ids.at(-1), id);
    t.strictSame(
      wordsOn(onlyLink(core)).filter((word) => word !== 'ask'),
      ['open b', 'data b', 'open a', 'data a'],
    );
    t.equal(tenantsOf(core), 2);
  });
}

t.test('a client that goes while its name is being closed has it closed once', async (t) => {
  const all = await two(t);
  const { core, a, b, link } = all;
  untilGoodbye(all);
  a.fin();
  const late = join(core);
  core.broker().manual = false;
  t.ok(isServed(late), 'who comes now has another connection');
  t.strictSame(wordsElsewhere(core, link), ['ask']);
  while (link.waiting.length > 0) answer(core, link);
  t.strictSame(wordsOn(link).slice(2), ['close a', 'close b']);
  t.strictSame(core.released, ['idle']);
  t.strictSame(core.disconnected, ['client_closed']);
  t.equal(tenantsOf(core), 1);
  t.ok(isServed(b));
});

t.test('an operator parks as the detector does', async (t) => {
  const { core, a, b, link } = await two(t);
  core.pass(1);
  const reaping = core.control.reap({ olderThanSeconds: 0, dryRun: false });
  core.clock.readInput();
  t.match(await reaping, { matched: 1, released: 1 });
  core.pump();
  t.strictSame(wordsOn(link).slice(2), ['close a', 'close b']);
  t.strictSame(core.released, ['operator']);
  for (const app of [a, b]) t.ok(isServed(app));
  t.strictSame(core.disconnected, []);
});

t.test('a connection that grew old is left as an idle one is', async (t) => {
  const core = await startLanes(t, { pool: { maxConnectionAgeSeconds: 100 } });
  const a = join(core);
  a.send('open', keyed({ name: 'a' }));
  const link = onlyLink(core);
  for (let seconds = 0; seconds < 200; seconds += 10) {
    core.pass(10);
    const id = a.send('data', keyed({ name: 'a' }));
    core.pump();
    if (a.ids.at(-1) !== id) core.pass(1);
    if (a.ids.at(-1) !== id) return t.fail(`not answered after ${seconds} s`);
  }
  t.equal(wordsOn(link).at(-1), 'close a');
  t.ok(core.released.includes('max_age'));
  t.strictSame(core.disconnected, []);
  t.strictSame(wordsOn(onlyLink(core)).slice(0, 2), ['open a', 'data a']);
});
