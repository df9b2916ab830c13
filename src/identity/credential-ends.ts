/** When credentials end that say so themselves (JSON Web Tokens): whoever can renew one is told then, and again if it is not. */
import { type Credential, Secret } from '../contract/credential.ts';
import type { Clock, Timer } from '../core/clock.ts';
import { lifeOfJwt } from './token.ts';

/** As often as brokers ask (`authenticationRefreshCheckSeconds`). */
const AGAIN_MILLISECONDS = 60_000;
/** Timers know no more than 24 days, and clocks are set: it is looked at anew. */
const LOOK_MILLISECONDS = 3_600_000;

export class CredentialEnds {
  readonly #clock: Clock;
  readonly #ended: (name: string) => void;
  readonly #timers = new Map<string, Timer>();

  /** @param ended told with the name of what has ended */
  constructor(clock: Clock, ended: (name: string) => void) {
    this.#clock = clock;
    this.#ended = ended;
  }

  /** In place of what was watched by that name before. */
  watch(name: string, credential: Credential): void {
    this.forget(name);
    const end = this.#endOf(credential);
    if (end !== null) this.#look(name, end, this.#clock.unixSeconds() >= end ? AGAIN_MILLISECONDS : 0);
  }

  forget(name: string): void {
    this.#timers.get(name)?.cancel();
    this.#timers.delete(name);
  }

  /** @param pauseMilliseconds at least so long */
  #look(name: string, end: number, pauseMilliseconds: number): void {
    const left = Math.min((end - this.#clock.unixSeconds()) * 1000, LOOK_MILLISECONDS);
    const timer = this.#clock.after(Math.max(left, pauseMilliseconds), () => {
      const hasEnded = this.#clock.unixSeconds() >= end;
      this.#look(name, end, hasEnded ? AGAIN_MILLISECONDS : 0);
      if (hasEnded) this.#ended(name);
    });
    this.#timers.set(name, timer);
  }

  /** In seconds since 1970; null: it does not say. */
  #endOf(credential: Credential): number | null {
    if (!('data' in credential && credential.data instanceof Secret)) return null;
    const now = this.#clock.unixSeconds();
    const life = lifeOfJwt(credential.data, now);
    return life === null ? null : now + life / 1000;
  }
}
