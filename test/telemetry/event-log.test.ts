import t from 'tap';
import type { CLOSE_REASONS } from '../../src/contract/reasons.ts';
import type { CoreEvent } from '../../src/core/events.ts';
import type { Timers } from '../../src/telemetry/burst-limit.ts';
import { EventLog } from '../../src/telemetry/event-log.ts';
import { Log, type LogLevel } from '../../src/telemetry/log.ts';

/** Time stands still until it is told to pass. */
class StillClock implements Timers {
  #now = 0;
  #timers: { at: number; task: () => void }[] = [];
  after(milliseconds: number, task: () => void): { cancel(): void } {
    this.#timers.push({ at: this.#now + milliseconds, task });
    return { cancel: () => this.pass(0) };
  }
  pass(milliseconds: number): void {
    this.#now += milliseconds;
    const due = this.#timers.filter(({ at }) => at <= this.#now);
    this.#timers = this.#timers.filter(({ at }) => at > this.#now);
    for (const { task } of due) task();
  }
}

function logAt(level: LogLevel) {
  const lines: Record<string, unknown>[] = [];
  const clock = new StillClock();
  const log = new Log({ level, format: 'json', write: (line) => lines.push(JSON.parse(line)) });
  const { observe } = new EventLog(log.logger, clock);
  return { lines, clock, observe, log };
}

const at = { route: 'orders', broker: '1' } as const;
const dialFailed = (reason: 'refused' | 'timeout' = 'refused'): CoreEvent => ({
  type: 'upstream.dial_failed',
  ...at,
  identity: '',
  address: 'broker-1:9092',
  reason,
  detail: 'connect ECONNREFUSED',
  retrySeconds: 0.12345,
});
const connected: CoreEvent = {
  type: 'upstream.connected',
  ...at,
  identity: '',
  upstream: 'u1',
  address: 'b:1',
  dialSeconds: 0.002,
};
const gone = (reason: (typeof CLOSE_REASONS)[number], client = 'c1'): CoreEvent => ({
  type: 'client.disconnected',
  ...at,
  client,
  remote: '127.0.0.1:50000',
  reason,
  detail: '',
  ageSeconds: 1.23456,
});

t.test('the product at work writes nothing at level info', async (t) => {
  const { lines, observe } = logAt('info');
  observe({ type: 'client.connected', ...at, client: 'c1', remote: '127.0.0.1:50000' });
  observe(connected);
  observe({ type: 'pool.awake', ...at, dialSeconds: 0.002, clients: 1 });
  observe({ type: 'upstream.idle_marked', ...at, upstream: 'u1', ageSeconds: 3 });
  const released = { upstream: 'u1', detail: '', ageSeconds: 200, idleSeconds: 190, opened: true };
  observe({ type: 'upstream.released', ...at, ...released, reason: 'idle' });
  observe({ type: 'pool.asleep', ...at });
  observe(gone('client_closed'));
  t.strictSame(lines, []);
});

t.test('a line has a constant sentence and the facts as fields, numbers rounded to milliseconds', async (t) => {
  const { lines, observe } = logAt('info');
  observe(dialFailed());
  const [line] = lines;
  t.match(line, {
    level: 'warn',
    msg: 'a broker connection could not be opened',
    event: 'upstream.dial_failed',
    route: 'orders',
    broker: '1',
    address: 'broker-1:9092',
    reason: 'refused',
    detail: 'connect ECONNREFUSED',
    retrySeconds: 0.123,
    remedy: /upstream\.bootstrap/,
    time: /^\d{4}-\d\d-\d\dT[\d:.]+Z$/,
  });
  t.notOk(line !== undefined && ('pid' in line || 'hostname' in line));
});

t.test(
  'a broker that cannot be reached is told once, with another reason once more, and once when it is back',
  async (t) => {
    const { lines, observe, clock } = logAt('info');
    for (let attempt = 0; attempt < 20; attempt++) {
      observe(dialFailed());
      clock.pass(10_000);
    }
    t.equal(lines.length, 1);
    observe(dialFailed('timeout'));
    t.equal(lines.length, 2);
    observe(connected);
    observe(connected);
    t.equal(lines.length, 3);
    t.match(lines[2], { level: 'info', msg: 'a broker can be reached again' });
    clock.pass(60_000);
    observe(dialFailed());
    t.match(lines[3], { level: 'warn' }, 'the next outage is told again');
  },
);

