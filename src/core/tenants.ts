/** The tenants of a connection that serves several clients at once. */
import type { Tenancy } from '../contract/multiplexing.ts';
import type { Tenant } from './tenant.ts';

export class Tenants {
  readonly tenancy: Tenancy<Tenant>;
  readonly #tenants = new Set<Tenant>();
  /** Those with a request that may not be written yet. */
  readonly #waiting = new Set<Tenant>();

  constructor(tenancy: Tenancy<Tenant>) {
    this.tenancy = tenancy;
  }

  get size(): number {
    return this.#tenants.size;
  }
  [Symbol.iterator](): Iterator<Tenant> {
    return this.#tenants[Symbol.iterator]();
  }
  has(tenant: Tenant): boolean {
    return this.#tenants.has(tenant);
  }
  /** One of them is in the middle of a request. */
  get sending(): boolean {
    if (!this.tenancy.exclusive) return false; // there are whole requests only
    for (const { sending } of this.#tenants) if (sending) return true;
    return false;
  }

  add(tenant: Tenant): void {
    this.#tenants.add(tenant);
  }

  remove(tenant: Tenant): void {
    this.#tenants.delete(tenant);
    this.#waiting.delete(tenant);
  }

  wait(tenant: Tenant): void {
    this.#waiting.add(tenant);
  }

  /** What they waited for may be over. */
  wake(): void {
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const tenant of waiting) tenant.answered();
  }

  upstreamFlushed(): void {
    for (const tenant of [...this.#tenants]) tenant.upstreamFlushed();
  }

  /** The last read ended in the middle of a frame, or not. */
  told(isInFrame: boolean): void {
    if (this.tenancy.exclusive) for (const tenant of this.#tenants) tenant.toldPart?.(isInFrame);
  }

  /** Those that would lose something if the connection broke now. */
  losers(isInFrame: boolean): Tenant[] {
    // Where several share, nobody has seen anything of a frame that is not complete.
    const isTorn = isInFrame && this.tenancy.exclusive;
    const { tenancy } = this;
    return [...this.#tenants].filter(
      (tenant) => tenant.sending || isTorn || tenancy.owes(tenant) || tenancy.keeps(tenant),
    );
  }

  /** Takes everybody off. */
  dissolve(): Tenant[] {
    const tenants = [...this.#tenants];
    this.#tenants.clear();
    this.#waiting.clear();
    return tenants;
  }
}
