/**
 * OAUTHBEARER (RFC 7628, KIP-255, KIP-342).
 *
 *   client: n,, SOH auth=Bearer TOKEN SOH { NAME = VALUE SOH } SOH
 *   broker: nothing; or, if it refuses, JSON {status, scope, openid-configuration}, to which the client says SOH before it
 *     is told the error
 */
import { BEARER_TOKEN, type Secret } from '../../../contract/credential.ts';
import { type ClientMechanism, RefusedError } from './mechanism.ts';

const SOH = '\u0001';
const EXTENSION_NAME = /^[A-Za-z]+$/;
/** Printable characters, blanks and line ends. */
const EXTENSION_VALUE = /^[\x20-\x7e\t\r\n]*$/;
/** A name that would stand for the token itself. */
const RESERVED = 'auth';

export class OauthBearerClient implements ClientMechanism {
  readonly #token: Secret;
  readonly #extensions: Readonly<Record<string, string>>;
  /** What the broker has against the token; told with its error. */
  complaint = '';

  constructor(token: Secret, extensions: Readonly<Record<string, string>>) {
    this.#token = token;
    this.#extensions = extensions;
  }

  first(): Buffer {
    const token = this.#token.reveal();
    if (!BEARER_TOKEN.test(token))
      throw new RefusedError('the token has characters in it that no bearer token has (RFC 6750)');
    const pairs = Object.entries(this.#extensions).map(([name, value]) => {
      if (!EXTENSION_NAME.test(name) || name === RESERVED || !EXTENSION_VALUE.test(value))
        throw new RefusedError(
          `the SASL extension ${name} cannot be sent: names are letters, values printable (KIP-342)`,
        );
      return `${name}=${value}${SOH}`;
    });
    return Buffer.from(`n,,${SOH}auth=Bearer ${token}${SOH}${pairs.join('')}${SOH}`, 'utf8');
  }

  next(token: Buffer): Buffer | null {
    if (token.length === 0 && this.complaint === '') return null;
    if (this.complaint !== '') throw new RefusedError('the broker goes on after it has refused the token');
    this.complaint = token.toString('utf8');
    return Buffer.from(SOH, 'latin1');
  }
}
