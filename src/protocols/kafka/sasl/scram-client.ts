/**
 * A client's part of SCRAM (RFC 5802); the formulas stand in scram.ts.
 *
 *   client: n,,n=USER,r=NONCE
 *   broker: r=NONCE+MORE,s=SALT,i=ITERATIONS
 *   client: c=biws,r=NONCE+MORE,p=PROOF
 *   broker: v=SIGNATURE, or e=ERROR
 */
import { timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../../contract/credential.ts';
import { MalformedError } from '../cursor.ts';
import { type ClientMechanism, RefusedError } from './mechanism.ts';
import {
  attributesOf,
  CHANNEL_BINDING,
  escapeName,
  FEWEST_ITERATIONS,
  fromBase64,
  GS2_HEADER,
  hmacOf,
  MOST_ITERATIONS,
  MOST_MESSAGE_BYTES,
  newNonce,
  type ScramMechanism,
  xor,
} from './scram.ts';
import type { ScramKeyCache } from './scram-keys.ts';

export class ScramClient implements ClientMechanism {
  readonly #mechanism: ScramMechanism;
  readonly #password: Secret;
  readonly #cache: ScramKeyCache;
  readonly #nonce: string;
  readonly #firstBare: string;
  /** Expected of a broker that knows the password; null until its salt is known. */
  #signature: Buffer | null = null;

  constructor(mechanism: ScramMechanism, username: string, password: Secret, cache: ScramKeyCache, nonce = newNonce()) {
    this.#mechanism = mechanism;
    this.#password = password;
    this.#cache = cache;
    this.#nonce = nonce;
    this.#firstBare = `n=${escapeName(username)},r=${nonce}`;
  }

  first(): Buffer {
    return Buffer.from(`${GS2_HEADER}${this.#firstBare}`, 'utf8');
  }

  next(token: Buffer): Buffer | null {
    if (token.length > MOST_MESSAGE_BYTES) throw new MalformedError(`a SCRAM message of ${token.length} bytes`);
    const message = token.toString('utf8');
    if (message.startsWith('e=')) throw new RefusedError(`the broker says ${message.slice(2)}`);
    if (this.#signature === null) return this.#prove(message);
    const [value = ''] = attributesOf(message, ['v']);
    const signature = fromBase64(value);
    if (signature.length !== this.#signature.length || !timingSafeEqual(signature, this.#signature))
      throw new RefusedError('the broker does not prove that it knows the password: is it the right broker?');
    return null;
  }

  #prove(serverFirst: string): Buffer {
    const [nonce = '', saltText = '', iterationsText = ''] = attributesOf(serverFirst, ['r', 's', 'i']);
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length)
      throw new RefusedError('the broker answers a SCRAM exchange that is not ours');
    const iterations = /^\d{1,9}$/.test(iterationsText) ? Number(iterationsText) : Number.NaN;
    if (Number.isNaN(iterations)) throw new MalformedError('a SCRAM message with iterations that are no number');
    if (iterations < FEWEST_ITERATIONS || iterations > MOST_ITERATIONS)
      throw new RefusedError(
        `the broker asks for ${iterations} SCRAM iterations; ${FEWEST_ITERATIONS} to ${MOST_ITERATIONS} are accepted`,
      );
    const keys = this.#cache.derive(this.#mechanism, this.#password, fromBase64(saltText), iterations);
    const withoutProof = `${CHANNEL_BINDING},r=${nonce}`;
    const message = `${this.#firstBare},${serverFirst},${withoutProof}`;
    this.#signature = hmacOf(this.#mechanism, keys.serverKey, message);
    const proof = xor(keys.clientKey, hmacOf(this.#mechanism, keys.storedKey, message));
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`, 'utf8');
  }
}
