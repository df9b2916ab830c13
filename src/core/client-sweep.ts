/** What a coarse timer looks after at every client: stalls, brokers that are gone, the second idle level, shutdown. */
import { BOOTSTRAP } from '../contract/topology.ts';
import { watchOutput } from './client-progress.ts';
import type { Listeners } from './listeners.ts';
import type { RouteOptions } from './options.ts';
import type { RouteClient } from './route-client.ts';

/** A client that was silent for so long gives its read buffer back. */
const RELAX_AFTER_MILLISECONDS = 1000;
/** As long as clients wait for an answer of their own. */
const BLOCKED_AT_MOST_MILLISECONDS = 30_000;

export interface ClientSurroundings {
  readonly options: RouteOptions;
  readonly listeners: Listeners;
  /** False during shutdown. */
  readonly accepting: boolean;
}

/** @param now the injected clock's milliseconds */
export function sweepClient(
  client: RouteClient,
  now: number,
  { options, listeners, accepting }: ClientSurroundings,
): void {
  watchOutput(client, now);
  if (client.stalledSince + options.limits.clientStallSeconds * 1000 < now) {
    client.close('stalled', 'silent in the middle of a frame for limits.clientStallSeconds', 'reset');
    return;
  }
  if (now - client.blockedSince > BLOCKED_AT_MOST_MILLISECONDS) {
    client.close('wait_timeout', 'its broker did not answer what had to be asked before its next request', 'reset');
    return;
  }
  if (!accepting) dismissIfQuiet(client);
  if (!mayCloseIdle(client)) return;
  if (now - client.lastInputTime >= RELAX_AFTER_MILLISECONDS) client.wire.relax();
  if (client.listener !== BOOTSTRAP && !listeners.has(client.listener)) {
    client.close('broker_removed', `broker ${client.listener} is no longer part of the cluster`, 'end');
  } else if (options.clientMaxIdleSeconds > 0) {
    const idle = now - (client.lastWorkTime ?? client.createTime);
    if (idle >= options.clientMaxIdleSeconds * 1000)
      client.close('idle', 'no valid data for clientMaxIdleSeconds', 'end');
  }
}

/** Nothing is under way; a connection that a client is bound to goes with it, and only so. */
export function mayCloseIdle(client: RouteClient): boolean {
  return client.state === 'idle' || (client.pinnedHard && client.quiet);
}

/** Says goodbye at shutdown, unless something is under way. */
export function dismissIfQuiet(client: RouteClient): void {
  if (client.quiet) client.close('shutdown', 'shutdown', 'end');
}
