/** The other side of messages.ts: the requests of clients, and our answers. */
import { Cursor } from '../cursor.ts';
import { Writer } from '../writer.ts';
import { FIRST_FLEXIBLE_AUTHENTICATE, FIRST_WITH_LIFETIME } from './messages.ts';

/** @param at behind the client id @throws {MalformedError} */
export function readHandshakeRequest(bytes: Buffer, at: number, end: number): string {
  return new Cursor(bytes, at, end, false).string() ?? '';
}

/** The token, a copy. @param at behind the client id @throws {MalformedError} */
export function readAuthenticateRequest(version: number, bytes: Buffer, at: number, end: number): Buffer {
  const cursor = new Cursor(bytes, at, end, version >= FIRST_FLEXIBLE_AUTHENTICATE);
  cursor.skipTags(); // of the header
  return cursor.takeBytes();
}

export function handshakeAnswer(correlationId: number, error: number, mechanisms: readonly string[]): Buffer {
  const writer = new Writer(false).int32(correlationId).int16(error).arrayLength(mechanisms.length);
  for (const mechanism of mechanisms) writer.string(mechanism);
  return writer.frame();
}

export interface AuthenticateReply {
  readonly error: number;
  readonly message: string | null;
  readonly token: Buffer;
}

/** A session of ours lasts as long as its connection. */
export function authenticateAnswer(
  version: number,
  correlationId: number,
  { error, message, token }: AuthenticateReply,
): Buffer {
  const writer = new Writer(version >= FIRST_FLEXIBLE_AUTHENTICATE).int32(correlationId).noTags();
  writer.int16(error).string(message).lengthAndBytes(token);
  if (version >= FIRST_WITH_LIFETIME) writer.int64(0);
  return writer.noTags().frame();
}

/** A token as it stands behind a handshake of version 0: its length and itself (KIP-43). */
export function bareToken(token: Buffer): Buffer {
  return new Writer(false).lengthAndBytes(token).bytes();
}
