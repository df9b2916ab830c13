/**
 * Who waits for an upstream of one pool. Urgent waiters (held and pinned requests) are served before ordinary ones:
 * their requests may be what other members of a group wait for, so they must never queue behind the cap.
 * Within each kind first come, first served; a Set keeps insertion order and forgets in constant time.
 */
import { Demand } from '../contract/protocol.ts';
import type { PoolNeeds } from './growth.ts';
import type { Waiter } from './tenant.ts';

const NOBODY: readonly Waiter[] = [];

export class LeaseQueue {
  readonly #urgent = new Set<Waiter>();
  readonly #ordinary = new Set<Waiter>();
  /** They want no lease, only that the broker was reached once. */
  readonly #learners = new Set<Waiter>();

  add(waiter: Waiter, demand: Demand): void {
    (demand === Demand.pool ? this.#ordinary : this.#urgent).add(waiter);
  }

  addLearner(waiter: Waiter): void {
    this.#learners.add(waiter);
  }

  remove(waiter: Waiter): void {
    this.#ordinary.delete(waiter);
    this.#urgent.delete(waiter);
    this.#learners.delete(waiter);
  }

  has(waiter: Waiter): boolean {
    return this.#ordinary.has(waiter) || this.#urgent.has(waiter) || this.#learners.has(waiter);
  }

  /** The next one to be lent an upstream, taken off the queue. */
  shift(): Waiter | undefined {
    for (const waiter of this.#urgent) {
      this.#urgent.delete(waiter);
      return waiter;
    }
    for (const waiter of this.#ordinary) {
      this.#ordinary.delete(waiter);
      return waiter;
    }
    return undefined;
  }

  /** Takes everyone off who wants to know the broker, or came with housekeeping. */
  takeHousekeepers(): Waiter[] {
    const taken = [...this.#learners];
    this.#learners.clear();
    for (const waiter of this.#ordinary) {
      if (waiter.wait.withWork) continue;
      this.#ordinary.delete(waiter);
      taken.push(waiter);
    }
    return taken;
  }

  takeLearners(): readonly Waiter[] {
    if (this.#learners.size === 0) return NOBODY;
    const taken = [...this.#learners];
    this.#learners.clear();
    return taken;
  }

  takeAll(): Waiter[] {
    const taken = [...this.#urgent, ...this.#ordinary, ...this.#learners];
    this.#urgent.clear();
    this.#ordinary.clear();
    this.#learners.clear();
    return taken;
  }

  get size(): number {
    return this.#urgent.size + this.#ordinary.size + this.#learners.size;
  }
  /** Those who wait to be lent an upstream. */
  get leases(): number {
    return this.#urgent.size + this.#ordinary.size;
  }
  get urgent(): number {
    return this.#urgent.size;
  }
  get ordinary(): number {
    return this.#ordinary.size;
  }
  get learners(): number {
    return this.#learners.size;
  }
  get hasWork(): boolean {
    if (this.#urgent.size > 0) return true;
    for (const waiter of this.#ordinary) if (waiter.wait.withWork) return true;
    return false;
  }

  /** Who waits for what, and how long the first ordinary one has waited. */
  needs(now: number): Pick<PoolNeeds, 'urgent' | 'ordinary' | 'learners' | 'waitedMilliseconds'> {
    const { urgent, ordinary, learners } = this;
    const [first] = this.#ordinary;
    return { urgent, ordinary, learners, waitedMilliseconds: first === undefined ? 0 : now - first.wait.since };
  }

  *[Symbol.iterator](): Generator<Waiter> {
    yield* this.#urgent;
    yield* this.#ordinary;
    yield* this.#learners;
  }
}
