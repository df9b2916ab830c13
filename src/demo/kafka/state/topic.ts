import { PartitionLog } from './partition-log.ts';

/** No broker leads the partition. */
export const NO_LEADER = -1;

/** One partition: who leads it, who else could, and its log, which all replicas share. */
export class Partition {
  readonly topic: string;
  readonly index: number;
  readonly replicas: readonly number[];
  readonly log = new PartitionLog();
  leader: number;
  leaderEpoch = 0;
  readonly #watchers = new Set<() => void>();

  constructor(topic: string, index: number, replicas: readonly number[]) {
    this.topic = topic;
    this.index = index;
    this.replicas = replicas;
    this.leader = replicas[0] ?? NO_LEADER;
  }

  lead(node: number): void {
    if (node === this.leader) return;
    this.leader = node;
    this.leaderEpoch += 1;
    this.changed();
  }

  /** Something was appended, or the leader has changed: held fetches look again. */
  changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** @returns a function that ends it */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}

export class Topic {
  readonly name: string;
  readonly id: string;
  readonly partitions: readonly Partition[];

  /** @param replicas of each partition, its preferred leader first */
  constructor(name: string, id: string, replicas: readonly (readonly number[])[]) {
    this.name = name;
    this.id = id;
    this.partitions = replicas.map((nodes, index) => new Partition(name, index, nodes));
  }
}
