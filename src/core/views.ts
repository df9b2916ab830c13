/** Snapshots of the core for those who look at it: the admin listener, the metrics, the command line. */
import type { Registration } from '../contract/multiplexing.ts';
import type { PinReason } from '../contract/reasons.ts';
import type { Distribution } from './distribution.ts';

export const UPSTREAM_STATES = ['dialing', 'using', 'idle_marked', 'before_release', 'released'] as const;
export type UpstreamState = (typeof UPSTREAM_STATES)[number];

/** `parked` is derived: an idle client whose pool is asleep. */
export const CLIENT_STATES = ['idle', 'waiting', 'attached', 'parked'] as const;
export type ClientStateView = (typeof CLIENT_STATES)[number];

export interface UpstreamView {
  readonly id: string;
  readonly route: string;
  readonly broker: string;
  /** Whose it is: a user of `listenSasl`; '' for the route's own. */
  readonly identity: string;
  readonly address: string;
  readonly state: UpstreamState;
  /** Which budget it counts against. `pool` is within `pool.maxConnectionsPerBroker`, the others are not. */
  readonly budget: 'pool' | 'held' | 'pinned' | 'muted';
  /** Why it is open, as a short sentence. */
  readonly why: string;
  readonly ageSeconds: number;
  /** Since the last valid data; null if it never carried any. */
  readonly lastWorkSecondsAgo: number | null;
  /** Null: none, or several. */
  readonly client: string | null;
  /** How many clients use it, or have something open there. */
  readonly tenants: number;
  /** What it may be used for; '' where all serve all. */
  readonly purpose: string;
  readonly pins: readonly PinReason[];
  readonly owed: number;
  /** If nothing happens meanwhile, the detector lets it go between these; null while it is in use or never would. */
  readonly releaseInSeconds: { readonly earliest: number; readonly latest: number } | null;
  readonly condemned: boolean;
}

/** What a client has open at a broker, and over which connection; null: none knows of it now. */
export interface RegistrationView extends Omit<Registration, 'purpose'> {
  readonly upstream: string | null;
}

export interface ClientView {
  readonly id: string;
  readonly route: string;
  /** The listener it came in by: a node, or `bootstrap`. */
  readonly listener: string;
  /** The broker that its requests go to; null while a bootstrap client has not needed one. */
  readonly broker: string | null;
  /** The user that it authenticated as; '' if it did not. */
  readonly identity: string;
  readonly remote: string;
  readonly state: ClientStateView;
  /** Why it is in this state, as a short sentence. */
  readonly why: string;
  readonly pins: readonly PinReason[];
  readonly upstream: string | null;
  /** What it has open at brokers, where they know of single producers and consumers. */
  readonly registrations: readonly RegistrationView[];
  readonly ageSeconds: number;
  readonly lastWorkSecondsAgo: number | null;
  /** When `clientMaxIdleSeconds` closes it if it stays quiet; null if never. */
  readonly closesInSeconds: number | null;
}

export interface BrokerView {
  readonly broker: string;
  /** As advertised by the cluster. */
  readonly address: string;
  /** Where applications reach it; null if its listener is closed or cannot be bound. */
  readonly local: string | null;
  readonly state: 'awake' | 'asleep' | 'down';
  readonly upstreams: number;
  readonly waiters: number;
}

/** With whom a client shares broker connections: all of its route, those of its user, or nobody. */
export type Sharing = 'route' | 'user' | 'none';

export interface RouteView {
  readonly name: string;
  readonly protocol: string;
  readonly listen: string;
  readonly sharing: Sharing;
  /** The topology was learnt at least once. */
  readonly learnt: boolean;
  readonly clusterId: string | null;
  readonly bootstrap: readonly string[];
  readonly brokers: readonly BrokerView[];
  readonly clients: Readonly<Record<ClientStateView, number>>;
  readonly upstreams: Readonly<Record<UpstreamState, number>>;
  readonly connectionsSaved: { readonly reaping: number; readonly sharing: number };
}

/** Figures that the metrics read at every scrape; plain numbers, kept by the core as it goes. */
export interface RouteFigures {
  readonly clientsPinned: Readonly<Record<PinReason, number>>;
  /** By broker and state. */
  readonly upstreams: ReadonlyMap<string, Readonly<Record<UpstreamState, number>>>;
  readonly waiters: number;
  readonly bytesFromClients: number;
  readonly bytesToClients: number;
  readonly reaped: number;
  /** Unix seconds; 0 if the detector has not run yet. */
  readonly detectorLastRunSeconds: number;
  readonly leaseWaitSeconds: Distribution;
  readonly resumeSeconds: Distribution;
  /** By broker. */
  readonly stalledSeconds: ReadonlyMap<string, number>;
  readonly requests: ReadonlyMap<string, number>;
  readonly absorbed: ReadonlyMap<string, number>;
}

export interface ReapRequest {
  /** Only upstreams without valid data for at least so long; default 0: every quiet one. */
  readonly olderThanSeconds: number;
  readonly dryRun: boolean;
}

export interface ReapReport {
  /** Those that were quiet for long enough. */
  readonly chosen: readonly string[];
  readonly matched: number;
  readonly released: number;
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
  readonly failed: number;
}

/** What an operator can see of and do to one route. */
export interface RouteControl {
  readonly name: string;
  view(): RouteView;
  figures(): RouteFigures;
  upstreams(): UpstreamView[];
  clients(): ClientView[];
  reap(request: ReapRequest): Promise<ReapReport>;
  /** Condemns: closes once free; with `force` at once. False if there is no such upstream. */
  condemnUpstream(id: string, force: boolean): boolean;
  /** False if there is no such client. */
  closeClient(id: string): boolean;
}
