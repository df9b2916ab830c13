/**
 * Logins that brokers have refused. Users who are one account for the brokers share what is known of it: accounts are
 * locked after a few wrong passwords, whoever shows them.
 */
import { Backoff } from './backoff.ts';

/** It is not shown again for so long, and longer each time. */
const REFUSED = { firstMilliseconds: 10_000, largestMilliseconds: 300_000, least: 0.5 };
/** Behind its end; whoever comes later begins anew. */
const REMEMBERED_MILLISECONDS = 600_000;

interface Refusal {
  readonly backoff: Backoff;
  until: number;
}

/** Times are milliseconds of the injected clock. */
export class RefusedLogins {
  readonly #random: () => number;
  readonly #refusals = new Map<string, Refusal>();

  /** @param random uniform in [0, 1) */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** No broker has taken it since one refused it. */
  has(fingerprint: string): boolean {
    return this.#refusals.has(fingerprint);
  }

  /** A broker refused it; whoever showed it to others at the same time has counted already. */
  refuse(fingerprint: string, now: number): void {
    if (this.holdMilliseconds(fingerprint, now) > 0) return;
    this.#forget(now);
    const refusal = this.#refusals.get(fingerprint) ?? { backoff: new Backoff(this.#random, REFUSED), until: 0 };
    refusal.until = now + refusal.backoff.failed();
    this.#refusals.set(fingerprint, refusal);
  }

  accept(fingerprint: string): void {
    this.#refusals.delete(fingerprint);
  }

  /** For how long it must not be shown to any broker. */
  holdMilliseconds(fingerprint: string, now: number): number {
    return Math.max(0, (this.#refusals.get(fingerprint)?.until ?? 0) - now);
  }

  /** How many are remembered. */
  get size(): number {
    return this.#refusals.size;
  }

  #forget(now: number): void {
    for (const [fingerprint, { until }] of this.#refusals) {
      if (until + REMEMBERED_MILLISECONDS <= now) this.#refusals.delete(fingerprint);
    }
  }
}
