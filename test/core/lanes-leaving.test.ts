/** Clients that leave connections that they share: what they have open is closed, and nobody else learns of it. */
import t from 'tap';
import {
  answer,
  isServed,
  join,
  keyed,
  onlyLink,
  routeOf,
  say,
  startLanes,
  tenantsOf,
  violationsOf,
  wordsOn,
} from '../support/lanes-fixture.ts';
import { sharedLineProtocol } from '../support/shared-line-route.ts';

t.test('what a client has open is closed when it goes, over a connection that is quiet', async (t) => {
  const core = await startLanes(t);
  const [a, b] = [join(core), join(core)];
  a.send('open', keyed({ name: 'a' }));
  b.send('ask');
  core.pass(2);
  const link = onlyLink(core);
  for (const leave of ['fin', 'reset'] as const) {
    const other = join(core);
    other.send('open', keyed({ name: leave }));
    core.pass(1);
    other[leave]();
    t.equal(wordsOn(link).at(-1), `close ${leave}`);
  }
  t.equal(tenantsOf(core), 2);
  t.strictSame(core.disconnected, ['client_closed', 'client_reset']);
  t.ok(isServed(b));
  a.fin();
  b.fin();
  t.strictSame(wordsOn(link).slice(-2), ['ask', 'close a']);
  t.equal(tenantsOf(core), 0);
  t.ok(onlyLink(core) === link, 'it stays for those who come');
});

t.test('the answers of a client that left go to nobody', async (t) => {
  const core = await startLanes(t);
  core.broker().manual = true;
  const [a, b] = [join(core), join(core)];
  a.send('open', keyed({ name: 'n' }));
  const id = b.send('ask');
  const link = onlyLink(core);
  a.reset();
  t.strictSame(wordsOn(link), ['open n', 'ask', 'close n'], 'also what is not known to be open');
  const told: unknown[] = [];
  core.network.spy = {
    ...{ dialled: () => undefined, read: () => undefined },
    wrote: (_wire, bytes) => void told.push(`${bytes}`.split(' ')[1]),
  };
  for (let left = 3; left > 0; left -= 1) answer(core, link);
  t.strictSame(told, [id]);
  t.strictSame(b.ids, [id]);
  core.pass(180);
  t.strictSame(core.disconnected, ['client_reset']);
});

t.test('what a client left with is answered, or the connection goes, however many come and go', async (t) => {
  const core = await startLanes(t);
  const broker = core.broker();
  broker.manual = true;
  const a = join(core);
  a.send('ask');
  for (let round = 0; round < 13; round += 1) {
    core.pass(10);
    const visitor = join(core);
    visitor.send('open', keyed({ name: `v${round}` }));
    visitor.fin();
  }
  t.strictSame(core.released, ['response_timeout']);
  t.strictSame(
    core.disconnected.filter((reason) => reason !== 'client_closed'),
    ['upstream_lost'],
  );
});

t.test('whoever opens a name that is being closed waits until it is, and comes next', async (t) => {
  const core = await startLanes(t);
  const [a, b, c] = [join(core), join(core), join(core)];
  a.send('open', keyed({ name: 'n' }));
  core.broker().manual = true;
  a.fin();
  const [opened, behind] = [b.send('open', keyed({ name: 'n' })), b.send('ask')];
  const id = c.send('ask');
  const link = onlyLink(core);
  t.strictSame(wordsOn(link), ['open n', 'close n', 'ask'], 'and what its client sent behind it waits too');
  answer(core, link);
  t.strictSame(wordsOn(link).slice(2), ['ask', 'open n', 'ask']);
  for (let left = 3; left > 0; left -= 1) answer(core, link);
  t.strictSame(b.ids, [opened, behind]);
  t.strictSame(c.ids, [id]);
});

