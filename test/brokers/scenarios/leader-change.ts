/** Row 7: leaders are moved under production and consumption. */
import { Driver, type DriverKind } from '../clients/driver.ts';
import { Fleet } from '../fleet.ts';
import type { Judge } from '../judge.ts';
import type { Verdict } from '../ledger.ts';
import { until } from '../until.ts';
import type { Way } from '../way.ts';

export interface LeaderChangeOutcome {
  readonly sent: number;
  readonly failures: readonly string[];
  readonly verdict: Verdict;
  /** Different messages that each kind's consumer took. */
  readonly taken: Readonly<Record<string, number>>;
  /** Everything that clients logged. */
  readonly log: readonly string[];
}

type Members = Readonly<Record<string, { readonly records: Readonly<Record<string, readonly number[]>> }>>;

const CHANGES = 2;

function countOf(states: Members): number {
  const all = Object.values(states).flatMap(({ records }) =>
    Object.entries(records).flatMap(([partition, offsets]) => offsets.map((offset) => `${partition} ${offset}`)),
  );
  return new Set(all).size;
}

export async function changeLeaders(
  way: Way,
  judge: Judge,
  kinds: Readonly<Partial<Record<DriverKind, number>>>,
  prefix: string,
): Promise<LeaderChangeOutcome> {
  const fleet = new Fleet({ prefix, kinds, topics: 'one' });
  const [topic = ''] = fleet.topics;
  const consumers: Driver[] = [];
  try {
    await judge.createTopics(fleet.topics, 6);
    await fleet.open(way);
    await fleet.start(0, 100);
    for (const kind of Object.keys(kinds) as DriverKind[]) {
      const driver = await Driver.start(kind, way.cluster.version);
      consumers.push(driver);
      const request = { group: `${prefix}-${kind}`, members: [`${prefix}-${kind}-member`], topics: fleet.topics };
      await driver.request('consume', { bootstrap: way.bootstrap, ...request, settings: {} }, 60_000);
    }
    await until('every consumer to take messages', 60_000, async () => {
      const counts = await Promise.all(consumers.map(async (d) => countOf(await d.request<Members>('received', {}))));
      return counts.every((count) => count > 0) ? true : `taken so far: ${counts.join(', ')}`;
    });
    for (let change = 0; change < CHANGES; change++) await judge.moveLeaders(topic);
    const { sent, total, failures } = await fleet.finish(true, 60_000);
    const taken: Record<string, number> = {};
    await until(`every consumer to take ${total} messages`, 60_000, async () => {
      for (const driver of consumers) taken[driver.kind] = countOf(await driver.request<Members>('received', {}));
      return Object.values(taken).every((count) => count >= total) ? true : JSON.stringify(taken);
    });
    const log = [...fleet.log(), ...consumers.flatMap((driver) => driver.log)];
    return { sent: total, failures, verdict: await judge.verdict(fleet.topics, sent), taken, log };
  } finally {
    await Promise.all([fleet.stop(), ...consumers.map((driver) => driver.stop())]);
  }
}
