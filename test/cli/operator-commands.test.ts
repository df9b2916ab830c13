import t from 'tap';
import { adminOn } from '../admin/listeners.ts';
import { clientView, FakeRoute, routeView, upstreamView } from '../support/fake-route.ts';
import { invoke } from './invoke.ts';

const lately = {
  event: 'upstream.dial_failed',
  route: 'orders',
  broker: '3',
  reason: 'refused',
  since: '2026-11-22T10:00:00.000Z',
  count: 4,
  level: 'warn',
  message: 'a broker connection could not be opened',
  detail: 'connect ECONNREFUSED 10.0.0.7:9092',
  remedy: 'Start the broker.',
  at: '2026-11-22T10:05:00.000Z',
};

/** As of the answer, so that a slow machine does not age it. */
const recently = (): object => ({ ...lately, at: new Date(Date.now() - 12_000).toISOString() });

t.test('status is one screen: state, routes, brokers, counts, connections saved, recent trouble', async (t) => {
  const { url } = await adminOn(t, [new FakeRoute()], { recent: () => [recently()] });
  const { code, out, err } = await invoke('status', '--admin', url);
  t.equal(code, 0);
  t.equal(err, '');
  t.match(out, /^slackwater 1\.2\.3 {2}ready {2}up \d/);
  const lines = out.split('\n').slice(1, -2);
  t.strictSame(lines, [
    '',
    'route orders (kafka)  127.0.0.1:9092 -> broker-1:9092, broker-2:9092  cluster MkU3OEVBNTcwNTJENDM2Qg',
    '  sharing      clients share broker connections',
    '  clients      52 (9 idle, 1 waiting, 2 attached, 40 parked)',
    '  connections  2 (1 using, 1 idle_marked)',
    '  saved        50: 40 by reaping, 10 by sharing',
    '  broker  state   advertised as  served on        connections  waiting',
    '  1       awake   broker-1:9092  127.0.0.1:29093  2            0',
    '  2       asleep  broker-2:9092  127.0.0.1:29094  0            0',
    '  3       down    broker-3:9092  nowhere          0            1',
    '',
    'lately',
  ]);
  t.match(
    out,
    /12 s ago {5}warn {2}a broker connection could not be opened \(refused\), route orders, broker 3, 4 times so far: connect/,
  );
  t.match(out, /\n {21}Start the broker\.$/);
  t.ok(out.split('\n').length <= 24, 'it fits a terminal');
});

const words = { level: 'warn', message: 'a broker connection could not be opened', detail: '' };

t.test('status of a cluster that has no id counts its brokers', async (t) => {
  const route = new FakeRoute();
  route.state = routeView('orders', { clusterId: null });
  const { url } = await adminOn(t, [route], { recent: () => [] });
  t.match((await invoke('status', '--admin', url)).out, /^route orders .* broker-2:9092 {2}\d brokers?$/m);
});

t.test('status says that no broker has answered yet, and that nothing is open', async (t) => {
  const route = new FakeRoute();
  route.learnt = false;
  const none = { idle: 0, waiting: 0, attached: 0, parked: 0 };
  route.state = routeView('orders', { clusterId: null, brokers: [], clients: none });
  const { url } = await adminOn(t, [route], { recent: () => [] });
  const { out } = await invoke('status', '--admin', url);
  t.match(out, /starting/);
  t.match(out, /no broker has answered yet\n/);
  t.match(out, /clients {6}0\n/);
  t.notMatch(out, /lately/);
  const failed = { event: 'upstream.dial_failed', route: 'orders', reason: 'authentication_failed', at: '', count: 1 };
  const recent = () => [
    { ...failed, route: 'billing', reason: 'timeout', ...words },
    { ...failed, ...words },
  ];
  const again = await adminOn(t, [route], { recent });
  t.match((await invoke('status', '--admin', again.url)).out, /no broker has answered yet: authentication_failed\n/);
});

