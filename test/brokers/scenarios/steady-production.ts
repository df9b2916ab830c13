/** Producers that send once a second hold few broker connections. */
import { setTimeout as pause } from 'node:timers/promises';
import { ConnectionWatch, type Peak } from '../connection-watch.ts';
import type { Fleet, FleetReport } from '../fleet.ts';
import type { Way } from '../way.ts';

export interface SteadyOptions {
  readonly seconds: number;
  /** The peak until so many seconds after every client was opened is told apart as that of starting. */
  readonly settledAfterSeconds: number;
}

export interface SteadyOutcome {
  readonly starting: Peak;
  readonly settled: Peak;
  readonly report: FleetReport;
  /** When the last message was acknowledged, as of `performance.now()`. */
  readonly lastWork: number;
}

/** Opens the fleet and has every client send once a second. */
export async function produceSteadily(fleet: Fleet, way: Way, options: SteadyOptions): Promise<SteadyOutcome> {
  const watch = new ConnectionWatch(way);
  try {
    const begun = performance.now();
    await fleet.open(way);
    await fleet.start(options.seconds, 1000);
    const settled = performance.now() + options.settledAfterSeconds * 1000;
    await pause(Math.max(0, settled - performance.now()));
    const report = await fleet.finish(false, options.seconds * 1000 + 60_000);
    const lastWork = performance.now();
    return { starting: watch.peak(begun, settled), settled: watch.peak(settled, lastWork), report, lastWork };
  } finally {
    watch.stop();
  }
}
