/** Whether anything of a client's is under way, and since when nothing of it has moved. */
import type { Client } from './client.ts';
import type { RouteClient } from './route-client.ts';

/** A request has begun to arrive and is not complete; what it waits for is not ours. */
function inRequest({ sending, relay, upstream }: Client): boolean {
  return sending || (relay.holding && relay.incomplete && (upstream?.session.owed ?? 0) === 0);
}

/** Since when it keeps us waiting in the middle of a frame, either way; infinity if it does not. */
export function stalledSince(client: Client): number {
  if (client.wire.pending) return Math.max(client.lastInputTime, client.lastOutputTime);
  return inRequest(client) && !client.relay.paused ? client.lastInputTime : Number.POSITIVE_INFINITY;
}

/** Nothing is under way, neither way; an opaque stream says nothing about that. */
export function isQuiet({ state, sending, relay, upstream, opaque }: Client): boolean {
  if (state === 'closed' || state === 'waiting' || sending || relay.holding) return false;
  return upstream === null || (upstream.session.owed === 0 && !upstream.session.unfenced && !opaque);
}

/** Notes whether it took some of what it is sent, however slowly. */
export function watchOutput(client: RouteClient, now: number): void {
  const unsent = client.wire.pending ? client.wire.unsentBytes : 0;
  if (unsent < client.unsentBytes) client.lastOutputTime = now;
  client.unsentBytes = unsent;
}
