/** The answers owed on one connection, in order: integers in a ring, no object a request. */

/** Whose request it was. The tenant's answers are delivered, ours are not. */
export const Owner = { tenant: 0, versions: 1, topology: 2, ping: 3, refresh: 4, sasl: 5 } as const;
export type Owner = (typeof Owner)[keyof typeof Owner];

const FIELDS = 4;
const FIRST_CAPACITY = 8;
const WORK = 0x100;
const HOLD = 0x200;

export class InFlight {
  #ring = new Int32Array(FIRST_CAPACITY * FIELDS);
  #head = 0;
  #size = 0;
  #holds = 0;

  get size(): number {
    return this.#size;
  }
  get holds(): number {
    return this.#holds;
  }

  push(
    correlationId: number,
    apiKey: number,
    version: number,
    owner: Owner,
    work: boolean,
    hold: boolean,
    patience: number,
  ): void {
    const capacity = this.#ring.length / FIELDS;
    if (this.#size === capacity) this.#grow(capacity);
    const at = ((this.#head + this.#size) % (this.#ring.length / FIELDS)) * FIELDS;
    this.#ring[at] = correlationId;
    this.#ring[at + 1] = (apiKey << 16) | version;
    this.#ring[at + 2] = owner | (work ? WORK : 0) | (hold ? HOLD : 0);
    this.#ring[at + 3] = patience;
    this.#size += 1;
    if (hold) this.#holds += 1;
  }

  #grow(capacity: number): void {
    const larger = new Int32Array(2 * capacity * FIELDS);
    const first = this.#head * FIELDS;
    larger.set(this.#ring.subarray(first));
    larger.set(this.#ring.subarray(0, first), this.#ring.length - first);
    this.#ring = larger;
    this.#head = 0;
  }

  #field(index: number): number {
    return this.#ring[this.#head * FIELDS + index] ?? 0;
  }

  // --- the oldest ---------------------------------------------------------------------------------------------

  get correlationId(): number {
    return this.#field(0);
  }
  get apiKey(): number {
    return this.#field(1) >>> 16;
  }
  get version(): number {
    return this.#field(1) & 0xffff;
  }
  get owner(): Owner {
    return (this.#field(2) & 0xff) as Owner;
  }
  get work(): boolean {
    return (this.#field(2) & WORK) !== 0;
  }

  shift(): void {
    if ((this.#field(2) & HOLD) !== 0) this.#holds -= 1;
    this.#head = (this.#head + 1) % (this.#ring.length / FIELDS);
    this.#size -= 1;
  }

  /** Milliseconds that the most patient of them allows the broker. */
  get patienceMilliseconds(): number {
    let most = 0;
    const capacity = this.#ring.length / FIELDS;
    for (let index = 0; index < this.#size; index += 1) {
      most = Math.max(most, this.#ring[((this.#head + index) % capacity) * FIELDS + 3] ?? 0);
    }
    return most;
  }
}
