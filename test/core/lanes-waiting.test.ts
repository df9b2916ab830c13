/** A client of which something waits for a broker: it keeps its order, loses nothing, and disturbs nobody. */
import t from 'tap';
import { Verdict } from '../../src/contract/protocol.ts';
import type { FakeBroker } from '../support/fake-broker.ts';
import {
  answer,
  isServed,
  join,
  keyed,
  onlyLink,
  routeOf,
  startLanes,
  tenantsOf,
  wordsOn,
} from '../support/lanes-fixture.ts';

const THERE = 'broker-2:9092';

/** Greets those whom it has kept waiting. */
function greet(broker: FakeBroker): void {
  broker.greets = true;
  for (const connection of broker.open) connection.answer();
  broker.network.pump();
}

function bodies(broker: FakeBroker): string[] {
  return broker.received.map(({ body }) => `${body}`);
}

t.test('what waits for a dial keeps what is behind it waiting, in order, and no other client', async (t) => {
  const core = await startLanes(t, { brokers: 2 });
  core.broker(2).greets = false;
  const [a, b] = [join(core), join(core)];
  const frames = ['', THERE, '', THERE, ''].map((node, at) =>
    a.frame('ask', keyed(node === '' ? {} : { node }, `${at}`)),
  );
  const last = a.frame('tick');
  a.write(Buffer.concat([...frames.map(({ bytes }) => bytes), last.bytes]));
  t.strictSame(bodies(core.broker(1)), ['0']);
  t.ok(isServed(b));
  t.strictSame(a.answers.length, 1, 'not even what is answered here goes past it');
  greet(core.broker(2));
  t.strictSame(bodies(core.broker(1)), ['0', '', '2', '4']);
  t.strictSame(bodies(core.broker(2)), ['1', '3']);
  t.strictSame(a.ids.slice().sort(), [...frames, last].map(({ id }) => id).sort());
});

t.test('a client that sends far ahead while its broker is dialled is read again afterwards', async (t) => {
  const core = await startLanes(t, { brokers: 2 });
  core.broker(2).greets = false;
  const app = join(core);
  const frames = Array.from({ length: 40 }, (_, at) => app.frame('ask', keyed({ node: THERE }, `${at}`.padEnd(1000))));
  const all = Buffer.concat(frames.map(({ bytes }) => bytes));
  app.write(all);
  t.ok(app.peer.wire.paused, 'more than it may is left in the socket');
  app.write(app.frame('tick').bytes);
  t.strictSame(app.ids, []);
  greet(core.broker(2));
  t.strictSame(
    bodies(core.broker(2)).map((body) => body.trim()),
    frames.map((_, at) => `${at}`),
  );
  t.equal(app.answers.length, 41);
  t.ok(isServed(app));
});

t.test('a client that sends far ahead, and more than one broker gets, is read again afterwards', async (t) => {
  const core = await startLanes(t, { brokers: 2 });
  core.broker(2).greets = false;
  const app = join(core);
  const { id, bytes } = app.frame('ask', keyed({ node: THERE }, 'x'.repeat(50_000)));
  const next = app.frame('ask', keyed({}, 'y'.repeat(50_000)));
  app.write(Buffer.concat([bytes, next.bytes]));
  greet(core.broker(2));
  t.strictSame(app.ids.slice().sort(), [id, next.id].sort());
  t.ok(isServed(app));
});

t.test('who waits for a broker that cannot be reached is closed, and nobody else', async (t) => {
  const core = await startLanes(t, { brokers: 2 });
  core.broker(2).stop();
  const [a, b] = [join(core), join(core)];
  t.ok(isServed(a));
  t.ok(isServed(b));
  a.send('ask', keyed({ node: THERE }));
  core.pass(1);
  t.strictSame(core.disconnected, ['upstream_unavailable']);
  t.ok(a.wasReset);
  t.ok(isServed(b));
  t.equal(tenantsOf(core), 1);
});

t.test('who waits too long for a dial is closed, and nobody else', async (t) => {
  const core = await startLanes(t, { brokers: 2, upstream: { dialTimeoutMilliseconds: 10_000 } });
  core.broker(2).greets = false;
  const [a, b] = [join(core), join(core)];
  t.ok(isServed(b));
  a.send('ask', keyed({ node: THERE }));
  core.pass(4.9);
  t.ok(a.isOpen);
  core.pass(0.2);
  t.strictSame(core.disconnected, ['wait_timeout']);
  t.ok(isServed(b));
});

