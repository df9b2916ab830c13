/** The transaction coordinator of a cluster, and the source of producer ids (KIP-98, KIP-360, KIP-890). */
import { ErrorCode } from './error-codes.ts';
import type { Timers } from './timers.ts';

export interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** What a transaction has touched, and who ends it there. */
export interface TransactionEnd extends ProducerIdentity {
  readonly committed: boolean;
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[];
  readonly groups: readonly string[];
}

interface Transaction {
  producerId: number;
  epoch: number;
  timeoutMilliseconds: number;
  open: boolean;
  /** How the last one ended: a repeated EndTxn is answered the same. */
  lastCommitted: boolean | undefined;
  readonly partitions: Map<string, { readonly topic: string; readonly partition: number }>;
  readonly groups: Set<string>;
  cancelTimeout: () => void;
}

const FIRST_PRODUCER_ID = 1000;
const NONE: ProducerIdentity = { producerId: -1, producerEpoch: -1 };

export class Transactions {
  readonly #timers: Timers;
  readonly #end: (end: TransactionEnd) => void;
  readonly #byId = new Map<string, Transaction>();
  #nextProducerId = FIRST_PRODUCER_ID;

  /** @param end writes the markers */
  constructor(timers: Timers, end: (end: TransactionEnd) => void) {
    this.#timers = timers;
    this.#end = end;
  }

  /** For an idempotent producer without transactions. */
  newProducer(): ProducerIdentity {
    const producerId = this.#nextProducerId;
    this.#nextProducerId += 1;
    return { producerId, producerEpoch: 0 };
  }

  /** Aborts what the same producer has left open, and fences its older selves. */
  init(
    id: string,
    timeoutMilliseconds: number,
    current: ProducerIdentity,
  ): ProducerIdentity & { errorCode: ErrorCode } {
    const known = this.#byId.get(id);
    if (known === undefined) {
      const fresh = this.newProducer();
      this.#byId.set(id, {
        producerId: fresh.producerId,
        epoch: fresh.producerEpoch,
        timeoutMilliseconds,
        open: false,
        lastCommitted: undefined,
        partitions: new Map(),
        groups: new Set(),
        cancelTimeout: () => undefined,
      });
      return { ...fresh, errorCode: ErrorCode.none };
    }
    if (current.producerId >= 0 && (current.producerId !== known.producerId || current.producerEpoch !== known.epoch))
      return { ...NONE, errorCode: ErrorCode.producerFenced };
    known.epoch += 1;
    known.timeoutMilliseconds = timeoutMilliseconds;
    if (known.open) this.#close(known, false);
    known.lastCommitted = undefined;
    return { producerId: known.producerId, producerEpoch: known.epoch, errorCode: ErrorCode.none };
  }

  addPartitions(
    id: string,
    producer: ProducerIdentity,
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): ErrorCode {
    return this.#use(id, producer, (transaction) => {
      for (const each of partitions) transaction.partitions.set(`${each.topic}/${each.partition}`, each);
    });
  }

  addGroup(id: string, producer: ProducerIdentity, group: string): ErrorCode {
    return this.#use(id, producer, (transaction) => transaction.groups.add(group));
  }

  /** Whether a transactional batch may be appended there. */
  covers(id: string, producer: ProducerIdentity, topic: string, partition: number): ErrorCode {
    const transaction = this.#find(id, producer);
    if (typeof transaction === 'number') return transaction;
    return transaction.open && transaction.partitions.has(`${topic}/${partition}`)
      ? ErrorCode.none
      : ErrorCode.invalidTxnState;
  }

  coversGroup(id: string, producer: ProducerIdentity, group: string): ErrorCode {
    const transaction = this.#find(id, producer);
    if (typeof transaction === 'number') return transaction;
    return transaction.open && transaction.groups.has(group) ? ErrorCode.none : ErrorCode.invalidTxnState;
  }

  /** @param bumps whether the next transaction gets an epoch of its own (EndTxn 5 and later) */
  end(
    id: string,
    producer: ProducerIdentity,
    committed: boolean,
    bumps: boolean,
  ): ProducerIdentity & { errorCode: ErrorCode } {
    const repeated = this.#repeatedEnd(id, producer, committed);
    if (repeated !== undefined) return { ...repeated, errorCode: ErrorCode.none };
    const transaction = this.#find(id, producer);
    if (typeof transaction === 'number') return { ...NONE, errorCode: transaction };
    if (!transaction.open && transaction.lastCommitted !== committed && !(bumps && !committed))
      return { ...NONE, errorCode: ErrorCode.invalidTxnState };
    if (transaction.open) {
      if (bumps) transaction.epoch += 1;
      this.#close(transaction, committed);
    }
    return { producerId: transaction.producerId, producerEpoch: transaction.epoch, errorCode: ErrorCode.none };
  }

  /** An EndTxn whose answer was lost: it names the epoch before the one that it has already brought. */
  #repeatedEnd(id: string, producer: ProducerIdentity, committed: boolean): ProducerIdentity | undefined {
    const transaction = this.#byId.get(id);
    if (transaction === undefined || transaction.open || transaction.lastCommitted !== committed) return undefined;
    const { producerId, epoch } = transaction;
    const same = producer.producerId === producerId && producer.producerEpoch === epoch - 1;
    return same ? { producerId, producerEpoch: epoch } : undefined;
  }

  #find(id: string, { producerId, producerEpoch }: ProducerIdentity): Transaction | ErrorCode {
    const transaction = this.#byId.get(id);
    if (transaction === undefined || transaction.producerId !== producerId) return ErrorCode.invalidProducerIdMapping;
    return transaction.epoch === producerEpoch ? transaction : ErrorCode.producerFenced;
  }

  #use(id: string, producer: ProducerIdentity, change: (transaction: Transaction) => void): ErrorCode {
    const transaction = this.#find(id, producer);
    if (typeof transaction === 'number') return transaction;
    if (!transaction.open) {
      transaction.open = true;
      transaction.cancelTimeout = this.#timers.after(transaction.timeoutMilliseconds, () => {
        transaction.epoch += 1;
        this.#close(transaction, false);
      });
    }
    change(transaction);
    return ErrorCode.none;
  }

  #close(transaction: Transaction, committed: boolean): void {
    transaction.cancelTimeout();
    this.#end({
      producerId: transaction.producerId,
      producerEpoch: transaction.epoch,
      committed,
      partitions: [...transaction.partitions.values()],
      groups: [...transaction.groups],
    });
    transaction.open = false;
    transaction.lastCommitted = committed;
    transaction.partitions.clear();
    transaction.groups.clear();
  }
}
