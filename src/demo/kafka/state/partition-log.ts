/** The messages of one partition, in memory. What is appended is replicated at once: its end is the high watermark. */
import { ErrorCode } from './error-codes.ts';
import { type AbortedTransaction, PartitionTransactions } from './partition-transactions.ts';
import { ProducerSequences } from './producer-sequences.ts';
import { type BatchHead, endMarker, placeBatch, readBatch } from './record-batch.ts';

export interface StoredBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly leaderEpoch: number;
  readonly bytes: Buffer;
  readonly head: BatchHead;
}

export type AppendResult = { readonly baseOffset: number } | { readonly error: ErrorCode };

export class PartitionLog {
  readonly batches: StoredBatch[] = [];
  readonly startOffset = 0;
  readonly #sequences = new ProducerSequences();
  readonly #transactions = new PartitionTransactions();

  get endOffset(): number {
    return (this.batches.at(-1)?.lastOffset ?? -1) + 1;
  }

  get lastStableOffset(): number {
    return this.#transactions.lastStableOffset(this.endOffset);
  }

  /**
   * One batch as its producer made it. A repetition answers with the offset of the first time.
   *
   * @param mayAppend what only its caller can judge, asked once the batch is known to be sound
   */
  append(bytes: Buffer, leaderEpoch: number, mayAppend: (head: BatchHead) => ErrorCode): AppendResult {
    const head = readBatch(bytes);
    if (head === 'corrupt') return { error: ErrorCode.corruptMessage };
    if (head === 'invalid' || head.isControl) return { error: ErrorCode.invalidRecord };
    const refusal = mayAppend(head);
    if (refusal !== ErrorCode.none) return { error: refusal };
    const verdict = this.#sequences.check(head);
    if (verdict !== 'next') return 'error' in verdict ? verdict : { baseOffset: verdict.duplicateOf };
    const { baseOffset } = this.#store(bytes, head, leaderEpoch);
    this.#sequences.accept(head, baseOffset);
    if (head.isTransactional) this.#transactions.begin(head.producerId, baseOffset);
    return { baseOffset };
  }

  endTransaction(producerId: number, epoch: number, committed: boolean, leaderEpoch: number): void {
    const marker = endMarker(producerId, epoch, committed, Date.now());
    const head = readBatch(marker);
    if (typeof head === 'string') throw new Error(`an end marker of our own is ${head}`);
    const { baseOffset } = this.#store(marker, head, leaderEpoch);
    this.#transactions.end(producerId, committed, baseOffset);
    this.#sequences.fence(producerId, epoch);
  }

  #store(bytes: Buffer, head: BatchHead, leaderEpoch: number): StoredBatch {
    const baseOffset = this.endOffset;
    const batch = {
      baseOffset,
      lastOffset: baseOffset + head.lastOffsetDelta,
      leaderEpoch,
      bytes: placeBatch(bytes, baseOffset, leaderEpoch),
      head,
    };
    this.batches.push(batch);
    return batch;
  }

  /** Whole batches from the one that holds `from` up to `limit`; with `atLeastOne`, the first may exceed `maxBytes`. */
  read(
    from: number,
    limit: number,
    maxBytes: number,
    atLeastOne: boolean,
  ): { readonly bytes: Buffer; readonly end: number } {
    const parts: Buffer[] = [];
    let size = 0;
    let end = from;
    for (let index = this.#indexOf(from); index < this.batches.length; index += 1) {
      const batch = this.batches[index];
      if (batch === undefined || batch.baseOffset >= limit) break;
      const fits = size + batch.bytes.length <= maxBytes;
      if (!fits && !(atLeastOne && parts.length === 0)) break;
      parts.push(batch.bytes);
      size += batch.bytes.length;
      end = batch.lastOffset + 1;
    }
    return { bytes: Buffer.concat(parts), end };
  }

  abortedWithin(from: number, to: number): AbortedTransaction[] {
    return this.#transactions.abortedWithin(from, to);
  }

  /** The first batch whose newest message is at least so old, or undefined. */
  batchAt(timestamp: number): StoredBatch | undefined {
    return this.batches.find(({ head }) => head.maxTimestamp >= timestamp);
  }

  /** The largest epoch up to `epoch` that wrote something, and where it ended (KIP-320). */
  endOfEpoch(epoch: number): { readonly epoch: number; readonly endOffset: number } {
    const batch = this.batches.findLast(({ leaderEpoch }) => leaderEpoch <= epoch);
    return batch === undefined
      ? { epoch: -1, endOffset: -1 }
      : { epoch: batch.leaderEpoch, endOffset: batch.lastOffset + 1 };
  }

  #indexOf(offset: number): number {
    let low = 0;
    let high = this.batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.batches[middle]?.lastOffset ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
