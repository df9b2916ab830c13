/** PLAIN (RFC 4616): `[authzid] NUL authcid NUL password`, and the broker has nothing to say to it but yes or no. */
import type { Secret } from '../../../contract/credential.ts';
import { type ClientMechanism, RefusedError } from './mechanism.ts';

export class PlainClient implements ClientMechanism {
  readonly #username: string;
  readonly #password: Secret;

  constructor(username: string, password: Secret) {
    this.#username = username;
    this.#password = password;
  }

  first(): Buffer {
    const password = this.#password.reveal();
    if (this.#username.includes('\0') || password.includes('\0'))
      throw new RefusedError('PLAIN takes no user name and no password with a NUL character in it');
    return Buffer.from(`\0${this.#username}\0${password}`, 'utf8');
  }

  next(): null {
    return null;
  }
}