t.test('a client that ends while something of its waits has that sent first', async (t) => {
  const core = await startLanes(t, { brokers: 2 });
  core.broker(2).greets = false;
  const app = join(core);
  app.send('ask', keyed({ node: THERE }, 'last'));
  app.fin();
  t.strictSame(core.disconnected, []);
  greet(core.broker(2));
  t.strictSame(bodies(core.broker(2)), ['last']);
  t.strictSame(core.disconnected, ['client_closed']);
  t.equal(tenantsOf(core), 0);
});

t.test('the first connection for a purpose is dialled once, however many wait for it', async (t) => {
  const core = await startLanes(t);
  core.broker().greets = false;
  const apps = [join(core), join(core), join(core)];
  const asked = apps.map((app) => app.send('ask'));
  core.pass(0.5);
  t.equal(core.network.dials.length, 1);
  greet(core.broker());
  t.strictSame(
    apps.map(({ ids }) => ids[0]),
    asked,
  );
  t.equal(core.openTo(), 1);
});

t.test('a connection that was quiet for long is asked for a sign of life before anybody uses it', async (t) => {
  const core = await startLanes(t);
  const broker = core.broker();
  const [a, b] = [join(core), join(core)];
  t.ok(isServed(a));
  t.ok(isServed(b));
  core.pass(31);
  broker.answersPings = false;
  const asked = [a.send('ask'), b.send('ask')];
  const link = onlyLink(core);
  t.strictSame(wordsOn(link).slice(2), ['ping']);
  broker.answersPings = true;
  answer(core, link);
  t.strictSame(wordsOn(link).slice(2), ['ping', 'ask', 'ask']);
  t.strictSame([a.ids.at(-1), b.ids.at(-1)], asked);
});

t.test('a connection that gives no sign of life goes, and who waited for it uses another', async (t) => {
  const core = await startLanes(t);
  const [a, b] = [join(core), join(core)];
  a.send('open', keyed({ name: 'n' }));
  t.ok(isServed(b));
  core.pass(31);
  const link = onlyLink(core);
  link.deaf = true;
  const asked = [a.send('data', keyed({ name: 'n' })), b.send('ask')];
  core.pass(3);
  t.strictSame(core.released, ['response_timeout']);
  t.strictSame(core.disconnected, []);
  t.strictSame([a.ids.at(-1), b.ids.at(-1)], asked);
  t.strictSame(wordsOn(onlyLink(core)).sort(), ['ask', 'data n', 'open n']);
});

t.test('who may only be answered once the broker was reached waits for that', async (t) => {
  const core = await startLanes(t);
  const broker = core.broker();
  const app = join(core);
  t.ok(isServed(app));
  app.send('hi');
  t.equal(app.answers.length, 2, 'it is well');
  broker.greets = false;
  for (const { peer } of broker.open) peer.close();
  core.pump();
  const asked = [app.send('hi'), app.send('ask')];
  core.pass(0.2);
  t.equal(app.answers.length, 2, 'it was lost');
  greet(broker);
  t.strictSame(app.ids.slice(2), asked);
  t.strictSame(core.disconnected, []);
});

t.test('who was told nothing of a broker that is there does not wait for it', async (t) => {
  const core = await startLanes(t);
  const app = join(core);
  t.ok(isServed(app));
  const [session] = routeOf(core).sessions;
  if (session !== undefined) session.changed = Verdict.learn;
  app.send('hi');
  t.strictSame(core.disconnected, ['versions_changed']);
});

t.test('a client that was not read for a broker that does not read is read again if that breaks', async (t) => {
  const core = await startLanes(t);
  core.broker().manual = true;
  const [a, b, c] = [join(core), join(core), join(core)];
  for (const app of [a, b, c]) app.send('ask');
  const link = onlyLink(core);
  for (let left = 3; left > 0; left -= 1) answer(core, link);
  link.peer.clog(0);
  b.send('ask', keyed({}, 'x'.repeat(1000)));
  const id = a.send('ask');
  c.send('ask', keyed({}, 'x'.repeat(5000)));
  t.ok(a.peer.wire.paused, 'what it sends next would lie in a buffer that is still needed');
  link.peer.unclog(2000);
  link.peer.clog(0);
  core.pump();
  t.equal(link.waiting.length, 2);
  answer(core, link);
  answer(core, link);
  t.equal(a.ids.at(-1), id);
  link.peer.rst();
  core.pump();
  t.strictSame(core.disconnected, ['upstream_lost'], 'the one whose request was under way');
  core.broker().manual = false;
  t.ok(isServed(a));
  t.ok(isServed(b));
});
