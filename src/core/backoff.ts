/** Exponential back-off with jitter: many sidecars that lost one broker must not come back in step. */

export interface BackoffBounds {
  readonly firstMilliseconds: number;
  readonly largestMilliseconds: number;
  /** The share of each wait that is not left to chance; 0: full jitter. */
  readonly least: number;
}

const QUICK: BackoffBounds = { firstMilliseconds: 100, largestMilliseconds: 10_000, least: 0 };

export class Backoff {
  readonly #random: () => number;
  readonly #bounds: BackoffBounds;
  #failures = 0;

  /** @param random uniform in [0, 1) */
  constructor(random: () => number, bounds: BackoffBounds = QUICK) {
    this.#random = random;
    this.#bounds = bounds;
  }

  get failures(): number {
    return this.#failures;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  /** Counts a failure; answers how many milliseconds to wait before the next try. */
  failed(): number {
    const { firstMilliseconds, largestMilliseconds, least } = this.#bounds;
    const ceiling = Math.min(largestMilliseconds, firstMilliseconds * 2 ** Math.min(this.#failures, 16));
    this.#failures += 1;
    return ceiling * (least + (1 - least) * this.#random());
  }
}
