/** An application that authenticates itself: the client's part of SASL, written from the RFCs for these tests alone. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import {
  type LocalUser,
  type LocalUsers,
  type PasswordMechanism,
  Secret,
} from '../../../../src/contract/credential.ts';
import { type ClientSession, Verdict } from '../../../../src/contract/protocol.ts';
import { request } from '../requests.ts';
import { form, frame, join } from '../wire.ts';

export const MECHANISMS: readonly PasswordMechanism[] = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'];

/** Users whose identities are called as they are. */
export class UserTable implements LocalUsers {
  readonly mechanisms: readonly PasswordMechanism[];
  readonly asked: string[] = [];
  readonly #users = new Map<string, LocalUser>();

  constructor(passwords: Readonly<Record<string, string>>, mechanisms: readonly PasswordMechanism[] = MECHANISMS) {
    this.mechanisms = mechanisms;
    for (const [name, password] of Object.entries(passwords)) this.set(name, password);
  }

  set(name: string, password: string): void {
    this.#users.set(name, { identity: name, password: new Secret(password) });
  }
  remove(name: string): void {
    this.#users.delete(name);
  }
  find(username: string): LocalUser | undefined {
    this.asked.push(username);
    return this.#users.get(username);
  }
}

export function handshakeRequest(version: number, id: number, mechanism: string): Buffer {
  return request(17, version, id, { body: form(false).string(mechanism) });
}

export function authenticateRequest(version: number, id: number, token: Buffer): Buffer {
  const write = form(version >= 2);
  return request(36, version, id, { body: join(write.bytes(token), write.tags()) });
}

export interface HeardToken {
  readonly error: number;
  readonly message: string | null;
  readonly token: Buffer;
}

/** Reads a SaslAuthenticate answer to the request of that id, whose message and token are short. */
export function heardToken(bytes: Buffer, version: number): HeardToken {
  let at = version >= 2 ? 9 : 8;
  const take = (size: number): Buffer => {
    at += size;
    return bytes.subarray(at - size, at);
  };
  const error = take(2).readInt16BE();
  const length = version >= 2 ? take(1).readUInt8() - 1 : take(2).readInt16BE();
  const message = length < 0 ? null : take(length).toString();
  let size = version >= 2 ? take(1).readUInt8() : take(4).readInt32BE();
  if (version >= 2 && size > 0x7f) size = (size & 0x7f) + take(1).readUInt8() * 128;
  const token = take(version >= 2 ? size - 1 : size);
  if (version >= 1 && take(8).readBigInt64BE() !== 0n) throw new Error('a session of ours does not end');
  if (version >= 2) take(1);
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes too many`);
  return { error, message, token };
}

export const NONCE = 'fyko+d2lbbFgONRv9qkxdawL';

/** The tokens of one exchange: the first, and what follows the server's. */
export interface Tokens {
  readonly first: Buffer;
  readonly next: (challenge: Buffer) => Buffer | null;
}

export function tokensOf(mechanism: string, username: string, password: string): Tokens {
  if (mechanism === 'PLAIN') return { first: Buffer.from(`\0${username}\0${password}`), next: () => null };
  const hash = mechanism === 'SCRAM-SHA-512' ? 'sha512' : 'sha256';
  const bare = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${NONCE}`;
  let signature = '';
  const next = (challenge: Buffer): Buffer | null => {
    if (signature !== '') {
      if (challenge.toString() !== signature) throw new Error('the sidecar does not know the password');
      return null;
    }
    const [, nonce = '', salt = '', iterations = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(challenge.toString()) ?? [];
    if (!nonce.startsWith(NONCE) || Number(iterations) < 4096) throw new Error(`a bad challenge: ${challenge}`);
    const salted = pbkdf2Sync(
      password,
      Buffer.from(salt, 'base64'),
      Number(iterations),
      hash === 'sha512' ? 64 : 32,
      hash,
    );
    const key = createHmac(hash, salted).update('Client Key').digest();
    const message = `${bare},${challenge},c=biws,r=${nonce}`;
    const mask = createHmac(hash, createHash(hash).update(key).digest()).update(message).digest();
    const server = createHmac(hash, salted).update('Server Key').digest();
    signature = `v=${createHmac(hash, server).update(message).digest('base64')}`;
    const proof = Buffer.from(key.map((byte, index) => byte ^ (mask[index] ?? 0)));
    return Buffer.from(`c=biws,r=${nonce},p=${proof.toString('base64')}`);
  };
  return { first: Buffer.from(`n,,${bare}`), next };
}

export interface SaidAndHeard {
  readonly verdict: Verdict;
  readonly heard: Buffer | null;
}

/** Says it, one byte more at a time, until the session knows what becomes of it. */
export function say(client: ClientSession, bytes: Buffer, mayAnswer = true): SaidAndHeard {
  for (let end = 0; end < bytes.length; end += 1) {
    const early = client.inspect(bytes, 0, end, mayAnswer, false);
    if (early !== Verdict.incomplete && early !== Verdict.forward)
      throw new Error(`judged ${early} by ${end} bytes of ${bytes.length}`);
  }
  const once = client.inspect(bytes, 0, bytes.length, mayAnswer, false);
  const verdict = client.inspect(bytes, 0, bytes.length, mayAnswer, false);
  if (once !== verdict) throw new Error(`judged ${verdict}, and before that ${once}`);
  const isAnswered = verdict === Verdict.answer || verdict === Verdict.dismiss;
  if (isAnswered && client.size !== bytes.length) throw new Error(`${client.size} bytes, not ${bytes.length}`);
  const heard = isAnswered ? client.answer() : null;
  return { verdict, heard: heard?.length === 0 ? null : heard };
}

export type Outcome = 'known' | HeardToken;

/** A whole exchange with SaslAuthenticate in that version. */
export function authenticate(
  client: ClientSession,
  mechanism: string,
  username: string,
  password: string,
  version = 2,
): Outcome {
  const shaken = say(client, handshakeRequest(1, 1, mechanism));
  if (shaken.verdict !== Verdict.answer || shaken.heard?.readInt16BE(8) !== 0)
    throw new Error(`no handshake: ${client.closeDetail}`);
  const { first, next } = tokensOf(mechanism, username, password);
  for (let token: Buffer | null = first; token !== null; ) {
    const { verdict, heard } = say(client, authenticateRequest(version, 2, token));
    if (heard === null) throw new Error(`no answer: ${client.closeDetail}`);
    const said = heardToken(heard, version);
    if (verdict === Verdict.dismiss) return said;
    token = next(said.token);
  }
  return 'known';
}

/** The same in bare tokens, behind a handshake of version 0; null: the connection was closed. */
export function authenticateBare(
  client: ClientSession,
  mechanism: string,
  username: string,
  password: string,
): Outcome | null {
  say(client, handshakeRequest(0, 1, mechanism));
  const { first, next } = tokensOf(mechanism, username, password);
  for (let token: Buffer | null = first; token !== null; ) {
    const { heard } = say(client, frame(token));
    if (heard === null) return null;
    token = next(heard.subarray(4));
  }
  return 'known';
}

/** What a handshake answers: its error, and the mechanisms. */
export function heardHandshake(bytes: Buffer | null): string {
  if (bytes === null) return 'nothing';
  const names: string[] = [];
  for (let at = 14; at < bytes.length; at += 2 + bytes.readInt16BE(at))
    names.push(bytes.subarray(at + 2, at + 2 + bytes.readInt16BE(at)).toString());
  return [bytes.readInt16BE(8), ...names].join(' ');
}
