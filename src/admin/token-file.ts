/**
 * The token that changes are asked for with. The file is looked at whenever somebody shows a token, so that a new one
 * holds, and an old one ends, from the next request on. What is kept of it is its digest alone.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { AdminFileError } from './admin-file-error.ts';

const KEY = 'admin.tokenFile';
const MIN_CHARACTERS = 16;
const MAX_BYTES = 4096;

/** What of a logger is needed here. */
export interface TokenLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export class TokenFile {
  readonly #path: string;
  readonly #log: TokenLog;
  #digest: Buffer;
  /** Of the file as it was looked at last, right or wrong. */
  #version: string;
  #refreshed: Promise<void> = Promise.resolve();

  /** @throws {AdminFileError} if the file cannot be read or holds no token */
  static async open(path: string, log: TokenLog): Promise<TokenFile> {
    const version = await versionOf(path);
    try {
      return new TokenFile(path, log, await read(path), version);
    } catch (error) {
      throw new AdminFileError(KEY, `${path} ${reasonOf(error)}`, { cause: error });
    }
  }

  private constructor(path: string, log: TokenLog, digest: Buffer, version: string) {
    this.#path = path;
    this.#log = log;
    this.#digest = digest;
    this.#version = version;
  }

  /** Whether this is the token; takes as long for a wrong one as for the right one. */
  async accepts(shown: string): Promise<boolean> {
    // One after the other: nobody is judged by a digest while a newer one is being read.
    this.#refreshed = this.#refreshed.then(() => this.#refresh());
    await this.#refreshed;
    return timingSafeEqual(digestOf(shown), this.#digest);
  }

  /** A file that has become wrong changes nothing: the last good token holds. */
  async #refresh(): Promise<void> {
    const version = await versionOf(this.#path);
    if (version === this.#version) return;
    this.#version = version;
    try {
      this.#digest = await read(this.#path);
      this.#log.info({ file: this.#path }, 'the admin token was read anew');
    } catch (error) {
      const detail = `${KEY}: ${this.#path} ${reasonOf(error)}`;
      this.#log.warn({ detail }, 'the admin token could not be read anew, the last one holds');
    }
  }
}

/** Changes with the file, through symbolic links; a text of its own while there is none. */
async function versionOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (error) {
    return reasonOf(error);
  }
}

class NoToken extends Error {}

/** @returns the digest @throws {NoToken} or the system's error */
async function read(path: string): Promise<Buffer> {
  const found = await stat(path);
  // A pipe would be waited for, and a device would never end.
  if (!found.isFile()) throw new NoToken('is not a file');
  if (found.size > MAX_BYTES) throw new NoToken(`is longer than ${MAX_BYTES} bytes: it must hold the token alone`);
  const token = (await readFile(path, 'utf8')).trim();
  if (token.length < MIN_CHARACTERS) throw new NoToken(`must hold a token of at least ${MIN_CHARACTERS} characters`);
  if (!/^[\x21-\x7e]+$/.test(token)) throw new NoToken('must hold one token of ASCII characters without spaces');
  return digestOf(token);
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function reasonOf(error: unknown): string {
  if (error instanceof NoToken) return error.message;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'an unknown error';
  return code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
}
