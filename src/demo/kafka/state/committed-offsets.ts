/** The offsets that a group has committed, and those that wait for the end of a transaction. */
export interface CommittedOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string | null;
}

const key = (topic: string, partition: number): string => `${topic}/${partition}`;

export class CommittedOffsets {
  readonly #offsets = new Map<string, CommittedOffset>();
  readonly #pending = new Map<number, CommittedOffset[]>();

  commit(offset: CommittedOffset): void {
    this.#offsets.set(key(offset.topic, offset.partition), offset);
  }

  of(topic: string, partition: number): CommittedOffset | undefined {
    return this.#offsets.get(key(topic, partition));
  }

  get all(): readonly CommittedOffset[] {
    return [...this.#offsets.values()];
  }

  /** Counts once the producer's transaction has been committed. */
  hold(producerId: number, offset: CommittedOffset): void {
    this.#pending.set(producerId, [...(this.#pending.get(producerId) ?? []), offset]);
  }

  /** A transaction that is still open may change it. */
  isUnstable(topic: string, partition: number): boolean {
    const held = [...this.#pending.values()].flat();
    return held.some((each) => each.topic === topic && each.partition === partition);
  }

  endTransaction(producerId: number, committed: boolean): void {
    if (committed) for (const offset of this.#pending.get(producerId) ?? []) this.commit(offset);
    this.#pending.delete(producerId);
  }
}
