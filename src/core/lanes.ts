/** The lanes of one client, by node and purpose; found for every request, without a key that would have to be made. */
import type { Lane } from './lane.ts';

export class Lanes {
  readonly #nodes = new Map<string, Map<string, Lane>>();

  find(node: string, purpose: string): Lane | undefined {
    return this.#nodes.get(node)?.get(purpose);
  }

  add(lane: Lane): void {
    const lanes = this.#nodes.get(lane.node);
    if (lanes === undefined) this.#nodes.set(lane.node, new Map([[lane.purpose, lane]]));
    else lanes.set(lane.purpose, lane);
  }

  delete({ node, purpose }: Lane): void {
    const lanes = this.#nodes.get(node);
    lanes?.delete(purpose);
    if (lanes?.size === 0) this.#nodes.delete(node);
  }

  clear(): void {
    this.#nodes.clear();
  }

  *[Symbol.iterator](): Generator<Lane> {
    for (const lanes of this.#nodes.values()) yield* lanes.values();
  }
}
