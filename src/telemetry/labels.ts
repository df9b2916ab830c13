/** Keeps the values of a label few: the first ones that are seen stay, all later ones become one value `other`. */
export const OTHER = 'other';

export class LabelBound {
  readonly #limit: number;
  readonly #known = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The value to use as label. */
  bound(value: string): string {
    if (this.#known.has(value)) return value;
    if (this.#known.size >= this.#limit) return OTHER;
    this.#known.add(value);
    return value;
  }
}

/** One bound a route, so that a route with many brokers takes nothing from another. */
export class LabelBounds {
  readonly #limit: number;
  readonly #routes = new Map<string, LabelBound>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  bound(route: string, value: string): string {
    let bound = this.#routes.get(route);
    if (bound === undefined) {
      bound = new LabelBound(this.#limit);
      this.#routes.set(route, bound);
    }
    return bound.bound(value);
  }
}
