/** Keys that were derived from passwords, so that a dial costs no PBKDF2 but for the first. */
import type { Secret } from '../../../contract/credential.ts';
import { deriveKeys, type ScramKeys, type ScramMechanism } from './scram.ts';

/** Of one password: a salt belongs to a user and a mechanism, and is another after the password was set anew. */
const MOST_SALTS = 4;

interface Derived {
  readonly mechanism: ScramMechanism;
  readonly salt: Buffer;
  readonly iterations: number;
  readonly keys: ScramKeys;
}

export class ScramKeyCache {
  /** By the password as an object: whoever drops it, drops its keys. */
  readonly #derived = new WeakMap<Secret, readonly Derived[]>();

  /** Undefined: they were not derived yet. */
  find(mechanism: ScramMechanism, password: Secret, salt: Buffer, iterations: number): ScramKeys | undefined {
    return this.#derived
      .get(password)
      ?.find((each) => each.mechanism === mechanism && each.iterations === iterations && each.salt.equals(salt))?.keys;
  }

  /** As they were derived before, or derived now. */
  derive(mechanism: ScramMechanism, password: Secret, salt: Buffer, iterations: number): ScramKeys {
    const known = this.find(mechanism, password, salt, iterations);
    if (known !== undefined) return known;
    const keys = deriveKeys(mechanism, password, salt, iterations);
    const others = this.#derived.get(password) ?? [];
    this.#derived.set(password, [...others, { mechanism, salt, iterations, keys }].slice(-MOST_SALTS));
    return keys;
  }
}
