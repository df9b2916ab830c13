/** Something to wait at while it is shut. */
export class Gate {
  readonly #waiting = new Set<() => void>();
  #isShut = false;

  get isShut(): boolean {
    return this.#isShut;
  }

  shut(): void {
    this.#isShut = true;
  }

  open(): void {
    this.#isShut = false;
    for (const pass of this.#waiting) pass();
    this.#waiting.clear();
  }

  /** Resolves once it is open, or `signal` aborts. */
  async pass(signal: AbortSignal): Promise<void> {
    while (this.#isShut && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const go = (): void => {
          signal.removeEventListener('abort', go);
          this.#waiting.delete(go);
          resolve();
        };
        this.#waiting.add(go);
        signal.addEventListener('abort', go);
      });
    }
  }
}
