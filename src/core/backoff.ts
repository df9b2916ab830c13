/** Exponential back-off with full jitter: many sidecars that lost one broker must not come back in step. */
const FIRST_MILLISECONDS = 100;
const LARGEST_MILLISECONDS = 10_000;

export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  /** @param random uniform in [0, 1) */
  constructor(random: () => number) {
    this.#random = random;
  }

  get failures(): number {
    return this.#failures;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  /** Counts a failure; answers how many milliseconds to wait before the next try. */
  failed(): number {
    const ceiling = Math.min(LARGEST_MILLISECONDS, FIRST_MILLISECONDS * 2 ** Math.min(this.#failures, 16));
    this.#failures += 1;
    return this.#random() * ceiling;
  }
}
