/** What is known of a cluster: its brokers, where they are, and which of them have gone missing. */
import type { BrokerNode, Topology } from '../contract/topology.ts';

export interface ClusterChange {
  readonly kind: 'added' | 'moved' | 'removed';
  readonly node: BrokerNode;
}

interface Entry {
  node: BrokerNode;
  /** When the first of the answers in a row that lack it arrived; null while answers name it. */
  missingSince: number | null;
}

export class ClusterMap {
  readonly #entries = new Map<string, Entry>();
  readonly #removeAfterMilliseconds: number;
  #clusterId: string | null = null;
  #learnt = false;

  constructor(removeAfterSeconds: number) {
    this.#removeAfterMilliseconds = removeAfterSeconds * 1000;
  }

  get learnt(): boolean {
    return this.#learnt;
  }
  get clusterId(): string | null {
    return this.#clusterId;
  }
  get nodes(): BrokerNode[] {
    return [...this.#entries.values()].map((entry) => entry.node);
  }

  find(node: string): BrokerNode | undefined {
    return this.#entries.get(node)?.node;
  }

  /**
   * Takes an answer in. Only a complete one, or one that says so, moves a broker. Only complete ones count towards its
   * removal: that takes two of them at least so long apart that lack it, and no answer of any kind between them that names
   * it; time without answers says nothing.
   */
  apply(topology: Topology, now: number): ClusterChange[] {
    const changes: ClusterChange[] = [];
    for (const node of topology.nodes) {
      const entry = this.#entries.get(node.node);
      if (entry === undefined) {
        this.#entries.set(node.node, { node, missingSince: null });
        changes.push({ kind: 'added', node });
        continue;
      }
      entry.missingSince = null;
      const moves = topology.complete || topology.moves === true;
      if (moves && (entry.node.host !== node.host || entry.node.port !== node.port)) {
        entry.node = node;
        changes.push({ kind: 'moved', node });
      }
    }
    if (!topology.complete) return changes;
    this.#learnt = true;
    this.#clusterId ??= topology.clusterId;
    const named = new Set(topology.nodes.map((node) => node.node));
    for (const [name, entry] of this.#entries) {
      if (named.has(name)) continue;
      entry.missingSince ??= now;
      if (now - entry.missingSince < this.#removeAfterMilliseconds) continue;
      this.#entries.delete(name);
      changes.push({ kind: 'removed', node: entry.node });
    }
    return changes;
  }
}
