/** Every timer of a cluster, so that none is left once it has stopped. */
export class Timers {
  readonly #pending = new Set<NodeJS.Timeout>();

  /** @returns a function that forgets it */
  after(milliseconds: number, then: () => void): () => void {
    const timer = setTimeout(() => {
      this.#pending.delete(timer);
      then();
    }, milliseconds);
    this.#pending.add(timer);
    return () => {
      this.#pending.delete(timer);
      clearTimeout(timer);
    };
  }

  /** Resolves after so long, or as soon as `signal` aborts. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const end = (): void => {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = this.after(milliseconds, end);
      signal.addEventListener('abort', end);
    });
  }

  get pending(): number {
    return this.#pending.size;
  }

  stop(): void {
    for (const timer of this.#pending) clearTimeout(timer);
    this.#pending.clear();
  }
}
