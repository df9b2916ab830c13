/** The wait for a connection of one pool: since when, and with what. */
import type { Pool } from './pool.ts';
import type { Waiter } from './tenant.ts';

export class Wait {
  /** Where it waits, or waited last. */
  pool: Pool | null = null;
  /** In the injected clock's milliseconds. */
  since = 0;
  /** What it waits with is valid data; otherwise it is housekeeping, or only wants the broker to be known. */
  withWork = false;
  isReported = false;
  foundAsleep = false;

  begin(pool: Pool, withWork: boolean, now: number): Pool {
    this.pool = pool;
    this.since = now;
    this.withWork = withWork;
    this.isReported = false;
    this.foundAsleep = pool.asleep;
    return pool;
  }

  /** Nobody is to serve it any more. */
  end(waiter: Waiter): void {
    this.pool?.queue.remove(waiter);
  }
}
