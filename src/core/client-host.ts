/** What a client needs from its route, and what it tells it. */
import type { CloseReason } from '../contract/reasons.ts';
import type { Client } from './client.ts';
import type { Clock } from './clock.ts';
import type { RouteOptions } from './options.ts';
import type { Pool } from './pool.ts';

export interface ClientHost {
  readonly clock: Clock;
  readonly options: RouteOptions;
  /** Both directions of a stream end apart, and the bytes mean nothing to us. */
  readonly opaque: boolean;
  bytesFromClients: number;
  bytesToClients: number;
  /** The client's broker is reachable as far as we know. */
  mayAnswer(client: Client): boolean;
  /**
   * The pool that the client's next request goes to; chooses a broker for a client of the bootstrap listener.
   *
   * @param toLearn it only waits until that broker was reached
   */
  poolFor(client: Client, toLearn: boolean): Pool;
  /** A rule of ours was broken while this client's bytes were dealt with. */
  violated(detail: string): void;
  clientClosed(client: Client, reason: CloseReason, detail: string): void;
  /** A request that found its pool asleep was written upstream after so many milliseconds. */
  resumed(milliseconds: number): void;
}
