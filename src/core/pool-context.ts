/** What a pool needs from its route, and what it tells it. */
import type { ProtocolRoute } from '../contract/protocol.ts';
import type { DialFailure, ReleaseReason } from '../contract/reasons.ts';
import type { Topology } from '../contract/topology.ts';
import type { Clock } from './clock.ts';
import type { RouteOptions } from './options.ts';
import type { Pool } from './pool.ts';
import type { Waiter } from './tenant.ts';
import type { Upstream } from './upstream.ts';
import type { Network } from './wire.ts';

export interface PoolContext {
  readonly clock: Clock;
  readonly network: Network;
  readonly options: RouteOptions;
  readonly protocol: ProtocolRoute;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  nextUpstreamId(): string;
  /** Some client of the route is open. */
  clientsOpen(): boolean;
  dialled(upstream: Upstream, pool: Pool, wasAsleep: boolean): void;
  dialFailed(upstream: Upstream, pool: Pool, failure: DialFailure, detail: string, retrySeconds: number): void;
  /** A broker did not take its login. True: another one took over, and the pool is retired. */
  refused(pool: Pool, failure: DialFailure, detail: string): boolean;
  /** All addresses of the pool failed; those who wait are about to be refused. */
  unreachable(pool: Pool, wasReachable: boolean, failure: DialFailure): void;
  /** Dials stopped, for nobody has asked for long. */
  gaveUp(pool: Pool): void;
  /** An upstream broke that we did not close: what was cached is void. */
  lost(): void;
  /** The same, once its tenant was told and the pool's own dial, if it needs one, was started. */
  lostSome(pool: Pool): void;
  released(upstream: Upstream, pool: Pool, reason: ReleaseReason, detail: string, wasOpen: boolean): void;
  /** The socket of one of its upstreams is gone. */
  closed(pool: Pool): void;
  /** A rule of ours was broken while a broker's bytes were dealt with. */
  violated(detail: string): void;
  named(topology: Topology): void;
  /** A client got its upstream after so many milliseconds in the queue. */
  waited(milliseconds: number): void;
  /** A client has waited for a while. */
  waiting(pool: Pool, waiter: Waiter): void;
}
