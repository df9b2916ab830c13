/** Topics that move under load, or while nobody holds them. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Verdict, verdict } from '../../ledger.ts';
import { until } from '../../until.ts';
import type { PulsarFleet } from '../pulsar-fleet.ts';
import type { PulsarJudge } from '../pulsar-judge.ts';
import type { PulsarWay } from '../pulsar-way.ts';

export interface TroubleOutcome {
  readonly sent: number;
  readonly failures: readonly string[];
  readonly verdict: Verdict;
  readonly slowest: number;
}

/** Every producer sends, and so does it while `trouble` goes on and for a while after it. */
export async function underLoad(
  fleet: PulsarFleet,
  judge: PulsarJudge,
  trouble: () => Promise<void>,
  options: { readonly everyMilliseconds?: number; readonly afterSeconds?: number } = {},
): Promise<TroubleOutcome> {
  const { everyMilliseconds = 50, afterSeconds = 2 } = options;
  await fleet.start(0, everyMilliseconds);
  await pause(1000);
  await trouble();
  await pause(afterSeconds * 1000);
  const report = await fleet.finish(true, 90_000);
  return {
    sent: report.total,
    failures: report.failures,
    verdict: verdict(report.sent, await judge.read(fleet.topics)),
    slowest: Math.max(0, ...report.allLatencies),
  };
}

/** Has every bundle of the fleet's topics given up by its broker, to another one where there is one. */
export async function moveAll(fleet: PulsarFleet, way: PulsarWay): Promise<void> {
  const { cluster } = way;
  const byBundle = new Map<string, string>();
  for (const topic of fleet.topics) byBundle.set(await cluster.admin.bundle(topic), topic);
  for (const topic of byBundle.values()) await cluster.move(topic);
}

/** Waits until no broker holds a connection of this way; on the direct way there is nothing to wait for. */
export async function untilParked(way: PulsarWay, withinSeconds: number): Promise<void> {
  if (way.through === 'direct') return;
  await until('every connection to be let go', withinSeconds * 1000, () => {
    return way.total() === 0 ? true : `${way.total()} are held`;
  });
}
