/**
 * What both sides of SCRAM compute (RFC 5802, RFC 7677; KIP-84). Kafka normalises no password (no SASLprep), and binds no
 * channel: the header is always `n,,`.
 *
 *   SaltedPassword = PBKDF2(password, salt, iterations)
 *   ClientKey = HMAC(SaltedPassword, "Client Key"); StoredKey = H(ClientKey); ServerKey = HMAC(SaltedPassword, "Server Key")
 *   AuthMessage = client-first-bare , server-first , client-final-without-proof
 *   ClientProof = ClientKey XOR HMAC(StoredKey, AuthMessage); ServerSignature = HMAC(ServerKey, AuthMessage)
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { PasswordMechanism, Secret } from '../../../contract/credential.ts';
import { MalformedError } from '../cursor.ts';

export type ScramMechanism = Exclude<PasswordMechanism, 'PLAIN'>;

interface Hash {
  readonly name: 'sha256' | 'sha512';
  readonly bytes: number;
}

const HASHES: Readonly<Record<ScramMechanism, Hash>> = {
  'SCRAM-SHA-256': { name: 'sha256', bytes: 32 },
  'SCRAM-SHA-512': { name: 'sha512', bytes: 64 },
};

/** Fewer are too few (RFC 7677); as many as brokers ever ask for take a second of the process. */
export const FEWEST_ITERATIONS = 4096;
export const MOST_ITERATIONS = 1_000_000;
/** `n,,` in Base64. */
export const CHANNEL_BINDING = 'c=biws';
export const GS2_HEADER = 'n,,';

export const MOST_MESSAGE_BYTES = 4096;

/** 144 bits; no comma and no padding among its characters. */
export function newNonce(): string {
  return randomBytes(18).toString('base64');
}

export interface ScramKeys {
  readonly clientKey: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** Takes a millisecond or a few at the fewest iterations, in proportion at more, and nothing else runs meanwhile. */
export function deriveKeys(mechanism: ScramMechanism, password: Secret, salt: Buffer, iterations: number): ScramKeys {
  const { name, bytes } = HASHES[mechanism];
  const salted = pbkdf2Sync(password.reveal(), salt, iterations, bytes, name);
  const clientKey = createHmac(name, salted).update('Client Key').digest();
  const serverKey = createHmac(name, salted).update('Server Key').digest();
  salted.fill(0);
  return { clientKey, storedKey: createHash(name).update(clientKey).digest(), serverKey };
}

export function hmacOf(mechanism: ScramMechanism, key: Buffer, message: string): Buffer {
  return createHmac(HASHES[mechanism].name, key).update(message).digest();
}

export function hashOf(mechanism: ScramMechanism, bytes: Buffer): Buffer {
  return createHash(HASHES[mechanism].name).update(bytes).digest();
}

/** Of equal length. */
export function xor(one: Buffer, other: Buffer): Buffer {
  const result = Buffer.allocUnsafe(one.length);
  for (const [index, byte] of one.entries()) result[index] = byte ^ (other[index] ?? 0);
  return result;
}

/** A user name as it stands in a message. */
export function escapeName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

/** @throws {MalformedError} */
export function unescapeName(name: string): string {
  if (/=(?!2C|3D)/.test(name)) throw new MalformedError('a user name in a SCRAM message is not escaped');
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

/** The values of `a=1,b=2`, which must be these attributes in this order; more may follow. @throws {MalformedError} */
export function attributesOf(message: string, names: readonly string[]): string[] {
  const parts = message.split(',');
  return names.map((name, index) => {
    const part = parts[index];
    if (part === undefined || !part.startsWith(`${name}=`))
      throw new MalformedError(`a SCRAM message lacks the attribute ${name}`);
    return part.slice(name.length + 1);
  });
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** @throws {MalformedError} */
export function fromBase64(text: string): Buffer {
  if (text === '' || !BASE64.test(text)) throw new MalformedError('a value in a SCRAM message is not in Base64');
  return Buffer.from(text, 'base64');
}
