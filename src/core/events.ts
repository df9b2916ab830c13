/** What the core tells whoever listens. The core never waits for a listener and never depends on one. */
import type { CloseReason, DialFailure, ReleaseReason } from '../contract/reasons.ts';

export type CoreEvent =
  | {
      readonly type: 'client.connected';
      readonly route: string;
      readonly broker: string;
      readonly client: string;
      /** Where it comes from, `host:port`. */
      readonly remote: string;
    }
  | {
      readonly type: 'client.disconnected';
      readonly route: string;
      readonly broker: string;
      readonly client: string;
      readonly remote: string;
      readonly reason: CloseReason;
      readonly detail: string;
      readonly ageSeconds: number;
    }
  | { readonly type: 'pool.asleep'; readonly route: string; readonly broker: string }
  | {
      readonly type: 'pool.awake';
      readonly route: string;
      readonly broker: string;
      readonly dialSeconds: number;
      /** How many clients waited for it. */
      readonly clients: number;
    }
  | {
      readonly type: 'upstream.connected';
      readonly route: string;
      readonly broker: string;
      readonly identity: string;
      readonly upstream: string;
      readonly address: string;
      readonly dialSeconds: number;
    }
  | {
      readonly type: 'upstream.dial_failed';
      readonly route: string;
      readonly broker: string;
      /** '' for the route's own. */
      readonly identity: string;
      readonly address: string;
      readonly reason: DialFailure;
      readonly detail: string;
      readonly retrySeconds: number;
    }
  /** Told by the coarse timer once an upstream has been quiet for about a second, not at every release. */
  | {
      readonly type: 'upstream.idle_marked';
      readonly route: string;
      readonly broker: string;
      readonly upstream: string;
      readonly ageSeconds: number;
    }
  | {
      readonly type: 'upstream.released';
      readonly route: string;
      readonly broker: string;
      readonly upstream: string;
      readonly reason: ReleaseReason;
      readonly detail: string;
      readonly ageSeconds: number;
      /** Since the last valid data; null if it never carried any. */
      readonly idleSeconds: number | null;
      /** False if the connection was never opened. */
      readonly opened: boolean;
    }
  /** Told once a client has waited for at least 100 ms, not for every short wait. */
  | {
      readonly type: 'lease.waiting';
      readonly route: string;
      readonly broker: string;
      readonly client: string;
      readonly ageSeconds: number;
      readonly waiters: number;
    }
  | {
      readonly type: 'broker.changed';
      readonly route: string;
      readonly broker: string;
      readonly change: 'added' | 'moved' | 'removed' | 'down' | 'up';
      readonly address: string;
      /** Where applications reach it, or '' while they cannot. */
      readonly local: string;
    }
  /** A newer login of an identity was read from its files, taken or refused by a broker, or could not be read. */
  | {
      readonly type: 'identity.changed';
      readonly route: string;
      readonly identity: string;
      readonly change: 'read' | 'accepted' | 'refused' | 'unreadable';
      readonly detail: string;
    }
  | { readonly type: 'listener.bind_failed'; readonly route: string; readonly broker: string; readonly detail: string }
  | { readonly type: 'invariant.violated'; readonly route: string; readonly detail: string };

export type Observer = (event: CoreEvent) => void;
