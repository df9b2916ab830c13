/** Until when a connection may be lent: we limit its age, and the broker its session. */
import type { ReleaseReason } from '../contract/reasons.ts';

/** KIP-368: a broker closes the connection at the first request behind the end, so it is left some time before. */
const EARLIEST_SHARE = 0.85;
const LATEST_SHARE = 0.95;
/** What a request may take to reach a broker that is at work, however short the session. */
const LEAST_SPARE_MILLISECONDS = 1000;

export interface Expiry {
  readonly reason: ReleaseReason;
  readonly detail: string;
}

const TOO_OLD: Expiry = { reason: 'max_age', detail: 'older than pool.maxConnectionAgeSeconds' };
const SESSION_OVER: Expiry = {
  reason: 'session_expired',
  detail: 'the session that the broker granted is nearly over',
};

/** Times are milliseconds of the injected clock. */
export class Lifetime {
  readonly #startTime: number;
  readonly #ageEnd: number;
  #sessionEnd = Number.POSITIVE_INFINITY;

  constructor(startTime: number, maxAgeMilliseconds: number) {
    this.#startTime = startTime;
    this.#ageEnd = startTime + maxAgeMilliseconds;
  }

  /** The session began no earlier than the connection. @param random uniform in [0, 1) */
  limitSession(milliseconds: number, random: number): void {
    if (milliseconds <= 0) return;
    const share = EARLIEST_SHARE + (LATEST_SHARE - EARLIEST_SHARE) * random;
    const spare = Math.max(milliseconds * (1 - share), Math.min(LEAST_SPARE_MILLISECONDS, milliseconds / 2));
    this.#sessionEnd = this.#startTime + milliseconds - spare;
  }

  /** Whether there is an end at which even a tenant must leave. */
  get limited(): boolean {
    return this.#sessionEnd !== Number.POSITIVE_INFINITY;
  }

  /** Not one more request. */
  sessionOver(now: number): boolean {
    return this.#sessionEnd <= now;
  }

  /** Why it is not lent any more; undefined if it is. */
  expiry(now: number): Expiry | undefined {
    if (this.#sessionEnd <= now) return SESSION_OVER;
    return this.#ageEnd <= now ? TOO_OLD : undefined;
  }
}