for (const how of ['fails', 'is not understood'] as const) {
  t.test(`who waits for an answer of another connection is told although that ${how} in the same read`, async (t) => {
    const core = await startLanes(t);
    const [a, b, c] = [join(core), join(core), join(core)];
    a.send('open', keyed({ name: 'n' }));
    core.broker().manual = true;
    const link = onlyLink(core);
    c.send('ask');
    a.fin();
    const id = b.send('open', keyed({ name: 'n', purpose: 'other' }));
    t.strictSame(wordsOn(link).slice(1), ['ask', 'close n']);
    const [, closed] = link.waiting.splice(0, 2);
    const bad = how === 'fails' ? `ok ${link.received[2]?.id} 0 fail=yes\n` : `ok nobodys 0\n`;
    say(core, link, Buffer.concat([Buffer.from(`ok ${closed?.id} 0\n`), Buffer.from(bad)]));
    t.strictSame(violationsOf(core).length, how === 'fails' ? 0 : 1);
    const other = onlyLink(core);
    t.strictSame(wordsOn(other), ['open n']);
    answer(core, other);
    t.strictSame(b.ids, [id]);
    t.strictSame(core.disconnected, ['client_closed', 'upstream_lost'], 'the one to whom something was owed');
    core.pass(31);
    t.ok(b.isOpen);
  });
}

t.test('who waits for an answer of a connection that breaks goes on', async (t) => {
  const core = await startLanes(t);
  const [a, b] = [join(core), join(core)];
  a.send('open', keyed({ name: 'n' }));
  core.broker().manual = true;
  a.fin();
  const id = b.send('open', keyed({ name: 'n', purpose: 'other' }));
  const [link, other] = core.broker().open;
  link?.peer.rst();
  core.pump();
  t.strictSame(wordsOn(other), ['open n']);
  answer(core, other);
  t.strictSame(b.ids, [id]);
});

t.test('a request that needs nothing any more is no longer one that waits', async (t) => {
  const core = await startLanes(t);
  const [a, b] = [join(core), join(core)];
  a.send('open', keyed({ name: 'n' }));
  core.broker().manual = true;
  a.fin();
  b.send('open', keyed({ name: 'n' }));
  const [, session] = routeOf(core).sessions;
  if (session !== undefined) session.changed = 6;
  answer(core, onlyLink(core));
  core.pass(40);
  t.strictSame(core.disconnected, ['client_closed']);
  if (session !== undefined) session.changed = null;
  core.broker().manual = false;
  t.ok(isServed(b));
});

t.test('a request that waits for what is never answered is not kept for ever', async (t) => {
  const core = await startLanes(t);
  const [a, b, c] = [join(core), join(core), join(core)];
  a.send('open', keyed({ name: 'n' }));
  core.broker().manual = true;
  a.fin();
  b.send('open', keyed({ name: 'n' }));
  c.send('ask', keyed({ purpose: 'other' }));
  core.pass(29);
  t.ok(b.isOpen);
  core.pass(2);
  t.strictSame(core.disconnected, ['client_closed', 'wait_timeout']);
  t.ok(c.isOpen);
});

t.test('what was registered is written, although its client is turned away by what follows', async (t) => {
  const core = await startLanes(t, { brokers: 2, pool: { maxWaiters: 1 } });
  core.broker(2).greets = false;
  const [a, b, filler] = [join(core), join(core), join(core)];
  b.send('ask');
  filler.send('ask', keyed({ node: 'broker-2:9092' }));
  const there = keyed({ node: 'broker-2:9092' });
  a.write(Buffer.concat([a.frame('ask').bytes, a.frame('ask').bytes, a.frame('ask', there).bytes]));
  t.strictSame(core.disconnected, ['too_many_waiters']);
  t.strictSame(wordsOn(core.broker(1).open[0]), ['ask', 'ask', 'ask']);
  t.ok(isServed(b));
  core.pass(3);
  t.equal(core.openTo(1), 1);
});

t.test('a fault in the reading of one client closes that client, behind what it sent before', async (t) => {
  const core = await startLanes(t);
  const [a, b] = [join(core), join(core)];
  b.send('ask');
  a.write(Buffer.concat([a.frame('ask').bytes, a.frame('boom').bytes, a.frame('ask').bytes]));
  t.equal(violationsOf(core).length, 1);
  t.strictSame(core.disconnected, ['protocol_error']);
  t.strictSame(wordsOn(onlyLink(core)), ['ask', 'ask']);
  core.pass(125);
  t.ok(isServed(b));
  t.strictSame(core.released, []);
});

