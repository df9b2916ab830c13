/** The ports on which brokers are served: those of the configuration, else counted from a base in order of learning. */

const LARGEST_PORT = 65_535;

export class LocalPorts {
  readonly #base: number | undefined;
  /** By `host:port`. */
  readonly #given: Readonly<Record<string, number>>;
  readonly #taken: ReadonlySet<number>;
  readonly #learnt = new Map<string, number>();
  #next: number;

  constructor(base: number | undefined, given: Readonly<Record<string, number>>) {
    this.#base = base;
    this.#given = given;
    this.#taken = new Set(Object.values(given));
    this.#next = base ?? 0;
  }

  /** @returns the port, the same one every time, or what is wrong and which key to change */
  of(node: string): number | { readonly fault: string } {
    const known = Object.hasOwn(this.#given, node) ? this.#given[node] : this.#learnt.get(node);
    if (known !== undefined) return known;
    if (this.#base === undefined) {
      return { fault: `broker ${node} has no port: add it to brokers.ports, or set brokers.portBase` };
    }
    while (this.#taken.has(this.#next)) this.#next += 1;
    if (this.#next > LARGEST_PORT) {
      return {
        fault: `no port from brokers.portBase ${this.#base} on is left for broker ${node}: choose a lower base`,
      };
    }
    this.#learnt.set(node, this.#next);
    this.#next += 1;
    return this.#next - 1;
  }
}
