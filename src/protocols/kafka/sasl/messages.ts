/**
 * SaslHandshake, versions 0 and 1, never flexible (KIP-43), and SaslAuthenticate, versions 0 to 2, flexible from 2 on
 * (KIP-152, KIP-368).
 *
 *   SaslHandshake: Mechanism string                -> ErrorCode int16; Mechanisms [] string
 *   SaslAuthenticate: AuthBytes bytes; v2+ tags    -> ErrorCode int16; ErrorMessage nullable; AuthBytes bytes;
 *                                                     v1+ SessionLifetimeMs int64; v2+ tags
 */
import { ApiKey } from '../api-table.ts';
import type { Cursor } from '../cursor.ts';
import { request } from '../own-requests.ts';
import { Writer } from '../writer.ts';

export const HANDSHAKE_VERSION = 1;
export const FIRST_FLEXIBLE_AUTHENTICATE = 2;
export const FIRST_WITH_LIFETIME = 1;

export const SaslError = { unsupportedMechanism: 33, illegalState: 34, authenticationFailed: 58 } as const;

export function saslHandshakeRequest(mechanism: string, correlationId: number): Buffer {
  return request(ApiKey.saslHandshake, HANDSHAKE_VERSION, correlationId).string(mechanism).frame();
}

export function saslAuthenticateRequest(version: number, correlationId: number, token: Buffer): Buffer {
  const flexible = version >= FIRST_FLEXIBLE_AUTHENTICATE;
  const body = new Writer(flexible).noTags().lengthAndBytes(token).noTags(); // the first tags are the header's
  return request(ApiKey.saslAuthenticate, version, correlationId).raw(body.bytes()).frame();
}

export interface HandshakeAnswer {
  readonly error: number;
  readonly mechanisms: readonly string[];
}

/** @throws {MalformedError} */
export function readHandshakeAnswer(cursor: Cursor): HandshakeAnswer {
  const error = cursor.int16();
  const mechanisms = Array.from({ length: cursor.arrayLength() }, () => cursor.string() ?? '');
  return { error, mechanisms };
}

export interface AuthenticateAnswer {
  readonly error: number;
  readonly message: string;
  readonly token: Buffer;
  /** 0: for ever. */
  readonly lifetimeMilliseconds: number;
}

/** @param cursor behind the correlation id @throws {MalformedError} */
export function readAuthenticateAnswer(cursor: Cursor, version: number): AuthenticateAnswer {
  cursor.skipTags();
  const error = cursor.int16();
  const message = cursor.string() ?? '';
  const token = cursor.takeBytes();
  const lifetime = version >= FIRST_WITH_LIFETIME ? cursor.int64() : 0;
  cursor.skipTags();
  return { error, message, token, lifetimeMilliseconds: Math.max(0, lifetime) };
}
