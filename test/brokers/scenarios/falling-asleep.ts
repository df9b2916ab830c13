/** Producers that fell silent hold no broker connection, send no byte, and notice nothing. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Fleet } from '../fleet.ts';
import type { Way } from '../way.ts';

export interface SleepOptions {
  /** When the last valid data passed, as of `performance.now()`. */
  readonly lastWork: number;
  /** How long to wait for the last connection to go. */
  readonly withinSeconds: number;
  /** How long to look on after that. */
  readonly quietSeconds: number;
}

export interface SleepOutcome {
  /** From the last work until no broker held a connection; null if one was still there in the end. */
  readonly secondsToZero: number | null;
  readonly connectionsLeft: number;
  /** While it was quiet, at all brokers. */
  readonly bytes: number;
  readonly dials: number;
  /** Sockets of clients at the sidecar, before and after; equal on the direct way by definition. */
  readonly clientSockets: { readonly before: number; readonly after: number };
  /** What clients logged at `warn` and above, or were told. */
  readonly complaints: readonly string[];
}

export async function fallAsleep(fleet: Fleet, way: Way, options: SleepOptions): Promise<SleepOutcome> {
  const sockets = () => (way.through === 'sidecar' ? way.sidecar.clientSockets() : way.total());
  const before = sockets();
  const deadline = options.lastWork + options.withinSeconds * 1000;
  while (way.total() > 0 && performance.now() < deadline) await pause(50);
  const connectionsLeft = way.total();
  const secondsToZero = connectionsLeft > 0 ? null : (performance.now() - options.lastWork) / 1000;
  const asleep = await way.cluster.figures(way.listener);
  await pause(options.quietSeconds * 1000);
  const then = await way.cluster.figures(way.listener);
  return {
    secondsToZero,
    connectionsLeft,
    bytes: then.bytesIn + then.bytesOut - asleep.bytesIn - asleep.bytesOut,
    dials: then.created - asleep.created,
    clientSockets: { before, after: sockets() },
    complaints: fleet.complaints(),
  };
}
