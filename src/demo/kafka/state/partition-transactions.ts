/** What a partition knows of transactions: which are open, and which were aborted. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
  /** Its abort marker. */
  readonly lastOffset: number;
}

export class PartitionTransactions {
  readonly #firstOffsets = new Map<number, number>();
  readonly #aborted: AbortedTransaction[] = [];

  begin(producerId: number, offset: number): void {
    if (!this.#firstOffsets.has(producerId)) this.#firstOffsets.set(producerId, offset);
  }

  end(producerId: number, committed: boolean, markerOffset: number): void {
    const firstOffset = this.#firstOffsets.get(producerId);
    if (firstOffset === undefined) return;
    this.#firstOffsets.delete(producerId);
    if (!committed) this.#aborted.push({ producerId, firstOffset, lastOffset: markerOffset });
  }

  /** Up to where readers of committed messages may read. */
  lastStableOffset(endOffset: number): number {
    return Math.min(endOffset, ...this.#firstOffsets.values());
  }

  abortedWithin(from: number, to: number): AbortedTransaction[] {
    return this.#aborted.filter(({ firstOffset, lastOffset }) => lastOffset >= from && firstOffset < to);
  }
}