t.test('a connection is left behind once nothing is owed there, and the next request comes behind that', async (t) => {
  const core = await startLanes(t);
  const [a, b] = [join(core), join(core)];
  a.send('open', keyed({ name: 'n' }));
  core.broker().manual = true;
  const link = onlyLink(core);
  const asked = [a.send('data', keyed({ name: 'n' })), a.send('data', keyed({ name: 'n' }))];
  const moved = a.send('data', keyed({ name: 'n', purpose: 'own', previous: 'shared' }));
  const behind = a.send('tick');
  const id = b.send('ask');
  answer(core, link);
  t.equal(core.openTo(), 1, 'one answer is still owed to it there');
  answer(core, link);
  t.strictSame(a.ids.slice(1), asked);
  t.equal(wordsOn(link).at(-1), 'close n');
  const [, own] = core.broker().open;
  t.strictSame(wordsOn(own), [], 'it is open in two places never');
  say(core, link, 'push x 0 name=n\n');
  t.equal(a.answers.length, 3, 'what comes late from there is for nobody');
  answer(core, link);
  answer(core, link);
  t.strictSame(b.ids, [id]);
  t.strictSame(wordsOn(own), ['open n']);
  answer(core, own);
  t.strictSame(wordsOn(own), ['open n', 'data n']);
  answer(core, own);
  t.strictSame(a.ids.slice(3).sort(), [moved, behind].sort());
  t.strictSame(core.disconnected, []);
  t.equal(tenantsOf(core), 2);
});

t.test('what a client has sent over a connection stays as it is until that took it, also if it leaves', async (t) => {
  const core = await startLanes(t);
  const [a, b] = [join(core), join(core)];
  b.send('ask');
  a.send('ask');
  const link = onlyLink(core);
  core.broker().manual = true;
  link.peer.clog(10);
  const early = a.frame('ask', keyed({}, 'z'.repeat(5000)));
  const moved = a.frame('ask', keyed({ purpose: 'own', previous: 'shared' }, 'w'.repeat(5000)));
  a.write(Buffer.concat([early.bytes, moved.bytes]));
  say(core, link, 'ok u4 0\n'); // before all of it came
  t.equal(a.ids.at(-1), early.id);
  const last = a.send('tick', keyed({}, 'v'.repeat(20_000)));
  t.equal(core.openTo(), 1);
  link.peer.unclog();
  core.pump();
  t.equal(`${link.waiting[0]?.body}`, 'z'.repeat(5000));
  const [, own] = core.broker().open;
  t.equal(`${own?.waiting[0]?.body}`, 'w'.repeat(5000));
  answer(core, own);
  t.strictSame(a.ids.slice(-2).sort(), [moved.id, last].sort());
});

t.test('a client that goes while it waits for two connections gets neither', async (t) => {
  const core = await startLanes(t, { brokers: 2 });
  const two = core.broker(2);
  core.broker(1).manual = true;
  two.greets = false;
  const app = join(core);
  app.send('ask');
  app.send('ask', keyed({ node: 'broker-2:9092' }));
  answer(core, onlyLink(core), [
    ['again', 'broker-2:9092'],
    ['purpose', 'other'],
  ]);
  t.equal(core.openTo(2), 2);
  const [shared, other] = two.open;
  say(core, other, Buffer.concat([other?.takeAnswer() ?? Buffer.alloc(0), Buffer.from('push x')]));
  const [session] = routeOf(core).sessions;
  if (session !== undefined) session.changed = 4;
  say(core, shared, shared?.takeAnswer() ?? '');
  t.strictSame(core.disconnected, ['protocol_error']);
  t.equal(tenantsOf(core), 0);
});

t.test('a connection that cannot be shared is a fault, and its client does not wait for it', async (t) => {
  const core = await startLanes(t, {
    protocol: {
      name: 'shared-line',
      createRoute: (context) => {
        const route = sharedLineProtocol.createRoute(context);
        const upstream = route.upstream.bind(route);
        route.upstream = (target, identity, purpose) => {
          const link = upstream<never>(target, identity, purpose);
          Object.defineProperty(link, 'tenancy', { value: undefined });
          return link;
        };
        return route;
      },
    },
  });
  join(core).send('ask');
  t.ok(violationsOf(core).length > 0);
  t.strictSame(core.disconnected, ['protocol_error']);
});
