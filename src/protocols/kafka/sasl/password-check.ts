/**
 * Whether a client of ours is who it says. Whoever is refused learns nothing else: not from the words, which are the same,
 * not from the salt, which nobody's existence changes, and not from the time it took, in which nothing is skipped for a
 * user that does not exist.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type LocalUser, type LocalUsers, type PasswordMechanism, Secret } from '../../../contract/credential.ts';
import { oneLine } from './brokers-words.ts';
import { deriveKeys, FEWEST_ITERATIONS, hashOf, hmacOf, type ScramKeys, type ScramMechanism, xor } from './scram.ts';
import type { ScramKeyCache } from './scram-keys.ts';

const SALT_BYTES = 18;

export interface ScramProof {
  readonly username: string;
  readonly message: string;
  readonly proof: Buffer;
}

export class PasswordCheck {
  /** Of the SCRAM exchanges that we offer. */
  readonly iterations = FEWEST_ITERATIONS;
  readonly #users: LocalUsers;
  readonly #cache: ScramKeyCache;
  /** Of the process: what is derived with it says nothing to anybody else. */
  readonly #key = randomBytes(32);
  readonly #nobodysPassword = new Secret(randomBytes(32).toString('base64'));

  constructor(users: LocalUsers, cache: ScramKeyCache) {
    this.#users = users;
    this.#cache = cache;
  }

  get mechanisms(): readonly PasswordMechanism[] {
    return this.#users.mechanisms;
  }

  find(username: string): LocalUser | undefined {
    return this.#users.find(username);
  }

  /** The user if that is its password. */
  withPassword(username: string, password: string): LocalUser | undefined {
    const user = this.#users.find(username);
    const expected = this.#digest((user?.password ?? this.#nobodysPassword).reveal());
    return timingSafeEqual(this.#digest(password), expected) ? user : undefined;
  }

  /** Of equal length, whatever it is of. */
  #digest(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }

  saltOf(mechanism: ScramMechanism, username: string): Buffer {
    return createHmac('sha256', this.#key).update(`${mechanism} ${username}`).digest().subarray(0, SALT_BYTES);
  }

  /**
   * The user if its password made that proof, and our signature for it. Keys are derived once for each password; but
   * whoever is refused waits for a derivation in any case, so that nobody is told who was here before.
   */
  withProof(
    mechanism: ScramMechanism,
    { username, message, proof }: ScramProof,
  ): { readonly user: LocalUser; readonly signature: Buffer } | undefined {
    const user = this.#users.find(username);
    const salt = this.saltOf(mechanism, username);
    const password = user?.password ?? this.#nobodysPassword;
    const known = this.#cache.find(mechanism, password, salt, this.iterations);
    const keys = known ?? this.#derive(mechanism, user, password, salt);
    const clientKey = xor(hmacOf(mechanism, keys.storedKey, message), proof);
    const isRight =
      proof.length === keys.storedKey.length && timingSafeEqual(hashOf(mechanism, clientKey), keys.storedKey);
    if (isRight && user !== undefined) return { user, signature: hmacOf(mechanism, keys.serverKey, message) };
    if (known !== undefined) deriveKeys(mechanism, password, salt, this.iterations);
    return undefined;
  }

  #derive(mechanism: ScramMechanism, user: LocalUser | undefined, password: Secret, salt: Buffer): ScramKeys {
    if (user === undefined) return deriveKeys(mechanism, password, salt, this.iterations);
    return this.#cache.derive(mechanism, password, salt, this.iterations);
  }

  /** For our log. The same for every name. */
  static refusal(username: string): string {
    return `there is no user "${oneLine(username)}" in listenSasl.credentialsFile, or its password is another`;
  }
}
