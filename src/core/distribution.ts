/** Counts of observations in fixed ranges: a histogram cheap enough for the hot path. */
export class Distribution {
  /** Upper bounds, ascending; observations beyond the last are only in `count`. */
  readonly bounds: readonly number[];
  /** Observations in each range, not cumulated. */
  readonly counts: number[];
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.sum += value;
    this.count += 1;
    const index = this.bounds.findIndex((bound) => value <= bound);
    if (index >= 0) this.counts[index] = (this.counts[index] ?? 0) + 1;
  }
}
