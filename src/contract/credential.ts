/** What a broker is shown so that it knows us (SASL). */

/** A text that nothing prints: whoever needs it says so with `reveal()`. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }
  toString(): string {
    return '[secret]';
  }
  toJSON(): string {
    return '[secret]';
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}

/** What a bearer token may be (RFC 6750, `b64token`). */
export const BEARER_TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/** Mechanisms with a user name and a password. */
export const PASSWORD_MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;
export type PasswordMechanism = (typeof PASSWORD_MECHANISMS)[number];

/** What the sidecar owns, and shows by SASL. */
export type OwnCredential =
  | { readonly mechanism: PasswordMechanism; readonly username: string; readonly password: Secret }
  | {
      readonly mechanism: 'OAUTHBEARER';
      readonly token: Secret;
      /** SASL extensions (KIP-342), by name. */
      readonly extensions: Readonly<Record<string, string>>;
    };

export type Credential =
  | OwnCredential
  | {
      /** What a client showed, passed on as it is. */
      readonly mechanism: 'PASSED';
      /** The protocol's own name of the method. */
      readonly method: string;
      /** Its bytes, as latin1. */
      readonly data: Secret;
    };

/** A user of the sidecar itself, for whom it plays the broker's part of SASL. */
export interface LocalUser {
  /** The identity whose broker connections this user's requests go to. */
  readonly identity: string;
  readonly password: Secret;
}

/** Those who may authenticate at a listener; asked at every attempt, for the file behind it may change. */
export interface LocalUsers {
  readonly mechanisms: readonly PasswordMechanism[];
  find(username: string): LocalUser | undefined;
}
