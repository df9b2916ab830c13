/** One connection to a broker serves several clients, and one client uses several connections. */
import t from 'tap';
import {
  answer,
  join,
  keyed,
  onlyLink,
  say,
  startLanes,
  startLanesOfTwo,
  tenantsOf,
  wordsOn,
} from '../support/lanes-fixture.ts';
import { changesOf } from '../support/two-users.ts';

t.test('several clients share one connection, and each gets its own answers in order', async (t) => {
  const core = await startLanes(t);
  const broker = core.broker();
  broker.manual = true;
  const apps = [join(core), join(core), join(core)];
  const asked = apps.map((): string[] => []);
  for (let round = 0; round < 4; round += 1)
    for (const [at, app] of apps.entries()) asked[at]?.push(app.send('ask', keyed({ answer: '20' }, `of ${at}`)));
  const link = onlyLink(core);
  t.strictSame(
    apps.map(({ answers }) => answers.length),
    [0, 0, 0],
  );
  for (let left = 12; left > 0; left -= 1) answer(core, link);
  t.strictSame(
    apps.map(({ ids }) => ids),
    asked,
  );
  t.strictSame(
    broker.received.map(({ body }) => `${body}`),
    [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2].map((at) => `of ${at}`),
    'their requests as they came',
  );
});

t.test('answers of several clients that come with one read reach each client once', async (t) => {
  const core = await startLanes(t);
  const broker = core.broker();
  broker.manual = true;
  const [a, b] = [join(core), join(core)];
  const asked = [a.send('ask'), b.send('ask'), a.send('ask'), b.send('ask')];
  const link = onlyLink(core);
  const all = Buffer.concat(asked.map(() => link.takeAnswer({ body: 'x'.repeat(30) })));
  say(core, link, all.subarray(0, 50));
  say(core, link, all.subarray(50));
  t.strictSame(a.ids, [asked[0], asked[2]]);
  t.strictSame(b.ids, [asked[1], asked[3]]);
  t.ok([...a.answers, ...b.answers].every(({ body }) => `${body}` === 'x'.repeat(30)));
});

t.test('a request that came in pieces is written once it is whole, and keeps nobody waiting', async (t) => {
  const core = await startLanes(t);
  const [a, b] = [join(core), join(core)];
  const { id, bytes } = a.frame('ask', keyed({}, 'y'.repeat(100)));
  a.write(bytes.subarray(0, 60));
  const other = b.send('ask');
  t.strictSame(b.ids, [other]);
  t.equal(onlyLink(core).partial, 0);
  a.write(bytes.subarray(60));
  t.strictSame(a.ids, [id]);
  t.equal(`${core.broker().received.at(-1)?.body}`, 'y'.repeat(100));
});

t.test('one client uses a connection for each broker and purpose', async (t) => {
  const core = await startLanes(t, { brokers: 2 });
  const app = join(core);
  const asked = [
    app.send('ask'),
    app.send('ask', keyed({ purpose: 'other' })),
    app.send('ask', keyed({ node: 'broker-2:9092' })),
    app.send('ask', keyed({ purpose: 'own' })),
    app.send('ask'),
  ];
  t.equal(core.openTo(1), 3);
  t.equal(core.openTo(2), 1);
  t.strictSame(app.ids, asked);
});

t.test('a request of the protocol itself goes first to where an answer sent it', async (t) => {
  const core = await startLanes(t, { brokers: 2 });
  const [one, two] = [core.broker(1), core.broker(2)];
  one.manual = true;
  const app = join(core);
  const first = app.send('ask');
  two.manual = true;
  answer(core, onlyLink(core), [['again', 'broker-2:9092']]);
  t.strictSame(app.ids, []);
  t.strictSame(two.words, ['ask']);
  answer(core, onlyLink(core, 2));
  t.strictSame(app.ids, [first]);
});

t.test('a client that must go for what it asked goes alone', async (t) => {
  const core = await startLanes(t);
  core.broker().manual = true;
  const [a, b] = [join(core), join(core)];
  a.send('ask');
  const id = b.send('ask');
  answer(core, onlyLink(core), [['expel', 'yes']]);
  answer(core, onlyLink(core));
  t.strictSame(core.disconnected, ['refused_api']);
  t.notOk(a.isOpen);
  t.strictSame(b.ids, [id]);
});

t.test('a request that is refused as it is registered closes its client, behind what it sent before', async (t) => {
  const core = await startLanes(t);
  const [a, b] = [join(core), join(core)];
  const before = a.frame('ask');
  a.write(Buffer.concat([before.bytes, a.frame('ask', keyed({ stale: 'yes' })).bytes, a.frame('ask').bytes]));
  t.strictSame(core.disconnected, ['versions_changed']);
  t.strictSame(wordsOn(onlyLink(core)), ['ask'], 'what was registered was written, and nothing behind the refused one');
  core.pass(121);
  const id = b.send('ask');
  t.strictSame(b.ids, [id]);
  t.strictSame(core.released, [], 'nothing that was registered is owed for ever');
});

t.test('two identities never share a connection', async (t) => {
  const { core } = await startLanesOfTwo(t);
  const [a, b, c] = [join(core, 'alice'), join(core, 'bob'), join(core, 'alice')];
  const asked = [a, b, c, b, a].map((app) => [app.number, app.send('ask')]);
  t.equal(core.openTo(), 2);
  t.strictSame(
    core.broker().received.map(({ principal }) => principal),
    ['alice', 'bob', 'alice', 'bob', 'alice'],
  );
  for (const app of [a, b, c])
    t.strictSame(
      app.ids,
      asked.flatMap(([number, id]) => (number === app.number ? [id] : [])),
    );
});

t.test('an identity with a new login shares with nobody who showed the one before', async (t) => {
  const { core, identities } = await startLanesOfTwo(t);
  const [a, b] = [join(core, 'alice'), join(core, 'bob')];
  a.send('ask');
  b.send('open', keyed({ name: 'n' }));
  const bobs = core.broker().open.find(({ principal }) => principal === 'bob');
  core.cluster.users?.set('bob', 'b2');
  identities.rotate('bob', 'b2');
  core.pump();
  t.strictSame(changesOf(core), ['bob read', 'bob accepted']);
  t.strictSame(wordsOn(bobs), ['open n', 'close n'], 'what is open there is closed before it goes');
  const [one, two] = [b.send('data', keyed({ name: 'n' })), join(core, 'bob').send('ask')];
  t.ok(one !== '' && two !== '');
  core.pump();
  t.strictSame(b.ids.at(-1), one);
  t.ok(b.isOpen);
  t.strictSame(core.disconnected, []);
  core.pass(3); // what only showed that the new login is taken goes
  t.ok(bobs?.peer.over);
  t.equal(core.openTo(), 2);
});

t.test('what a broker asks for is shown on the connection that it asked on, and nobody is disturbed', async (t) => {
  const { core } = await startLanesOfTwo(t);
  const [a, b] = [join(core, 'alice'), join(core, 'alice')];
  a.send('ask');
  b.send('ask');
  const link = onlyLink(core);
  say(core, link, 'auth x 0\n');
  const [renewal] = link.received.filter(({ word }) => word === 'renew');
  t.equal(renewal?.keys.get('user'), 'alice');
  t.strictSame(core.disconnected, []);
  t.equal(tenantsOf(core), 2);
});