t.test(
  'upstreams says of each connection why it is open, since when, its last valid data and when it goes',
  async (t) => {
    const route = new FakeRoute();
    route.upstreamList = [
      upstreamView(),
      upstreamView({
        id: 'u2',
        identity: 'alice',
        state: 'using',
        why: 'pinned to one client',
        client: 'c7',
        pins: ['acks_zero'],
        lastWorkSecondsAgo: null,
        releaseInSeconds: null,
      }),
      upstreamView({ id: 'u3', condemned: true }),
    ];
    const { url } = await adminOn(t, [route]);
    const { code, out } = await invoke('upstreams', '--admin', url);
    t.equal(code, 0);
    t.strictSame(out.split('\n'), [
      'id  route   broker  user   state        age   last valid data  goes               client  why',
      'u1  orders  1       -      idle_marked  75 s  13 s ago         in 168 s to 233 s  -       quiet, kept for the next request',
      'u2  orders  1       alice  using        75 s  never            -                  c7      pinned to one client (acks_zero)',
      'u3  orders  1       -      idle_marked  75 s  13 s ago         once free          -       quiet, kept for the next request',
    ]);
  },
);

t.test('clients says of each socket what it waits for or holds, and when it goes', async (t) => {
  const route = new FakeRoute();
  route.clientList = [
    clientView(),
    clientView({
      id: 'c2',
      identity: 'alice',
      state: 'attached',
      upstream: 'u1',
      why: 'answers are owed to it',
      lastWorkSecondsAgo: 0,
    }),
    clientView({ id: 'c3', broker: null, closesInSeconds: 30.4, lastWorkSecondsAgo: null }),
  ];
  const { url } = await adminOn(t, [route]);
  const { out } = await invoke('clients', '--admin', url);
  t.strictSame(
    out.split('\n').map((line) => line.replaceAll(/ {2,}/g, '|')),
    [
      'id|route|from|came in by|broker|user|state|age|last valid data|goes|connection|why',
      'c1|orders|127.0.0.1:51234|bootstrap|1|-|parked|62 min|400 s ago|never|-|quiet, and its pool is asleep',
      'c2|orders|127.0.0.1:51234|bootstrap|1|alice|attached|62 min|0 s ago|never|u1|answers are owed to it',
      'c3|orders|127.0.0.1:51234|bootstrap|-|-|parked|62 min|never|in 30 s|-|quiet, and its pool is asleep',
    ],
  );
});

t.test('clients says what each has open at brokers, and why it cannot be parked', async (t) => {
  const open = { kind: 'producer', topic: 'persistent://a/b/c', broker: 'b:1', isShared: true, keptBy: '' } as const;
  const route = new FakeRoute();
  route.clientList = [
    clientView(),
    clientView({
      id: 'c2',
      registrations: [
        { ...open, name: 'p-1', state: 'parked', upstream: null },
        { ...open, name: 'p-2', state: 'open', upstream: 'u4', keptBy: 'keepTopicsAlive' },
        { ...open, kind: 'consumer', name: '', state: 'open', upstream: 'u5', isShared: false, keptBy: 'consumer' },
      ],
    }),
  ];
  route.upstreamList = [upstreamView({ tenants: 3 }), upstreamView({ client: 'c2', tenants: 1 })];
  const { url } = await adminOn(t, [route]);
  const lines = async (command: string) =>
    (await invoke(command, '--admin', url)).out.split('\n').map((line) => line.replaceAll(/ {2,}/g, '|'));
  t.strictSame((await lines('clients')).slice(3), [
    '',
    'client|route|has open|topic|name|broker|state|connection|kept by',
    'c2|orders|producer|persistent://a/b/c|p-1|b:1|parked|-|-',
    'c2|orders|producer|persistent://a/b/c|p-2|b:1|open|u4 shared|keepTopicsAlive',
    'c2|orders|consumer|persistent://a/b/c|-|b:1|open|u5 own|consumer',
  ]);
  const whose = (await lines('upstreams')).slice(1).map((line) => line.split('|')[8]);
  t.strictSame(whose, ['3 clients', 'c2']);
});

