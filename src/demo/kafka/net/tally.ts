/** Counts connections: how many are open, were open at most, and were accepted in all. */
export class Tally {
  #open = 0;
  #peak = 0;
  #accepted = 0;

  get open(): number {
    return this.#open;
  }
  /** Since the start, or since `resetPeak`. */
  get peak(): number {
    return this.#peak;
  }
  get accepted(): number {
    return this.#accepted;
  }

  opened(): void {
    this.#accepted += 1;
    this.#open += 1;
    this.#peak = Math.max(this.#peak, this.#open);
  }

  closed(): void {
    this.#open -= 1;
  }

  resetPeak(): void {
    this.#peak = this.#open;
  }
}
