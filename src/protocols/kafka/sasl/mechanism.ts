/** What every SASL mechanism (RFC 4422) is from a client's side: a first token, then tokens in turn. */
import type { DialFailure } from '../../../contract/reasons.ts';

/** The broker does not take us for whom we say to be, or we do not take it for the broker; says why without a secret. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly failure: DialFailure;

  constructor(message: string, failure: DialFailure = 'authentication_failed') {
    super(message);
    this.failure = failure;
  }
}

/** A client's part of one exchange. */
export interface ClientMechanism {
  /** @throws {RefusedError} if the credential cannot be put into a token */
  first(): Buffer;
  /**
   * Takes the broker's token.
   *
   * @returns ours; null: the exchange is complete
   * @throws {RefusedError}
   * @throws {MalformedError}
   */
  next(token: Buffer): Buffer | null;
}
