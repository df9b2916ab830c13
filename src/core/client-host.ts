/** What a client needs from its route, and what it tells it. */
import type { CloseReason } from '../contract/reasons.ts';
import type { Client } from './client.ts';
import type { Clock } from './clock.ts';
import type { RouteOptions } from './options.ts';
import type { Pool } from './pool.ts';
import type { RouteClient } from './route-client.ts';

/** What both kinds of clients need. */
export interface CommonHost {
  readonly clock: Clock;
  readonly options: RouteOptions;
  /** `limits.clientStallSeconds`. */
  readonly stallMilliseconds: number;
  bytesFromClients: number;
  bytesToClients: number;
  /** The client's broker is reachable as far as we know. */
  mayAnswer(client: RouteClient): boolean;
  /** A rule of ours was broken while this client's bytes were dealt with. */
  violated(detail: string): void;
  clientClosed(client: RouteClient, reason: CloseReason, detail: string): void;
  /** A request that found its pool asleep was written upstream after so many milliseconds. */
  resumed(milliseconds: number): void;
}

export interface ClientHost extends CommonHost {
  /** Both directions of a stream end apart, and the bytes mean nothing to us. */
  readonly opaque: boolean;
  /**
   * The pool that the client's next request goes to; chooses a broker for a client of the bootstrap listener.
   *
   * @param toLearn it only waits until that broker was reached
   */
  poolFor(client: Client, toLearn: boolean): Pool;
}

export interface LaneHost extends CommonHost {
  /** The connections to that broker under that identity. */
  poolOf(node: string, identity: string): Pool;
}
