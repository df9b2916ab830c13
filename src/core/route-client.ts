/** A socket of the application, as its route, the coarse timer and the views see it. */
import type { ClientSession } from '../contract/protocol.ts';
import type { CloseReason } from '../contract/reasons.ts';
import type { Upstream } from './upstream.ts';
import type { Wire } from './wire.ts';

export type ClientState = 'idle' | 'waiting' | 'attached' | 'closed';

export interface RouteClient {
  readonly id: string;
  /** The listener it came in by: a node, or BOOTSTRAP. */
  readonly listener: string;
  /** The broker of its requests. */
  node: string | null;
  readonly session: ClientSession;
  readonly wire: Wire;
  readonly state: ClientState;
  /** It goes with the connection that it is bound to. */
  readonly pinnedHard: boolean;
  readonly createTime: number;
  readonly lastWorkTime: number | null;
  readonly lastInputTime: number;
  /** When it took something of what it is sent, or nothing of that was under way. */
  lastOutputTime: number;
  unsentBytes: number;
  /** Since when it keeps us waiting in the middle of a frame, either way; infinity if it does not. */
  readonly stalledSince: number;
  /** Since when its next request has waited for what its broker was asked before; infinity if it does not. */
  readonly blockedSince: number;
  /** Nothing is under way, neither way; an opaque stream says nothing about that. */
  readonly quiet: boolean;
  /** The connections that it holds, or that know something of its. */
  readonly upstreams: readonly Upstream[];
  close(reason: CloseReason, detail: string, manner: 'end' | 'reset' | 'gone'): void;
}

/** What the others free must not be lent to those who wait. */
export function waitingFirst(clients: readonly RouteClient[]): RouteClient[] {
  const isWaiting = ({ state }: RouteClient): boolean => state === 'waiting';
  return [...clients.filter(isWaiting), ...clients.filter((client) => !isWaiting(client))];
}
