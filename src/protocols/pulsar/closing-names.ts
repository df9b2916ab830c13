/**
 * Names of producers that are being closed, of all connections of a route: a producer of such a name can be opened only
 * once that was answered, or a broker would say that there is one.
 */
export class ClosingNames {
  readonly #names = new Map<string, { closes: number; readonly waiting: Set<unknown> }>();

  begin(name: string): void {
    const known = this.#names.get(name);
    if (known === undefined) this.#names.set(name, { closes: 1, waiting: new Set() });
    else known.closes += 1;
  }

  /** True: it is told by `end` when to ask again. */
  mustWait(name: string, waiter: unknown): boolean {
    const known = this.#names.get(name);
    known?.waiting.add(waiter);
    return known !== undefined;
  }

  /** One of them was answered, or its connection is gone. Answers those who waited and need no longer. */
  end(name: string): unknown[] {
    const known = this.#names.get(name);
    if (known === undefined) return [];
    known.closes -= 1;
    if (known.closes > 0) return [];
    this.#names.delete(name);
    return [...known.waiting];
  }
}
