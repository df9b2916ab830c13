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
  readonly number: bigint;
  /** Its name is taken until this is answered. */
  readonly closing: string | null;
}

export class ProducerRequests<T> {
  readonly #names: ClosingNames;
  readonly #asked = new Map<bigint, Asked<T>>();
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
    return own;
  }

  find(own: bigint): Asked<T> | undefined {
    return this.#asked.get(own);
  }

  answered(own: bigint): void {
    this.#asked.delete(own);
  }

  isOwedTo(tenant: T): boolean {
    for (const asked of this.#asked.values()) if (asked.tenant === tenant) return true;
    return false;
  }

  leave(tenant: T): void {
    for (const asked of this.#asked.values()) if (asked.tenant === tenant) asked.tenant = null;
  }

  /** A name is free again. Those who waited for it, on whatever connection of the route: tenants all of one kind. */
  freed(name: string | null): T[] {
    return name === null ? [] : (this.#names.end(name) as T[]);
  }

  /** The connection is gone, and what was opened on it closed by that. */
  gone(): T[] {
    return [...this.#asked.values()].flatMap(({ closing }) => this.freed(closing));
  }
}
