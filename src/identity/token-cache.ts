/**
 * A token that is fetched when somebody dials and kept as long as it is good: without dials nobody is asked for one, so
 * the one who gives them sleeps when the brokers do. All who need it at the same time share one request.
 */
import type { Secret } from '../contract/credential.ts';
import type { Clock } from '../core/clock.ts';
import { LoginError } from '../core/login.ts';
import type { FetchedToken } from './token.ts';

/** From this share of its life on, with jitter, the next dial fetches another one. */
const EARLIEST_SHARE = 0.8;
const LATEST_SHARE = 0.9;
/** How long one request may take. */
const TIMEOUT_MILLISECONDS = 10_000;
/** So long before its end it counts as expired: it has a way to go. */
const MARGIN_MILLISECONDS = 2000;

interface Pause {
  readonly firstMilliseconds: number;
  readonly largestMilliseconds: number;
}
const UNREACHED: Pause = { firstMilliseconds: 1000, largestMilliseconds: 60_000 };
/** Accounts are locked after a few wrong secrets. */
const REFUSED: Pause = { firstMilliseconds: 10_000, largestMilliseconds: 300_000 };

/** Whoever gives tokens has answered, and does not give us one. */
export class TokenRefusedError extends LoginError {}

export interface TokenCacheParts {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Where tokens come from, for messages. */
  readonly origin: string;
  /** Rejects with a LoginError. @param signal nobody waits any more */
  fetch(signal: AbortSignal): Promise<FetchedToken>;
}

interface Held {
  readonly token: Secret;
  readonly refreshTime: number;
  readonly endTime: number;
}

export class TokenCache {
  readonly #parts: TokenCacheParts;
  #held: Held | null = null;
  #request: Promise<Secret> | null = null;
  #failures = 0;
  #pausedUntil = 0;
  #error: LoginError | null = null;

  constructor(parts: TokenCacheParts) {
    this.#parts = parts;
  }

  /**
   * One that is good now: at once if it is at hand.
   *
   * @throws {LoginError} or rejects with one
   */
  token(): Secret | Promise<Secret> {
    const now = this.#parts.clock.now();
    if (this.#held !== null && now < this.#held.refreshTime) return this.#held.token;
    if (this.#request === null && this.#error !== null && now < this.#pausedUntil) {
      const good = this.#good();
      if (good !== null) return good;
      throw this.#error;
    }
    this.#request ??= this.#fetch(now).finally(() => {
      this.#request = null;
    });
    return this.#request.catch((error: unknown) => {
      const good = this.#good();
      if (good !== null) return good;
      throw error;
    });
  }

  /** The one at hand, if it is not expired: better than none. */
  #good(): Secret | null {
    return this.#held !== null && this.#parts.clock.now() < this.#held.endTime ? this.#held.token : null;
  }

  async #fetch(startTime: number): Promise<Secret> {
    const { random, origin } = this.#parts;
    try {
      const { token, lifeMilliseconds } = await this.#inTime();
      const life = lifeMilliseconds ?? 0;
      if (lifeMilliseconds !== null && life <= MARGIN_MILLISECONDS) {
        throw new LoginError(`${origin} has given a token that has expired: compare the clocks`);
      }
      this.#failures = 0;
      this.#error = null;
      const share = EARLIEST_SHARE + (LATEST_SHARE - EARLIEST_SHARE) * random();
      this.#held = { token, refreshTime: startTime + life * share, endTime: startTime + life - MARGIN_MILLISECONDS };
      return token;
    } catch (error) {
      const failed = error instanceof LoginError ? error : new LoginError(`${origin} has given no token`);
      const { firstMilliseconds, largestMilliseconds } = failed instanceof TokenRefusedError ? REFUSED : UNREACHED;
      const longest = Math.min(largestMilliseconds, firstMilliseconds * 2 ** Math.min(this.#failures, 16));
      this.#failures += 1;
      this.#error = failed;
      this.#pausedUntil = this.#parts.clock.now() + longest * (0.5 + random() / 2);
      throw failed;
    }
  }

  #inTime(): Promise<FetchedToken> {
    const { clock, fetch, origin } = this.#parts;
    const abort = new AbortController();
    return new Promise((resolve, reject) => {
      const timer = clock.after(TIMEOUT_MILLISECONDS, () => {
        reject(new LoginError(`${origin} has given no token within ${TIMEOUT_MILLISECONDS} ms`));
        abort.abort();
      });
      fetch(abort.signal)
        .then(resolve, reject)
        .finally(() => timer.cancel());
    });
  }
}
