import t from 'tap';
import { Demand, Verdict } from '../../../src/contract/protocol.ts';
import { API_ROWS, type ApiRow } from './api-fixture.ts';
import { KafkaBench } from './kafka-bench.ts';
import { anyRequest, request } from './requests.ts';

interface Wanted {
  readonly verdict: Verdict;
  readonly demand?: Demand;
  readonly pin?: string;
}

const FORWARD = Verdict.forward;
const DECISIONS: Readonly<Record<string, Wanted>> = {
  versions: { verdict: Verdict.answer },
  metadata: { verdict: FORWARD, demand: Demand.pool },
  produce: { verdict: FORWARD, demand: Demand.pool },
  pool: { verdict: FORWARD, demand: Demand.pool },
  hold: { verdict: FORWARD, demand: Demand.hold },
  'pin hard': { verdict: FORWARD, demand: Demand.pinHard, pin: 'share_session' },
  sasl: { verdict: Verdict.close },
  hidden: { verdict: Verdict.close },
  refuse: { verdict: Verdict.close },
};

/** Their early access, in Kafka 4.0, had another grammar. */
const FIRST_SHARE_VERSION = 1;

function oldestOf({ kind }: ApiRow): number {
  return kind === 'pin hard' ? FIRST_SHARE_VERSION : 0;
}

t.test('the fixture knows the keys from 0 to 94', async (t) => {
  t.same(
    API_ROWS.map(({ key }) => key),
    Array.from({ length: 95 }, (_, key) => key),
  );
  for (const { kind } of API_ROWS) t.ok(kind in DECISIONS, kind);
});

for (const row of API_ROWS) {
  t.test(`${row.name} (${row.key}) is ${row.kind}, and moves the clock: ${row.clock}`, async (t) => {
    const bench = new KafkaBench();
    bench.connect();
    for (let version = oldestOf(row); version <= row.newest; version += 1) {
      const client = bench.client();
      const bytes = anyRequest(row.key, version, 9);
      const wanted = DECISIONS[row.kind];
      t.equal(client.inspect(bytes, 0, bytes.length, true, false), wanted?.verdict, `v${version}`);
      t.equal(client.size, bytes.length);
      if (wanted?.verdict === FORWARD) {
        t.equal(client.demand, wanted.demand);
        t.equal(client.pin, wanted.pin);
        t.equal(client.work, row.clock === 'yes');
        t.notOk(client.pinned, 'nothing is pinned before it was admitted');
      }
      if (wanted?.verdict === Verdict.close) {
        t.equal(client.closeReason, 'refused_api');
        t.ok(client.closeDetail);
      }
      client.close();
    }
  });
}

const NAMES_BROKERS = new Set([0, 1, 3, 10, 60, 78, 79]);

t.test('a version beyond ours pins for life, or closes the client if its answer may name brokers', async (t) => {
  for (const row of API_ROWS) {
    if (['versions', 'sasl', 'hidden', 'refuse'].includes(row.kind)) continue;
    for (const version of [row.newest + 1, 99, 32_767]) {
      const bench = new KafkaBench();
      const client = bench.client();
      const bytes = request(row.key, version, 9);
      const verdict = client.inspect(bytes, 0, bytes.length, true, false);
      if (NAMES_BROKERS.has(row.key)) {
        t.equal(verdict, Verdict.close, `${row.name} v${version}`);
        t.equal(client.closeReason, 'refused_api');
      } else {
        t.equal(verdict, FORWARD, `${row.name} v${version}`);
        t.equal(client.demand, Demand.pin);
        t.equal(client.pin, 'unknown_api');
        t.ok(client.work);
      }
    }
  }
});

t.test('a version below 0 is no request', async (t) => {
  for (const row of API_ROWS) {
    if (['versions', 'sasl', 'hidden', 'refuse'].includes(row.kind)) continue;
    const client = new KafkaBench().client();
    const bytes = request(row.key, -1, 9);
    t.equal(client.inspect(bytes, 0, bytes.length, true, false), Verdict.close, row.name);
    t.equal(client.closeReason, 'protocol_error');
  }
});

t.test('early-access share requests, whose answers had another grammar, are refused', async (t) => {
  for (const key of [78, 79]) {
    const client = new KafkaBench().client();
    const bytes = request(key, 0, 9);
    t.equal(client.inspect(bytes, 0, bytes.length, true, false), Verdict.close);
    t.equal(client.closeReason, 'refused_api');
  }
});

