/** The files that a command needs to ask a sidecar: its token, and who has signed its certificate. */
import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { CommandError } from './command-error.ts';

const MAX_BYTES = 1024 * 1024;

/** @throws {CommandError} FILE_UNUSABLE, without what is in the file */
export async function readToken(path: string): Promise<string> {
  const token = (await read('--admin-token-file', path)).trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw unusable('--admin-token-file', path, 'must hold one token of ASCII characters without spaces');
}

/** Certificates in PEM. @throws {CommandError} FILE_UNUSABLE */
export async function readAuthority(path: string): Promise<string> {
  const text = await read('--admin-ca-file', path);
  const why = 'must hold certificates in PEM';
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  if (blocks === null) throw unusable('--admin-ca-file', path, why);
  try {
    // OpenSSL passes over what it cannot read and would find the sidecar not trusted.
    for (const block of blocks) new X509Certificate(block);
  } catch (error) {
    throw unusable('--admin-ca-file', path, why, error);
  }
  return text;
}

async function read(option: string, path: string): Promise<string> {
  try {
    const about = await stat(path);
    if (!about.isFile()) throw unusable(option, path, 'is not a file');
    if (about.size > MAX_BYTES) throw unusable(option, path, `is larger than ${MAX_BYTES} bytes`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw unusable(option, path, code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`, error);
  }
}

function unusable(option: string, path: string, why: string, cause?: unknown): CommandError {
  return new CommandError('FILE_UNUSABLE', `${option}: ${path} ${why}`, { cause });
}
