/** Questions on a connection that many ask over, each under a request id of ours, and who is owed an answer. */
import type { PulsarClientSession } from './client-session.ts';

export interface Question<T> {
  /** Null: whoever asked is gone. */
  tenant: T | null;
  readonly client: PulsarClientSession;
  /** The client's own request id. */
  readonly id: bigint;
  readonly type: number;
  /** A lookup as its client sent it; empty for other questions. */
  readonly frame: Buffer;
  readonly hops: number;
}

export class Questions<T> {
  readonly #questions = new Map<bigint, Question<T>>();
  /** Looked at for every client and every answer, so never searched for. */
  readonly #byTenant = new Map<T, Set<Question<T>>>();
  #next = 1n;

  get size(): number {
    return this.#questions.size;
  }

  /** The request id of a new one. */
  ask(tenant: T, question: Omit<Question<T>, 'tenant'>): bigint {
    const own = this.#next;
    this.#next += 1n;
    const asked = { ...question, tenant };
    this.#questions.set(own, asked);
    const its = this.#byTenant.get(tenant);
    if (its === undefined) this.#byTenant.set(tenant, new Set([asked]));
    else its.add(asked);
    return own;
  }

  find(own: bigint): Question<T> | undefined {
    return this.#questions.get(own);
  }

  answered(own: bigint, question: Question<T>): void {
    this.#questions.delete(own);
    if (question.tenant === null) return;
    const its = this.#byTenant.get(question.tenant);
    its?.delete(question);
    if (its?.size === 0) this.#byTenant.delete(question.tenant);
  }

  isOwedTo(tenant: T): boolean {
    return this.#byTenant.has(tenant);
  }

  /** What it asked is answered to nobody. */
  leave(tenant: T): void {
    for (const question of this.#byTenant.get(tenant) ?? []) question.tenant = null;
    this.#byTenant.delete(tenant);
  }
}
