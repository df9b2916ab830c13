/** The topics of a cluster, and who leads their partitions. */
import { randomUUID } from 'node:crypto';
import { ErrorCode } from './error-codes.ts';
import { NO_LEADER, type Partition, Topic } from './topic.ts';

const LEGAL_NAME = /^[a-zA-Z0-9._-]{1,249}$/;

export class Topics {
  readonly #byName = new Map<string, Topic>();
  #created = 0;

  get all(): readonly Topic[] {
    return [...this.#byName.values()];
  }

  named(name: string): Topic | undefined {
    return this.#byName.get(name);
  }

  withId(id: string): Topic | undefined {
    return this.all.find((topic) => topic.id === id);
  }

  partition(name: string, index: number): Partition | undefined {
    return this.#byName.get(name)?.partitions[index];
  }

  /**
   * Leaders go round the nodes, and every topic begins with another one.
   *
   * @param nodes that are alive, at least one
   * @param replicas of each partition, leaders first; if not given, so many of the nodes
   */
  create(
    name: string,
    partitions: number,
    nodes: readonly number[],
    replicas?: readonly (readonly number[])[],
    copies: number = nodes.length,
  ): Topic | { readonly error: ErrorCode } {
    if (!LEGAL_NAME.test(name) || name === '.' || name === '..') return { error: ErrorCode.invalidTopic };
    if (this.#byName.has(name)) return { error: ErrorCode.topicAlreadyExists };
    if (partitions < 1) return { error: ErrorCode.invalidPartitions };
    const first = this.#created;
    this.#created += 1;
    const rounds = Array.from({ length: partitions }, (_, index) => {
      const shift = (first + index) % nodes.length;
      return [...nodes.slice(shift), ...nodes.slice(0, shift)].slice(0, copies);
    });
    const topic = new Topic(name, randomUUID(), replicas ?? rounds);
    this.#byName.set(name, topic);
    return topic;
  }

  delete(name: string): boolean {
    const topic = this.#byName.get(name);
    this.#byName.delete(name);
    for (const partition of topic?.partitions ?? []) partition.lead(NO_LEADER);
    return topic !== undefined;
  }

  /** Partitions without a live leader get the first live replica. */
  elect(alive: ReadonlySet<number>): void {
    for (const topic of this.all) {
      for (const partition of topic.partitions) {
        if (alive.has(partition.leader)) continue;
        partition.lead(partition.replicas.find((node) => alive.has(node)) ?? NO_LEADER);
      }
    }
  }
}
