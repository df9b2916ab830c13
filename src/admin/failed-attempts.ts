/**
 * What becomes of those who ask without the token: each answer takes its time, only so many are under way, and of all
 * of them there are at most two log lines a minute.
 */
import type { Clock } from '../core/clock.ts';
import { AdminError } from './admin-error.ts';

const DELAY_MILLISECONDS = 100;
const MAX_PENDING = 16;
const WINDOW_MILLISECONDS = 60_000;

export interface AttemptsLog {
  warn(fields: object, message: string): void;
}

export class FailedAttempts {
  readonly #timers: Pick<Clock, 'after'>;
  readonly #log: AttemptsLog;
  #pending = 0;
  /** Since the last line; null outside of a window. */
  #unsaid: number | null = null;

  constructor(timers: Pick<Clock, 'after'>, log: AttemptsLog) {
    this.#timers = timers;
    this.#log = log;
  }

  /** @throws {AdminError} always: TOKEN_MISSING or TOKEN_WRONG after a while, TOO_MANY_ATTEMPTS at once */
  async refuse(code: 'TOKEN_MISSING' | 'TOKEN_WRONG', remote: string): Promise<never> {
    this.#tell(code, remote);
    if (this.#pending >= MAX_PENDING) {
      throw new AdminError('TOO_MANY_ATTEMPTS', 'too many requests without the right token are under way');
    }
    this.#pending += 1;
    await new Promise<void>((resolve) => {
      this.#timers.after(DELAY_MILLISECONDS, resolve);
    });
    this.#pending -= 1;
    throw new AdminError(code, 'this needs the admin token');
  }

  #tell(code: string, remote: string): void {
    if (this.#unsaid !== null) {
      this.#unsaid += 1;
      return;
    }
    this.#unsaid = 0;
    this.#log.warn({ code, remote }, 'a request to the admin listener came without the right token');
    this.#timers.after(WINDOW_MILLISECONDS, () => {
      const count = this.#unsaid ?? 0;
      this.#unsaid = null;
      if (count > 0) this.#log.warn({ count }, 'more requests to the admin listener came without the right token');
    });
  }
}
