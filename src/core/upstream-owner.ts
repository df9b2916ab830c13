/** Whom an upstream tells what became of it; that is its pool. */
import type { DialFailure, ReleaseReason } from '../contract/reasons.ts';
import type { Topology } from '../contract/topology.ts';
import type { Upstream } from './upstream.ts';

/** A request of our own that occupies the connection, if any. */
export type Errand = 'none' | 'check' | 'fence' | 'refresh' | 'park';

/** Whom an upstream tells what became of it. Told after the bytes of one read were dealt with, never in between. */
export interface UpstreamOwner {
  opened(upstream: Upstream): void;
  /** Nothing is owed and nothing else keeps it: it may be lent again. */
  quiet(upstream: Upstream): void;
  named(topology: Topology): void;
  /** The broker wants to be shown a credential once more. */
  authenticate(upstream: Upstream): void;
  /** A rule of ours was broken while its bytes were dealt with. */
  violated(detail: string): void;
  /** The connection must go; the owner calls `release`. */
  broken(upstream: Upstream, reason: ReleaseReason, detail: string, failure?: DialFailure): void;
  /** The socket is gone and its slot free. */
  closed(upstream: Upstream): void;
}
