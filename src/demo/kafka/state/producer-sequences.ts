/** What a partition remembers of its idempotent producers, to refuse gaps and to recognise repetitions (KIP-98). */

import { ErrorCode } from './error-codes.ts';
import type { BatchHead } from './record-batch.ts';

/** As many as a producer may have in flight. */
const REMEMBERED_BATCHES = 5;
const SEQUENCES = 2 ** 31;

interface Accepted {
  readonly first: number;
  readonly last: number;
  readonly baseOffset: number;
}

interface Producer {
  epoch: number;
  /** The last ones, oldest first; empty after a transaction's marker brought a new epoch. */
  accepted: Accepted[];
}

export type SequenceVerdict = { readonly duplicateOf: number } | { readonly error: ErrorCode } | 'next';

export class ProducerSequences {
  readonly #producers = new Map<number, Producer>();

  /** Does not remember the batch: `accept` does. */
  check({ producerId, producerEpoch, baseSequence, count }: BatchHead): SequenceVerdict {
    const known = this.#producers.get(producerId);
    if (producerId < 0 || known === undefined) return 'next';
    if (producerEpoch < known.epoch) return { error: ErrorCode.invalidProducerEpoch };
    if (producerEpoch > known.epoch || known.accepted.length === 0)
      return baseSequence === 0 ? 'next' : { error: ErrorCode.outOfOrderSequenceNumber };
    const last = lastSequence(baseSequence, count);
    const same = known.accepted.find((each) => each.first === baseSequence && each.last === last);
    if (same !== undefined) return { duplicateOf: same.baseOffset };
    const expected = ((known.accepted.at(-1)?.last ?? -1) + 1) % SEQUENCES;
    return baseSequence === expected ? 'next' : { error: ErrorCode.outOfOrderSequenceNumber };
  }

  accept({ producerId, producerEpoch, baseSequence, count }: BatchHead, baseOffset: number): void {
    if (producerId < 0) return;
    const known = this.#producers.get(producerId);
    const before = known?.epoch === producerEpoch ? known.accepted : [];
    const batch = { first: baseSequence, last: lastSequence(baseSequence, count), baseOffset };
    this.#producers.set(producerId, {
      epoch: producerEpoch,
      accepted: [...before, batch].slice(-REMEMBERED_BATCHES),
    });
  }

  /** A transaction's end marker: from now on nothing of an older epoch is accepted. */
  fence(producerId: number, epoch: number): void {
    const known = this.#producers.get(producerId);
    if (known?.epoch !== epoch) this.#producers.set(producerId, { epoch, accepted: [] });
  }
}

function lastSequence(first: number, count: number): number {
  return (first + count - 1) % SEQUENCES;
}
