/** Leaders are moved under production and consumption. */
import { Driver, type DriverKind } from '../clients/driver.ts';
import { Crowd, type CrowdReport, type Kinds } from '../crowd.ts';
import type { Judge } from '../judge.ts';
import { until } from '../until.ts';
import type { Way } from '../way.ts';
import { memberStates, takenBy } from './taken.ts';

export interface LeaderChangeOutcome extends CrowdReport {
  /** Different messages that each kind's consumer took. */
  readonly taken: Readonly<Record<string, number>>;
  /** Everything that clients logged. */
  readonly log: readonly string[];
}

const CHANGES = 2;
const PARTITIONS = 6;

/** Producers and one consumer of each kind. */
export async function changeLeaders(
  way: Way,
  judge: Judge,
  kinds: Kinds,
  prefix: string,
): Promise<LeaderChangeOutcome> {
  const crowd = new Crowd(prefix, kinds, PARTITIONS);
  const consumers: Driver[] = [];
  const counts = async (): Promise<Record<string, number>> =>
    Object.fromEntries(
      await Promise.all(consumers.map(async (driver) => [driver.kind, takenBy(await memberStates(driver)).taken])),
    );
  try {
    await judge.createTopics(crowd.topics, PARTITIONS);
    const consume = async (kind: DriverKind): Promise<void> => {
      const driver = await Driver.start(kind, way.cluster.version);
      consumers.push(driver);
      const request = { group: `${prefix}-${kind}`, members: [`${prefix}-${kind}-member`], topics: crowd.topics };
      await driver.request('consume', { bootstrap: way.bootstrap, ...request, settings: {} }, 60_000);
    };
    await Promise.all([crowd.open(way), ...(Object.keys(kinds) as DriverKind[]).map(consume)]);
    await crowd.start(100);
    await until('every consumer to take messages', 60_000, async () => {
      const taken = await counts();
      return Object.values(taken).every((count) => count > 0) ? true : `taken so far: ${JSON.stringify(taken)}`;
    });
    for (let change = 0; change < CHANGES; change++) {
      await Promise.all(crowd.topics.map((topic) => judge.moveLeaders(topic)));
    }
    const report = await crowd.finish(judge, 60_000);
    let taken = {};
    await until(`every consumer to take ${report.held} messages`, 60_000, async () => {
      taken = await counts();
      const told = consumers.flatMap((driver) => driver.complaints().slice(-3)).join('\n');
      const all = Object.values(taken).every((count) => Number(count) >= report.held);
      return all ? true : `${JSON.stringify(taken)}; the last warnings:\n${told}`;
    });
    return { ...report, taken, log: [...crowd.log(), ...consumers.flatMap((driver) => driver.log)] };
  } finally {
    await Promise.all([crowd.stop(), ...consumers.map((driver) => driver.stop())]);
  }
}
