/** A share group (KIP-932), whose sessions brokers bind to connections. */
import { Driver } from '../clients/driver.ts';
import { Fleet } from '../fleet.ts';
import type { Judge } from '../judge.ts';
import type { Way } from '../way.ts';

export interface ShareOutcome {
  readonly sent: number;
  /** Different records that were accepted, and acceptances in all. */
  readonly accepted: number;
  readonly acceptances: number;
  /** Records that were released once and came again. */
  readonly released: number;
}

interface Taken {
  readonly accepted: readonly string[];
  readonly released: number;
}

const MESSAGES = 100;

export async function share(way: Way, judge: Judge, prefix: string): Promise<ShareOutcome> {
  const fleet = new Fleet({ prefix, kinds: { java: 2 }, topics: 'one' });
  const driver = await Driver.start('java', way.cluster.version);
  try {
    await judge.createTopics(fleet.topics, 3);
    await fleet.open(way);
    await fleet.start(MESSAGES, 5);
    const { total } = await fleet.finish(false);
    const request = { bootstrap: way.bootstrap, group: `${prefix}-share`, members: ['m1', 'm2'], topics: fleet.topics };
    const taken = await driver.request<Taken>('share', { ...request, messages: total, withinMs: 60_000 }, 70_000);
    const { accepted, released } = taken;
    return { sent: total, accepted: new Set(accepted).size, acceptances: accepted.length, released };
  } finally {
    await Promise.all([fleet.stop(), driver.stop()]);
  }
}
