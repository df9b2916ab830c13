/**
 * Keeps one cause from flooding the log: the first line of a key is passed on at once, the others of the same
 * window are only counted, and the count is told when the window ends.
 */
import type { Clock } from '../core/clock.ts';

/** What of a clock is needed here. */
export type Timers = Pick<Clock, 'after'>;

/** Distinct keys that are watched at once; beyond it a line is passed on unlimited rather than lost. */
const MAX_KEYS = 1000;

export class BurstLimit {
  readonly #clock: Timers;
  readonly #windowMilliseconds: number;
  readonly #suppressed = new Map<string, number>();

  constructor(clock: Timers, windowMilliseconds: number) {
    this.#clock = clock;
    this.#windowMilliseconds = windowMilliseconds;
  }

  /**
   * @param summarize called at the end of the window with the number of lines held back, if there were any
   * @returns whether this line is to be written
   */
  admit(key: string, summarize: (count: number) => void): boolean {
    const count = this.#suppressed.get(key);
    if (count !== undefined) {
      this.#suppressed.set(key, count + 1);
      return false;
    }
    if (this.#suppressed.size >= MAX_KEYS) return true;
    this.#suppressed.set(key, 0);
    this.#clock.after(this.#windowMilliseconds, () => {
      const held = this.#suppressed.get(key) ?? 0;
      this.#suppressed.delete(key);
      if (held > 0) summarize(held);
    });
    return true;
  }
}
