/** For one version of Kafka: what every client must be able to do, the same as if it came directly. */
import type { Test } from 'tap';
import { flawless } from './ledger.ts';
import { administer } from './scenarios/administration.ts';
import { type GroupOptions, group } from './scenarios/group.ts';
import { kcat, kcatMessages } from './scenarios/kcat.ts';
import { changeLeaders } from './scenarios/leader-change.ts';
import { share } from './scenarios/share-group.ts';
import { pipe, transact, WRITTEN } from './scenarios/transactions.ts';
import { sendUnacknowledged } from './scenarios/unacknowledged.ts';
import { addressesToldBy, openWays, QUICK_GROUPS, realKafka } from './setting.ts';
import { KAFKA_CURRENT, type KafkaVersion } from './versions.ts';
import type { Way } from './way.ts';

const GROUPS: readonly Omit<GroupOptions, 'prefix'>[] = [
  { kind: 'java', protocol: 'classic' },
  { kind: 'librdkafka', protocol: 'classic' },
  { kind: 'kafkajs', protocol: 'classic' },
  { kind: 'java', protocol: 'consumer' },
  { kind: 'librdkafka', protocol: 'consumer' },
];
const KINDS = { librdkafka: 3, java: 2, kafkajs: 2, platformatic: 2 } as const;

/** Defines the tests of one version. */
export async function clientsWork(t: Test, version: KafkaVersion): Promise<void> {
  const current = version === KAFKA_CURRENT;
  const { cluster, judge } = await realKafka(t, { version, brokers: 3, properties: current ? QUICK_GROUPS : {} });
  const ways = await openWays(t, cluster);
  const groups = GROUPS.filter(({ protocol }) => current || protocol === 'classic');

  /** Runs the same both ways at once. */
  async function bothWays<Outcome>(run: (way: Way) => Promise<Outcome>): Promise<[Way, Outcome][]> {
    return Promise.all(ways.map(async (way): Promise<[Way, Outcome]> => [way, await run(way)]));
  }

  for (const { kind, protocol } of groups) {
    await t.test(
      `a ${protocol} group of ${kind} members takes every message while members leave and join`,
      async (t) => {
        const run = (way: Way) => group(way, judge, { kind, protocol, prefix: `${way.through}-${kind}-${protocol}` });
        for (const [{ through }, { sent, taken, repeated }] of await bothWays(run)) {
          t.ok(sent > 0, `${through}: ${sent} messages were sent`);
          t.equal(taken, sent, `${through}: nothing is lost`);
          // kafkajs commits after it has processed, and may be too late when the group changes.
          if (kind !== 'kafkajs') t.equal(repeated, 0, `${through}: nothing is doubled`);
        }
      },
    );
  }

  for (const kind of ['java', 'librdkafka', 'kafkajs'] as const) {
    await t.test(`readers see what ${kind} transactions committed and nothing that they aborted`, async (t) => {
      const run = (way: Way) => transact(way, judge, kind, `${way.through}-${kind}-transactions`);
      for (const [{ through }, { committed, visible, written }] of await bothWays(run)) {
        t.strictSame(visible, committed, `${through}: read_committed`);
        t.equal(written, WRITTEN, `${through}: read_uncommitted`);
      }
    });
  }

  await t.test(
    'a Java application that reads, processes and writes in transactions does so exactly once',
    async (t) => {
      for (const [{ through }, outcome] of await bothWays((way) => pipe(way, judge, `${way.through}-pipe`))) {
        t.strictSame(outcome.output, outcome.input, through);
        t.ok(outcome.aborts > 0, `${through}: ${outcome.aborts} transactions were aborted`);
      }
    },
  );

  await t.test('messages without acknowledgement arrive once and in order', async (t) => {
    const run = (way: Way) => sendUnacknowledged(way, judge, KINDS, `${way.through}-unacknowledged`);
    for (const [{ through }, { sent, verdict }] of await bothWays(run)) t.strictSame(verdict, flawless(sent), through);
  });

  if (current) {
    await t.test('a share group accepts every record once and gets released ones again', async (t) => {
      for (const [{ through }, outcome] of await bothWays((way) => share(way, judge, `${way.through}-share`))) {
        t.equal(outcome.accepted, outcome.sent, `${through}: nothing is lost`);
        t.equal(outcome.acceptances, outcome.sent, `${through}: nothing is doubled`);
        t.ok(outcome.released > 0, `${through}: ${outcome.released} records were released`);
      }
    });
  }

  await t.test('admin operations come to the same, and name the addresses of this way', async (t) => {
    // One after the other: what one sees of the cluster must not hang on what the other does.
    const outcomes = [];
    for (const way of ways) {
      const outcome = await administer(way, 'admin');
      t.strictSame(outcome.nodes, addressesToldBy(way), `${way.through}: nodes`);
      outcomes.push(outcome.steps);
    }
    const [first, ...others] = outcomes;
    t.match(first, { 'create topic': 2, 'commit offsets': 4, 'delete records': 3, 'delete topic': 'gone' });
    for (const other of others) t.strictSame(other, first, 'the sidecar changes nothing');
  });

  await t.test('kcat is told the addresses of this way, and reads back what it sent', async (t) => {
    for (const [way, outcome] of await bothWays((way) => kcat(way, judge, `${way.through}-kcat`))) {
      t.strictSame(outcome.nodes, addressesToldBy(way), `${way.through}: nodes`);
      t.strictSame(outcome.read, kcatMessages(), `${way.through}: messages`);
    }
  });

  await t.test(
    'leaders move under production and consumption, and no client meets a name that it cannot resolve',
    async (t) => {
      const run = (way: Way) => changeLeaders(way, judge, KINDS, `${way.through}-leaders`);
      for (const [{ through }, outcome] of await bothWays(run)) {
        t.strictSame(outcome.failures, [], `${through}: every message is delivered`);
        t.strictSame(outcome.lost, [], `${through}: nothing is lost`);
        t.strictSame(outcome.exact, flawless(outcome.exact.held), `${through}: once and in order`);
        t.strictSame(
          outcome.taken,
          Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, outcome.held])),
          through,
        );
        t.strictSame(
          outcome.log.filter((line) => line.includes('.invalid')),
          [],
          `${through}: no address leaks`,
        );
      }
    },
  );

  for (const way of ways.filter(({ through }) => through === 'sidecar')) {
    await t.test('the sidecar broke no rule of its own and closed no client for want of a connection', async (t) => {
      t.equal(await way.sidecar.metric('invariant_violations_total'), 0);
      const reasons = await way.sidecar.closeReasons();
      for (const reason of ['wait_timeout', 'too_many_waiters', 'protocol_error', 'refused_api', 'upstream_lost']) {
        t.equal(reasons[reason] ?? 0, 0, `${reason}: ${JSON.stringify(reasons)}`);
      }
    });
  }
}