for (const key of [95, 500, 32_767, -1, -32_768]) {
  t.test(`the unknown key ${key} pins for life, and everything after it`, async (t) => {
    const bench = new KafkaBench();
    const connection = bench.connect();
    const client = bench.client();
    const bytes = request(key, 3, 9);
    t.equal(client.inspect(bytes, 0, bytes.length, true, false), FORWARD);
    t.equal(client.demand, Demand.pin);
    t.equal(client.pin, 'unknown_api');
    t.ok(client.work);
    t.notOk(client.pinned);
    connection.ask(client, bytes);
    t.ok(client.pinned);
    t.ok(connection.session.patienceMilliseconds > 0, 'nobody knows how long it may take');
    for (const next of [12, 3, 1, 0]) {
      connection.ask(client, anyRequest(next, 3, 10));
      t.equal(client.demand, Demand.pin, `${next}`);
      t.equal(client.pin, 'unknown_api');
      t.ok(client.pinned);
    }
  });
}

t.test('a share session pins hard for life, and nothing makes it softer', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  const client = bench.client();
  connection.ask(client, anyRequest(78, 1, 1));
  t.ok(client.pinned);
  for (const [key, version] of [
    [12, 0],
    [500, 0],
    [3, 9],
    [0, 9],
  ] as const) {
    connection.ask(client, anyRequest(key, version, 2));
    t.equal(client.demand, Demand.pinHard, `${key}`);
    t.ok(client.pinned);
  }
});

t.test('an unknown request before a share session does not soften it', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  const client = bench.client();
  connection.ask(client, request(500, 0, 1));
  t.equal(client.demand, Demand.pin);
  connection.ask(client, anyRequest(79, 1, 2));
  t.equal(client.demand, Demand.pinHard);
  connection.ask(client, anyRequest(12, 0, 3));
  t.equal(client.demand, Demand.pinHard);
  t.ok(client.pinned);
});

t.test('a request that was inspected and not admitted leaves no pin', async (t) => {
  const bench = new KafkaBench();
  const client = bench.client();
  const share = anyRequest(78, 1, 1);
  client.inspect(share, 0, share.length, true, false);
  const heartbeat = anyRequest(12, 0, 2);
  client.inspect(heartbeat, 0, heartbeat.length, true, false);
  t.equal(client.demand, Demand.pool);
  t.equal(client.pin, undefined);
  t.notOk(client.pinned);
});

t.test('SASL is refused with a sentence that says what to change', async (t) => {
  for (const key of [17, 36]) {
    const client = new KafkaBench().client();
    const bytes = request(key, 1, 1);
    t.equal(client.inspect(bytes, 0, bytes.length, true, false), Verdict.close);
    t.equal(client.closeReason, 'refused_api');
    t.match(client.closeDetail, /SASL.*remove the SASL settings of the client/);
  }
});

t.test('telemetry and what brokers say among themselves is refused by name', async (t) => {
  for (const row of API_ROWS) {
    if (row.kind !== 'hidden' && row.kind !== 'refuse') continue;
    const client = new KafkaBench().client();
    const bytes = request(row.key, 0, 1);
    t.equal(client.inspect(bytes, 0, bytes.length, true, false), Verdict.close);
    t.match(client.closeDetail, row.name);
  }
});

t.test('requests are counted by name, unknown ones together, absorbed ones apart', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  const client = bench.client();
  for (const key of [12, 12, 0, 500, -3, 95]) connection.ask(client, anyRequest(key, 3, 1));
  const asks = anyRequest(18, 0, 2);
  client.inspect(asks, 0, asks.length, true, false);
  client.answer();
  const { forwarded, absorbed } = bench.route.counts();
  t.same(Object.fromEntries(forwarded), { Heartbeat: 2, Produce: 1, unknown: 3 });
  t.same(Object.fromEntries(absorbed), { ApiVersions: 1 });
});

t.test('the smallest and the largest request allowed are requests, and one byte beyond is none', async (t) => {
  const inspect = (length: number) => {
    const client = new KafkaBench({ maxFrameBytes: 1000 }).client();
    const bytes = request(12, 0, 9).subarray(0, 12);
    bytes.writeInt32BE(length);
    const verdict = client.inspect(bytes, 0, bytes.length, true, false);
    return verdict === Verdict.close ? client.closeReason : verdict;
  };
  t.equal(inspect(7), 'protocol_error');
  t.equal(inspect(8), FORWARD, 'key, version and correlation id');
  t.equal(inspect(1000), FORWARD);
  t.equal(inspect(1001), 'frame_too_large');
});