t.test('a TLS hello, HTTP and SASL on the Kafka port are warnings with a remedy', async (t) => {
  const { lines, observe } = logAt('warn');
  for (const reason of ['tls_on_plaintext', 'http_on_kafka', 'refused_api'] as const) observe(gone(reason));
  t.strictSame(
    lines.map(({ reason }) => reason),
    ['tls_on_plaintext', 'http_on_kafka', 'refused_api'],
  );
  for (const line of lines) t.type(line.remedy, 'string');
});

t.test('fifty clients lost at once are two lines a minute, and the second tells how many more', async (t) => {
  const { lines, observe, clock } = logAt('info');
  for (let i = 0; i < 50; i++) observe(gone('upstream_lost', `c${i}`));
  t.equal(lines.length, 1);
  clock.pass(60_000);
  t.equal(lines.length, 2);
  t.match(lines[1], {
    msg: 'the same happened again',
    reason: 'upstream_lost',
    count: 49,
    route: 'orders',
    broker: '1',
  });
  clock.pass(60_000);
  t.equal(lines.length, 2, 'and silence afterwards');
  observe(gone('upstream_lost'));
  t.equal(lines.length, 3, 'the next one is told at once');
});

t.test('one cause held back does not hold back another', async (t) => {
  const { lines, observe } = logAt('info');
  observe(gone('upstream_lost'));
  observe(gone('upstream_lost'));
  observe(gone('wait_timeout'));
  observe({ ...gone('upstream_lost'), broker: '2' } as CoreEvent);
  t.equal(lines.length, 3);
});

t.test('at level debug everything is written and nothing is held back', async (t) => {
  const { lines, observe } = logAt('debug');
  for (let i = 0; i < 5; i++) observe(gone('upstream_lost'));
  for (let i = 0; i < 5; i++) observe(dialFailed());
  observe({ type: 'client.connected', ...at, client: 'c1', remote: '127.0.0.1:50000' });
  t.equal(lines.length, 11);
});

t.test('the level changes while it runs', async (t) => {
  const { lines, observe, log } = logAt('info');
  observe(gone('client_closed'));
  t.equal(lines.length, 0);
  log.setLevel('debug');
  observe(gone('client_closed'));
  t.equal(lines.length, 1);
  log.setLevel('silent');
  observe(gone('upstream_lost'));
  t.equal(lines.length, 1);
});

t.test('a broker listener that cannot be bound and a broken invariant are errors with a remedy', async (t) => {
  const { lines, observe } = logAt('error');
  observe({ type: 'listener.bind_failed', ...at, detail: 'port 29093 is in use: change brokers.portBase' });
  observe({ type: 'invariant.violated', route: 'orders', detail: 'an upstream was lent twice' });
  t.match(lines, [
    { level: 'error', detail: /brokers\.portBase/, remedy: /key/ },
    { level: 'error', detail: /lent twice/, remedy: /Report/ },
  ]);
});

t.test('a thousand causes at once are watched and the next ones still written', async (t) => {
  const { lines, observe, clock } = logAt('info');
  for (let i = 0; i < 1500; i++) observe({ ...gone('upstream_lost'), broker: String(i) } as CoreEvent);
  t.equal(lines.length, 1500);
  clock.pass(60_000);
  t.equal(lines.length, 1500);
});

t.test('a user that a broker refuses is told once, however well it serves another', async (t) => {
  const { lines, observe } = logAt('info');
  const refused: CoreEvent = {
    ...dialFailed(),
    type: 'upstream.dial_failed',
    ...at,
    identity: 'alice',
    address: 'broker-1:9092',
    reason: 'authentication_failed',
    detail: 'wrong password',
    retrySeconds: 10,
  };
  for (let time = 0; time < 3; time += 1) {
    observe(refused);
    observe({ ...refused, identity: 'carol' });
    observe({ ...connected, identity: 'bob' } as CoreEvent);
  }
  t.match(lines, [{ identity: 'alice' }, { identity: 'carol' }]);
  t.equal(lines.length, 2);
});
