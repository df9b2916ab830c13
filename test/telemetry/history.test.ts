import t from 'tap';
import { History } from '../../src/telemetry/history.ts';

const at = { route: 'orders', broker: '1' } as const;
const failed = {
  ...at,
  type: 'upstream.dial_failed',
  identity: '',
  address: 'b:1',
  reason: 'refused',
  retrySeconds: 1,
} as const;

t.test('trouble is remembered newest first, and the same again is counted with its last detail', async (t) => {
  let now = Date.parse('2026-11-22T10:00:00Z');
  const history = new History(() => now);
  history.observe({ ...failed, detail: 'first' });
  now += 5000;
  history.observe({ type: 'broker.changed', ...at, change: 'down', address: 'broker-1:9092', local: '' });
  now += 5000;
  history.observe({ ...failed, detail: 'second' });
  t.match(history.recent(), [
    {
      event: 'upstream.dial_failed',
      reason: 'refused',
      count: 2,
      since: '2026-11-22T10:00:00.000Z',
      at: '2026-11-22T10:00:10.000Z',
      detail: 'second',
      level: 'warn',
    },
    { event: 'broker.changed', change: 'down', count: 1, detail: 'broker-1:9092' },
  ]);
  t.equal(history.recent().length, 2);
});

t.test('what happens all the time is not remembered, but that a pool fell asleep and woke up is', async (t) => {
  const history = new History(() => 0);
  history.observe({ type: 'client.connected', ...at, client: 'c1', remote: '127.0.0.1:50000' });
  const left = { client: 'c1', remote: '127.0.0.1:50000', reason: 'client_closed', detail: '', ageSeconds: 1 } as const;
  history.observe({ type: 'client.disconnected', ...at, ...left });
  history.observe({
    type: 'upstream.connected',
    ...at,
    identity: '',
    upstream: 'u1',
    address: 'b:1',
    dialSeconds: 0.1,
  });
  history.observe({ type: 'pool.asleep', ...at });
  history.observe({ type: 'pool.awake', ...at, dialSeconds: 0.0123, clients: 2 });
  t.strictSame(
    history.recent().map(({ event, detail }) => [event, detail]),
    [
      ['pool.awake', 'for 2 clients, dialled in 12 ms'],
      ['pool.asleep', ''],
    ],
  );
});

t.test('the reason of the last failed dial is told for each route', async (t) => {
  const history = new History(() => 0);
  history.observe({ ...failed, detail: '' });
  history.observe({ ...failed, detail: '', reason: 'authentication_failed' });
  history.observe({ ...failed, detail: '', route: 'billing', reason: 'timeout' });
  t.equal(history.lastDialFailure('orders'), 'authentication_failed');
  t.equal(history.lastDialFailure('billing'), 'timeout');
  t.equal(history.lastDialFailure('others'), undefined);
});

t.test('it keeps the last 200 causes and forgets the oldest', async (t) => {
  const history = new History(() => 0);
  for (let i = 0; i < 300; i++) history.observe({ ...failed, broker: String(i), detail: '' });
  const recent = history.recent();
  t.equal(recent.length, 200);
  t.equal(recent[0]?.broker, '299');
  t.equal(recent.at(-1)?.broker, '100');
});
