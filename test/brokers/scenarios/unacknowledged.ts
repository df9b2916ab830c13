/** Producers that want no acknowledgement. */
import { setTimeout as pause } from 'node:timers/promises';
import type { DriverKind } from '../clients/driver.ts';
import { Fleet } from '../fleet.ts';
import type { Judge } from '../judge.ts';
import type { Verdict } from '../ledger.ts';
import type { Way } from '../way.ts';

export interface UnacknowledgedOutcome {
  readonly sent: number;
  readonly verdict: Verdict;
}

const MESSAGES = 100;

/** Each sends in bursts with pauses between them, so that connections change hands. */
export async function sendUnacknowledged(
  way: Way,
  judge: Judge,
  kinds: Readonly<Partial<Record<DriverKind, number>>>,
  prefix: string,
): Promise<UnacknowledgedOutcome> {
  const fleet = new Fleet({ prefix, kinds, topics: 'one', acks: 0 });
  try {
    await judge.createTopics(fleet.topics, 6);
    await fleet.open(way);
    for (let burst = 0; burst < 4; burst++) {
      await fleet.start(MESSAGES / 4, 3, 50);
      await fleet.finish(false);
      await pause(250);
    }
    const { sent, total } = await fleet.finish(false);
    // Nobody tells when the last one has arrived: the brokers are looked at until they hold it, or no more come.
    let verdict = await judge.verdict(fleet.topics, sent);
    for (let looks = 0; verdict.held < total && looks < 10; looks++) {
      await pause(200);
      verdict = await judge.verdict(fleet.topics, sent);
    }
    return { sent: total, verdict };
  } finally {
    await fleet.stop();
  }
}
