/** Brokers are upgraded one after the other while clients stay connected to us, as they could not to a broker. */
import t from 'tap';
import { type ClientSession, Verdict } from '../../../src/contract/protocol.ts';
import { BOOTSTRAP } from '../../../src/contract/topology.ts';
import type { Range } from './answers.ts';
import { ALL_RANGES, BROKERS, type BrokerTraits, greetingAnswers, KafkaBench } from './kafka-bench.ts';
import { anyRequest, apiVersionsRequest, produceRequest } from './requests.ts';
import { form, i16, i64, join } from './wire.ts';

/** A broker that can Produce up to that version. */
function upTo(produce: number): readonly Range[] {
  return ALL_RANGES.map((range) => (range.key === 0 ? { ...range, max: produce } : range));
}

const write = form(true);
const TRANSACTIONS_2 = write.array([join(write.string('transaction.version'), i16(2), i16(2), write.tags())]);
const OLD: BrokerTraits = { ranges: upTo(11) };
const UPGRADED: BrokerTraits = {
  ranges: upTo(13),
  tags: [
    { tag: 1, bytes: i64(9n) },
    { tag: 2, bytes: TRANSACTIONS_2 },
  ],
};

/** Asks what the broker can; answers the ranges of Produce. */
function learn(client: ClientSession): readonly number[] | undefined {
  const asks = apiVersionsRequest(0, 1);
  if (client.inspect(asks, 0, asks.length, true, false) !== Verdict.answer) throw new Error('it is not told');
  const told = client.answer();
  const rows = Array.from({ length: told.readInt32BE(10) }, (_, index) =>
    [0, 2, 4].map((offset) => told.readInt16BE(14 + index * 6 + offset)),
  );
  return rows.find(([key]) => key === 0)?.slice(1);
}

t.test('a client that learnt Produce below 12 of a broker does not outlive its upgrade (KIP-890)', async (t) => {
  const requests: readonly [why: string, bytes: Buffer][] = [
    ['a transaction', produceRequest(11, 2, { acks: -1, transactionalId: 'tx' })],
    ['its end, which has an older version too', anyRequest(26, 4, 2)],
    ['offsets in it', anyRequest(28, 3, 2)],
  ];
  for (const [why, bytes] of requests) {
    const bench = new KafkaBench();
    bench.connect(OLD);
    const client = bench.client();
    learn(client);
    t.equal(bench.connect(OLD).ask(client, bytes), undefined, 'as long as it is the old one');
    t.equal(bench.connect(UPGRADED).ask(client, bytes), 'versions_changed', why);
    const again = bench.client();
    t.same(learn(again), [0, 13], 'and when it has come again, it is told what the broker can now');
    t.equal(bench.connect(UPGRADED).ask(again, produceRequest(12, 2, { acks: -1 })), undefined);
  }
});

t.test('an upgrade that changes nothing about transactions disturbs nobody', async (t) => {
  for (const [before, after] of [
    [9, 11],
    [12, 13],
  ] as const) {
    const bench = new KafkaBench();
    bench.connect({ ranges: upTo(before) });
    const client = bench.client();
    learn(client);
    t.equal(bench.connect({ ranges: upTo(after) }).ask(client, anyRequest(2, 1, 2)), undefined);
  }
});

t.test('while brokers are upgraded, clients of the bootstrap listener may ask the new ones as well', async (t) => {
  const bench = new KafkaBench();
  bench.connect({ ...OLD, node: '1' });
  const upgraded = bench.connect({ ...UPGRADED, node: '2' });
  const client = bench.client(BOOTSTRAP);
  t.same(learn(client), [0, 11], 'what all of them can');
  t.equal(upgraded.ask(client, anyRequest(3, 1, 2)), undefined);
});

t.test('what is right for a client of the bootstrap listener is not for one of the broker', async (t) => {
  const bench = new KafkaBench();
  bench.connect({ ...OLD, node: '1' });
  const [client, seed] = [bench.client('1'), bench.client(BOOTSTRAP)];
  learn(client);
  learn(seed);
  const upgraded = bench.connect({ ...UPGRADED, node: '1' });
  t.equal(upgraded.ask(seed, anyRequest(3, 1, 2)), undefined);
  t.equal(upgraded.ask(client, anyRequest(0, 9, 3)), 'versions_changed');
});

// --- the bootstrap listener -----------------------------------------------------------------------------------

t.test('a broker that is not listed any more limits no client of the bootstrap listener', async (t) => {
  const bench = new KafkaBench();
  bench.connect({ ...UPGRADED, node: '1' });
  bench.connect({ ...OLD, node: '2' });
  t.same(learn(bench.client(BOOTSTRAP)), [0, 11]);
  const listing = BROKERS.filter(({ node }) => node !== 2);
  bench.connect({ ...UPGRADED, node: '1', brokers: listing });
  t.same(learn(bench.client(BOOTSTRAP)), [0, 13], 'it left');
  bench.connect({ ...UPGRADED, node: '1' });
  t.same(learn(bench.client(BOOTSTRAP)), [0, 11], 'it came back, and was not asked yet');
});

t.test('what a bootstrap address said counts until one of the brokers that it listed was asked', async (t) => {
  const bench = new KafkaBench();
  const seed = bench.dial(BOOTSTRAP);
  seed.read(greetingAnswers(seed.session.greeting(null), OLD));
  t.same(learn(bench.client(BOOTSTRAP)), [0, 11]);
  bench.connect({ ...UPGRADED, node: '1' });
  t.same(learn(bench.client(BOOTSTRAP)), [0, 13]);
});
