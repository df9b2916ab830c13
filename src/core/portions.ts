/**
 * What one read holds for each tenant of a connection that may have several: every one gets its part with one write,
 * unless that is long. Each part keeps the order in which it came.
 */
import { joined } from './joined.ts';
import type { Tenant } from './tenant.ts';

const NOTHING = Buffer.alloc(0);

export class Portions {
  readonly #parts = new Map<Tenant, Buffer[]>();
  /** What came last, as long as more of it may follow: `bytes[start, end)` for the tenant. */
  #tenant: Tenant | null = null;
  #bytes: Buffer = NOTHING;
  #start = 0;
  #end = 0;

  /** @param bytes stay as they are until `handOut()` */
  add(tenant: Tenant, bytes: Buffer, start: number, end: number): void {
    if (tenant === this.#tenant && bytes === this.#bytes && start === this.#end) {
      this.#end = end;
      return;
    }
    this.#finish();
    this.#tenant = tenant;
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  /**
   * Behind the read. Whoever wants to keep what it receives copies it.
   *
   * @returns false: somebody has not taken all of it, and the buffers are still needed
   */
  handOut(): boolean {
    this.#finish();
    let taken = true;
    for (const [tenant, parts] of this.#parts) {
      const bytes = parts.reduce((sum, { length }) => sum + length, 0);
      for (const piece of joined(parts, bytes)) taken = tenant.receive(piece) && taken;
    }
    this.#parts.clear();
    return taken;
  }

  #finish(): void {
    const tenant = this.#tenant;
    if (tenant === null) return;
    const part = this.#bytes.subarray(this.#start, this.#end);
    const parts = this.#parts.get(tenant);
    if (parts === undefined) this.#parts.set(tenant, [part]);
    else parts.push(part);
    this.#tenant = null;
    this.#bytes = NOTHING;
  }
}
