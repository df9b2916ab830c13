/** Producers that send once a second, fall silent, and wake up. */
import { setTimeout as pause } from 'node:timers/promises';
import { ConnectionWatch, type Peak } from '../../connection-watch.ts';
import type { PulsarFleet, PulsarFleetReport } from '../pulsar-fleet.ts';
import type { PulsarWay } from '../pulsar-way.ts';

export interface PulsarSteady {
  readonly starting: Peak;
  readonly settled: Peak;
  readonly report: PulsarFleetReport;
  /** When the last message was acknowledged, as of `performance.now()`. */
  readonly lastWork: number;
}

/** Opens the fleet and has every producer send once a second; the peak until `settledAfterSeconds` is told apart. */
export async function produceSteadily(
  fleet: PulsarFleet,
  way: PulsarWay,
  options: { readonly seconds: number; readonly settledAfterSeconds: number },
): Promise<PulsarSteady> {
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

export interface PulsarSleep {
  /** From the last work until no broker held a connection; null if one was still there in the end. */
  readonly secondsToZero: number | null;
  readonly connectionsLeft: number;
  /** The most connections seen once there were none. */
  readonly peakAsleep: number;
  /** Connections times the seconds that they were held in that time. */
  readonly connectionSecondsAsleep: number;
  /** Sockets of clients at the sidecar, before and after; of the direct way: at the brokers. */
  readonly clientSockets: { readonly before: number; readonly after: number };
  /** What clients logged at `warn` and above, or were told. */
  readonly complaints: readonly string[];
}

/** @param options how long to wait for the last connection to go, and how long to look on after that */
export async function fallAsleep(
  fleet: PulsarFleet,
  way: PulsarWay,
  options: { readonly lastWork: number; readonly withinSeconds: number; readonly quietSeconds: number },
): Promise<PulsarSleep> {
  const sockets = () => (way.through === 'sidecar' ? way.sidecar.clientSockets() : way.total());
  const before = sockets();
  const deadline = options.lastWork + options.withinSeconds * 1000;
  while (way.total() > 0 && performance.now() < deadline) await pause(50);
  const connectionsLeft = way.total();
  const secondsToZero = connectionsLeft > 0 ? null : (performance.now() - options.lastWork) / 1000;
  const watch = new ConnectionWatch(way);
  await pause(options.quietSeconds * 1000);
  watch.stop();
  return {
    secondsToZero,
    connectionsLeft,
    peakAsleep: watch.peak().total,
    connectionSecondsAsleep: watch.connectionSeconds(),
    clientSockets: { before, after: sockets() },
    complaints: fleet.complaints(),
  };
}
