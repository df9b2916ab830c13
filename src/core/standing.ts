/** How a login of one identity stands with the brokers: whether one has taken it, and until when it is not shown. */
import { type DialFailure, isLoginFailure, isRefusal } from '../contract/reasons.ts';
import type { Login } from './login.ts';
import type { RefusedLogins } from './refused-logins.ts';

/** It failed a moment ago, so it takes over from nobody unless it was tried again. */
const DOUBTED_MILLISECONDS = 10_000;

export class Standing {
  readonly login: Login;
  readonly #refused: RefusedLogins;
  #accepted = false;
  #doubtedUntil = 0;

  constructor(login: Login, refused: RefusedLogins) {
    this.login = login;
    this.#refused = refused;
  }

  /** A broker has taken it once. */
  get accepted(): boolean {
    return this.#accepted;
  }
  /** No broker has taken it since one refused it. */
  get refused(): boolean {
    return this.#refused.has(this.login.fingerprint);
  }

  accept(): void {
    this.#accepted = true;
    this.#doubtedUntil = 0;
    this.#refused.accept(this.login.fingerprint);
  }

  /** A dial failed that showed it, or should have. */
  fail(failure: DialFailure, now: number): void {
    if (isRefusal(failure)) this.#refused.refuse(this.login.fingerprint, now);
    if (isLoginFailure(failure)) this.#doubtedUntil = now + DOUBTED_MILLISECONDS;
  }

  /** For how long it must not be shown to any broker. */
  holdMilliseconds(now: number): number {
    return this.#refused.holdMilliseconds(this.login.fingerprint, now);
  }

  /** It may well be taken. */
  isPromising(now: number): boolean {
    return this.holdMilliseconds(now) === 0 && now >= this.#doubtedUntil;
  }
}
