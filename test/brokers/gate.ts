/** Opens once so many have arrived. */
export class Gate {
  readonly open: Promise<void>;
  readonly #unlock: () => void;
  #missing: number;

  constructor(expected: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.open = promise;
    this.#unlock = resolve;
    this.#missing = expected;
  }

  arrive(): void {
    this.#missing -= 1;
    if (this.#missing === 0) this.#unlock();
  }
}