t.test('status says where the brokers of a pulsar route are reached', async (t) => {
  const broker = { broker: 'b:1', address: 'b:1', local: null, state: 'awake', upstreams: 1, waiters: 0 } as const;
  const route = new FakeRoute();
  route.state = routeView('orders', { protocol: 'pulsar', listen: '127.0.0.1:6650', brokers: [broker] });
  const { url } = await adminOn(t, [route], { recent: () => [] });
  t.match((await invoke('status', '--admin', url)).out, /b:1 +awake +b:1 +127\.0\.0\.1:6650 /);
  const served = { ...broker, broker: 'b:2', local: '127.0.0.1:30000' };
  route.state = routeView('orders', { protocol: 'pulsar', listen: '127.0.0.1:6650', brokers: [broker, served] });
  t.match((await invoke('status', '--admin', url)).out, /b:1 +awake +b:1 +nowhere /);
});

t.test('lists pass their filters on, say what was left out, and say it when there is nothing', async (t) => {
  const route = new FakeRoute();
  route.upstreamList = ['u1', 'u2', 'u3'].map((id) => upstreamView({ id }));
  const { url } = await adminOn(t, [route]);
  t.match((await invoke('upstreams', '--admin', url, '--limit', '1')).out, /\n2 more: raise --limit$/);
  t.equal((await invoke('upstreams', '--admin', url, '--broker', '9')).out, 'no broker connection is open');
  t.equal((await invoke('clients', '--admin', url)).out, 'no application is connected');
  const wrong = await invoke('upstreams', '--admin', url, '--state', 'sleeping');
  t.equal(wrong.code, 1);
  t.match(wrong.err, /^slackwater: state: .*using/);
  const route2 = await invoke('clients', '--admin', url, '--route', 'nope');
  t.match(route2, { code: 1, err: /there is no route "nope"; there are: orders\. Use one of the routes/ });
});

t.test('reap sends what it was told and says what came of it', async (t) => {
  const route = new FakeRoute();
  route.report = {
    chosen: ['u1', 'u2', 'u3'],
    matched: 3,
    released: 2,
    skipped: [{ id: 'u9', reason: 'in use' }],
    failed: 0,
  };
  const { url } = await adminOn(t, [route]);
  const done = await invoke('reap', '--admin', url, '--older-than', '30', '--route', 'orders');
  t.match(done, { code: 0, out: /^2 of 3 quiet broker connections released\n/ });
  t.match(done.out, / {2}u9 {7}in use/);
  const dry = await invoke('reap', '--admin', url, '--dry-run');
  t.match(dry, { code: 0, out: /^3 broker connections would be released/ });
  t.strictSame(route.calls, [
    ['reap', { olderThanSeconds: 30, dryRun: false }],
    ['reap', { olderThanSeconds: 0, dryRun: true }],
  ]);
  route.report = { chosen: ['u1'], matched: 1, released: 0, skipped: [], failed: 1 };
  t.match(await invoke('reap', '--admin', url), { code: 1, out: '0 of 1 quiet broker connection released, 1 failed' });
});

t.test('every read has --json, and it is what the admin listener answered', async (t) => {
  const route = new FakeRoute();
  route.upstreamList = [upstreamView()];
  route.clientList = [clientView()];
  const { url } = await adminOn(t, [route], { recent: () => [lately] });
  const json = async (...args: string[]) => JSON.parse((await invoke(...args, '--admin', url, '--json')).out);
  t.strictSame(await json('upstreams'), { total: 1, upstreams: [upstreamView()] });
  t.strictSame(await json('clients'), { total: 1, clients: [clientView()] });
  t.strictSame(await json('reap', '--dry-run'), route.report);
  t.match(await json('status'), { version: '1.2.3', state: 'ready', routes: [{ name: 'orders' }], recent: [lately] });
});

t.test('what a sidecar says cannot steer the terminal', async (t) => {
  const route = new FakeRoute();
  route.state = routeView('orders', { clusterId: '\u001b[2J' });
  route.clientList = [clientView({ why: 'x\u001b]0;y\u0007' })];
  const { url } = await adminOn(t, [route], { recent: () => [{ ...lately, detail: '\u001b[31mred' }] });
  for (const command of ['status', 'clients']) {
    t.notMatch((await invoke(command, '--admin', url)).out, /\p{Cc}(?<!\n)/u, command);
  }
});
