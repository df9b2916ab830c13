/**
 * How a new connection of ours tells its broker who we are (KIP-43, KIP-152): ApiVersions, SaslHandshake, SaslAuthenticate
 * until the mechanism is content. One request at a time: behind TLS brokers take up what was sent ahead only when they look
 * again, up to 300 ms later.
 */
import type { OwnCredential } from '../../../contract/credential.ts';
import { ANSWER_HEAD_BYTES } from '../answers.ts';
import { ApiKey } from '../api-table.ts';
import { Cursor, MalformedError } from '../cursor.ts';
import { apiVersionsRequest } from '../own-requests.ts';
import { brokersWords } from './brokers-words.ts';
import { type ClientMechanism, RefusedError } from './mechanism.ts';
import {
  FIRST_FLEXIBLE_AUTHENTICATE,
  HANDSHAKE_VERSION,
  readAuthenticateAnswer,
  readHandshakeAnswer,
  SaslError,
  saslAuthenticateRequest,
  saslHandshakeRequest,
} from './messages.ts';
import { OauthBearerClient } from './oauth-bearer-client.ts';
import { PlainClient } from './plain-client.ts';
import { ScramClient } from './scram-client.ts';
import type { ScramKeyCache } from './scram-keys.ts';

/** What brokers take at most before they know who asks; they answer no more either. */
export const MOST_ANSWER_BYTES = 512 * 1024;
const NEWEST_AUTHENTICATE = 2;
/** Tokens in a row; the longest exchange that we know has three. */
const MOST_ROUNDS = 4;

export class Authentication {
  /** Of this connection, from now on (KIP-368); 0: without end. */
  lifetimeMilliseconds = 0;
  readonly #credential: OwnCredential;
  readonly #mechanism: ClientMechanism;
  /** A correlation id for a request of ours. */
  readonly #expect: (apiKey: number, version: number) => number;
  #authenticateVersion = 0;
  #rounds = 0;

  constructor(credential: OwnCredential, cache: ScramKeyCache, expect: (apiKey: number, version: number) => number) {
    this.#credential = credential;
    this.#mechanism = mechanismOf(credential, cache);
    this.#expect = expect;
  }

  /** What it may mean if the broker closes the connection now. */
  get closeHint(): string | undefined {
    if (this.#rounds === 0) return undefined;
    return `it was to judge ${this.#who()}, and some brokers close the connection instead of refusing`;
  }

  begin(): Buffer {
    return apiVersionsRequest(0, this.#expect(ApiKey.apiVersions, 0));
  }

  /**
   * Takes the answer to the last request of ours.
   *
   * @returns the next one; null: the broker knows us
   * @throws {RefusedError}
   * @throws {MalformedError}
   */
  take(apiKey: number, version: number, bytes: Buffer, start: number, end: number): Buffer | null {
    const cursor = new Cursor(bytes, start + ANSWER_HEAD_BYTES, end, isFlexible(apiKey, version));
    switch (apiKey) {
      case ApiKey.apiVersions:
        return this.#shakeHands(cursor);
      case ApiKey.saslHandshake:
        this.#checkHandshake(cursor);
        return this.#send(this.#mechanism.first());
      default:
        return this.#exchange(cursor, version);
    }
  }

  #shakeHands(cursor: Cursor): Buffer {
    const error = cursor.int16();
    if (error !== 0) throw new RefusedError(`the broker answers ApiVersions with error ${error}`);
    let handshake = -1;
    let authenticate = -1;
    for (let left = cursor.arrayLength(); left > 0; left -= 1) {
      const key = cursor.int16();
      cursor.skip(2);
      const max = cursor.int16();
      if (key === ApiKey.saslHandshake) handshake = max;
      if (key === ApiKey.saslAuthenticate) authenticate = max;
    }
    if (handshake < HANDSHAKE_VERSION || authenticate < 0)
      throw new RefusedError(
        'the broker is too old, or offers no SASL: it lacks SaslHandshake 1 and SaslAuthenticate (Kafka 1.0)',
        'mechanism_unsupported',
      );
    this.#authenticateVersion = Math.min(NEWEST_AUTHENTICATE, authenticate);
    const id = this.#expect(ApiKey.saslHandshake, HANDSHAKE_VERSION);
    return saslHandshakeRequest(this.#credential.mechanism, id);
  }

  #checkHandshake(cursor: Cursor): void {
    const { error, mechanisms } = readHandshakeAnswer(cursor);
    if (error === 0) return;
    const { mechanism } = this.#credential;
    if (error === SaslError.unsupportedMechanism) {
      const offered = mechanisms.length === 0 ? 'none' : mechanisms.join(', ');
      const detail = `the broker does not offer ${mechanism}; it offers ${this.#words(offered)}`;
      throw new RefusedError(detail, 'mechanism_unsupported');
    }
    if (error === SaslError.illegalState)
      throw new RefusedError(
        'the broker takes no SASL on this port: remove upstream.sasl, or dial a port with a SASL listener',
        'mechanism_unsupported',
      );
    throw new RefusedError(`the broker answers the handshake for ${mechanism} with error ${error}`);
  }

  #exchange(cursor: Cursor, version: number): Buffer | null {
    const { error, message, token, lifetimeMilliseconds } = readAuthenticateAnswer(cursor, version);
    if (error !== 0) throw new RefusedError(this.#refusal(error, message));
    const next = this.#next(token);
    if (next !== null) return this.#send(next);
    this.lifetimeMilliseconds = lifetimeMilliseconds;
    return null;
  }

  /** A mechanism quotes the broker, who may quote us. */
  #next(token: Buffer): Buffer | null {
    try {
      return this.#mechanism.next(token);
    } catch (error) {
      if (error instanceof RefusedError) throw new RefusedError(this.#words(error.message), error.failure);
      throw error;
    }
  }

  #send(token: Buffer): Buffer {
    this.#rounds += 1;
    if (this.#rounds > MOST_ROUNDS) throw new MalformedError(`SASL tokens without end, after ${MOST_ROUNDS} of ours`);
    const version = this.#authenticateVersion;
    const request = saslAuthenticateRequest(version, this.#expect(ApiKey.saslAuthenticate, version), token);
    token.fill(0);
    return request;
  }

  #refusal(error: number, message: string): string {
    const complaint = this.#mechanism instanceof OauthBearerClient ? this.#mechanism.complaint : '';
    const words = [message, complaint].filter((each) => each !== '').join(' ');
    const said = words === '' ? `error ${error}` : words;
    return `the broker refuses ${this.#who()}: ${this.#words(said)}`;
  }

  #who(): string {
    const { mechanism } = this.#credential;
    return 'username' in this.#credential
      ? `user ${this.#credential.username} (${mechanism})`
      : `the token (${mechanism})`;
  }

  #words(text: string): string {
    return brokersWords(text, this.#credential);
  }
}

function mechanismOf(credential: OwnCredential, cache: ScramKeyCache): ClientMechanism {
  switch (credential.mechanism) {
    case 'PLAIN':
      return new PlainClient(credential.username, credential.password);
    case 'OAUTHBEARER':
      return new OauthBearerClient(credential.token, credential.extensions);
    default:
      return new ScramClient(credential.mechanism, credential.username, credential.password, cache);
  }
}

function isFlexible(apiKey: number, version: number): boolean {
  return apiKey === ApiKey.saslAuthenticate && version >= FIRST_FLEXIBLE_AUTHENTICATE;
}
