/**
 * Where a client that passes its SASL through stands (KIP-43). Behind a SaslHandshake of version 0 tokens come bare, a length
 * and the token, and nothing says which is the last: with GSSAPI the last has not even an answer. So a frame is taken for a
 * request as soon as it can be one: its key and version are known and its client id fits. No token of a mechanism in use
 * begins so: GSSAPI's begin with 0x60 or 0x05, those of SCRAM, OAUTHBEARER and DIGEST-MD5 with a letter, and PLAIN's only one
 * comes first, where a token must stand. In doubt it is a request: a token taken for one costs its own connection, whose
 * answer then fits nothing; a request taken for a token would be answered with the brokers' own addresses.
 */
import { APIS } from '../api-table.ts';
import { FIXED_HEAD_BYTES, SIZE_BYTES } from '../request-head.ts';

/** `first`: a token must come; `more`: a token or a request. */
type Stage = 'requests' | 'first' | 'more';

/** What brokers take (`sasl.server.max.receive.size`). */
export const MOST_TOKEN_BYTES = 512 * 1024;
const CLIENT_ID_LENGTH_BYTES = 2;

export class BareTokens {
  #stage: Stage = 'requests';

  /**
   * Whether the frame at `start`, whose length is known, is a bare token.
   *
   * @returns undefined while too little of it is there
   */
  isToken(bytes: Buffer, start: number, end: number): boolean | undefined {
    if (this.#stage !== 'more') return this.#stage === 'first';
    const left = bytes.readInt32BE(start) - (FIXED_HEAD_BYTES - SIZE_BYTES) - CLIENT_ID_LENGTH_BYTES;
    if (left < 0) return true;
    if (end - start < FIXED_HEAD_BYTES + CLIENT_ID_LENGTH_BYTES) return undefined;
    const api = APIS[bytes.readInt16BE(start + 4)];
    const version = bytes.readInt16BE(start + 6);
    const clientId = bytes.readInt16BE(start + FIXED_HEAD_BYTES);
    return (
      api === undefined || version < api.minVersion || version > api.maxVersion || clientId < -1 || clientId > left
    );
  }

  /** The request was forwarded or answered. @param handshake its version, if it is a SaslHandshake */
  tookRequest(handshake: number | null): void {
    this.#stage = handshake === 0 ? 'first' : 'requests';
  }

  tookToken(): void {
    this.#stage = 'more';
  }
}
