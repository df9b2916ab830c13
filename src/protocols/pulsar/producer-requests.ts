/** Requests about producers on a connection that is shared, each under a request id of ours. */
import type { ClosingNames } from './closing-names.ts';
import type { Producer } from './producer.ts';

/**
 * What a request was made for. `open`, `close`: by its client; `reopen`: by us, for a message that waits; `park`: for
 * nobody uses it; `leave`: its client is gone, or does not want it here any more.
 */
export type Purpose = 'open' | 'close' | 'reopen' | 'park' | 'leave';

export interface Asked<T> {
  readonly purpose: Purpose;
  readonly producer: Producer;
  /** Null: nobody is to be told. */
  tenant: T | null;
  /** The client's own. */
  readonly requestId: bigint;
  /** What the producer was called here when it was asked. */
  readonly number: number;
  /** Its name is taken until this is answered. */
  readonly closing: string | null;
}

const MOST_ABANDONED = 1000;

export class ProducerRequests<T> {
  readonly #names: ClosingNames;
  readonly #asked = new Map<bigint, Asked<T>>();
  /** Those of one producer, which are few where there may be thousands. */
  readonly #byProducer = new Map<Producer, Set<bigint>>();
  /** How many answers each tenant is owed. */
  readonly #owed = new Map<T, number>();
  /** Answers to these may or may not come. */
  readonly #abandoned = new Set<bigint>();
  #next = 1n;

  constructor(names: ClosingNames) {
    this.#names = names;
  }

  get size(): number {
    return this.#asked.size;
  }

  /** The request id of a new one. */
  ask(purpose: Purpose, producer: Producer, tenant: T | null, requestId: bigint): bigint {
    const own = this.#next;
    this.#next += 1n;
    const isClose = purpose === 'close' || purpose === 'park' || purpose === 'leave';
    const closing = isClose ? producer.key : null;
    if (closing !== null) this.#names.begin(closing);
    this.#asked.set(own, { purpose, producer, tenant, requestId, number: producer.upstreamId, closing });
    const its = this.#byProducer.get(producer);
    if (its === undefined) this.#byProducer.set(producer, new Set([own]));
    else its.add(own);
    this.#owe(tenant, purpose, 1);
    return own;
  }

  find(own: bigint): Asked<T> | undefined {
    return this.#asked.get(own);
  }

  answered(own: bigint): void {
    const asked = this.#asked.get(own);
    if (asked === undefined) return;
    this.#asked.delete(own);
    const its = this.#byProducer.get(asked.producer);
    its?.delete(own);
    if (its?.size === 0) this.#byProducer.delete(asked.producer);
    this.#owe(asked.tenant, asked.purpose, -1);
  }

  #owe(tenant: T | null, purpose: Purpose, more: number): void {
    // What is opened for a message that waits can be opened elsewhere.
    if (tenant === null || purpose === 'reopen') return;
    const owed = (this.#owed.get(tenant) ?? 0) + more;
    if (owed > 0) this.#owed.set(tenant, owed);
    else this.#owed.delete(tenant);
  }

  isOwedTo(tenant: T): boolean {
    return this.#owed.has(tenant);
  }

  /**
   * Brokers may leave the opening of a producer unanswered whose end they have told or confirmed.
   *
   * @returns those who waited for it with a message
   */
  abandon(producer: Producer, number: number): T[] {
    const waited: T[] = [];
    for (const own of this.#byProducer.get(producer) ?? []) {
      const asked = this.#asked.get(own);
      if (asked === undefined || asked.number !== number || asked.closing !== null) continue;
      this.answered(own);
      this.#abandoned.add(own);
      if (asked.purpose === 'reopen' && asked.tenant !== null) waited.push(asked.tenant);
    }
    for (const own of this.#abandoned) {
      if (this.#abandoned.size <= MOST_ABANDONED) break;
      this.#abandoned.delete(own);
    }
    return waited;
  }

  /** True: nobody waits for this answer any more. */
  isAbandoned(own: bigint): boolean {
    return this.#abandoned.delete(own);
  }

  leave(tenant: T): void {
    this.#owed.delete(tenant);
    for (const asked of this.#asked.values()) if (asked.tenant === tenant) asked.tenant = null;
  }

  /** A name is free again. Those who waited for it, on whatever connection of the route: tenants all of one kind. */
  freed(name: string | null): T[] {
    return name === null ? [] : (this.#names.end(name) as T[]);
  }

  /** The connection is gone, and what was opened on it closed by that. Those who waited for an answer of it. */
  gone(): T[] {
    const waited: T[] = [];
    for (const { purpose, tenant, closing } of this.#asked.values()) {
      waited.push(...this.freed(closing));
      if (purpose === 'reopen' && tenant !== null) waited.push(tenant);
    }
    return waited;
  }
}
