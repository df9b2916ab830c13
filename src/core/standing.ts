/** How a login stands with the brokers: whether one has taken it, and until when it is not shown after one has not. */
import { Backoff } from './backoff.ts';
import type { Login } from './login.ts';

/** Accounts are locked after a few wrong passwords: it is not shown again for so long, and longer each time. */
const REFUSED = { firstMilliseconds: 10_000, largestMilliseconds: 300_000, least: 0.5 };

export class Standing {
  readonly login: Login;
  readonly #backoff: Backoff;
  #accepted = false;
  #refusedUntil = 0;

  constructor(login: Login, random: () => number) {
    this.login = login;
    this.#backoff = new Backoff(random, REFUSED);
  }

  /** A broker has taken it once. */
  get accepted(): boolean {
    return this.#accepted;
  }

  accept(): void {
    this.#accepted = true;
    this.#refusedUntil = 0;
    this.#backoff.succeeded();
  }

  /** A broker refused it; whoever showed it to others at the same time has counted already. */
  refuse(now: number): void {
    if (this.holdMilliseconds(now) === 0) this.#refusedUntil = now + this.#backoff.failed();
  }

  /** For how long it must not be shown to any broker. */
  holdMilliseconds(now: number): number {
    return Math.max(0, this.#refusedUntil - now);
  }
}
