/**
 * Who we are for the brokers of a route. An identity has a name that stays and logins that follow one another, as its files
 * are replaced; connections of two identities, or of two logins, are never in one pool.
 */
import type { Credential } from '../contract/credential.ts';
import type { DialFailure } from '../contract/reasons.ts';
import type { DialTls } from './wire.ts';

/** What cannot be shown to a broker just now; tells why, in a sentence without a secret in it. */
export class LoginError extends Error {
  override readonly name = 'LoginError';
  readonly failure: DialFailure;

  constructor(message: string, failure: DialFailure = 'credential_unavailable', options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

/** One version of an identity: a credential and what secures the connection. Immutable. */
export interface Login {
  /** A keyed hash of all of it: equal only if nothing differs. Safe to show. */
  readonly fingerprint: string;
  readonly tls: DialTls | null;
  /**
   * What to show a broker now: at once if it is at hand, else once it was fetched; null: nothing.
   * @throws {LoginError} or rejects with one
   */
  credential(): Credential | null | Promise<Credential | null>;
}

/** Where the logins of one identity come from. */
export interface LoginSource {
  /** '' for the route's own identity, else the local user's name; shown in views. */
  readonly name: string;
  /** The newest that could be read. */
  readonly login: Login;
}

/** All identities of a route. */
export interface Identities {
  /** Who learns the topology, and what versions brokers have. */
  readonly first: LoginSource;
  /** Who does so while the first is turned away, in this order; absent: nobody. */
  readonly others?: Iterable<LoginSource> | undefined;
  find(name: string): LoginSource | undefined;
  /** A newer login was read, or an identity is gone. Told at most once to each listener for each change. */
  onChange(listener: (name: string) => void): void;
}

/** Nobody in particular over plaintext: routes without `upstream.sasl` and `upstream.tls`. */
export const ANONYMOUS_LOGIN: Login = { fingerprint: '', tls: null, credential: () => null };

const anonymousSource: LoginSource = { name: '', login: ANONYMOUS_LOGIN };

export const ANONYMOUS: Identities = {
  first: anonymousSource,
  find: (name) => (name === '' ? anonymousSource : undefined),
  onChange: () => undefined,
};
