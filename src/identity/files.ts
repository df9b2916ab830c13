/** Files that are read together, and whether one of them has changed since. */
import { readFile, stat } from 'node:fs/promises';

/** Credentials and certificates are small; what is larger was named by mistake. */
export const MAX_FILE_BYTES = 1_048_576;

/** A file that cannot be read, in a sentence that begins with its path. */
export class FileError extends Error {
  override readonly name = 'FileError';
  readonly path: string;

  constructor(path: string, why: string) {
    super(`${path} ${why}`);
    this.path = path;
  }
}

export class Files {
  readonly #contents = new Map<string, Buffer>();
  /** What told each file from its later versions just before it was read. */
  readonly #marks = new Map<string, string>();

  /** The whole file; the same bytes each time it is asked for. @throws {FileError} */
  async read(path: string): Promise<Buffer> {
    const known = this.#contents.get(path);
    if (known !== undefined) return known;
    this.#marks.set(path, await markOf(path));
    const bytes = await contentOf(path);
    this.#contents.set(path, bytes);
    return bytes;
  }

  /** @throws {FileError} if it cannot be read, or is not UTF-8 */
  async text(path: string): Promise<string> {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(await this.read(path));
    } catch (error) {
      if (error instanceof FileError) throw error;
      throw new FileError(path, 'is not UTF-8 text');
    }
  }

  /** A text without the one newline that editors put at the end. @throws {FileError} also if nothing is left */
  async line(path: string): Promise<string> {
    const line = (await this.text(path)).replace(/\r?\n$/, '');
    if (line === '') throw new FileError(path, 'is empty');
    return line;
  }

  /** Equal to `marksNow()` as long as no file has changed since it was read. */
  get marks(): string {
    return [...this.#marks.values()].join(' ');
  }

  async marksNow(): Promise<string> {
    const marks: string[] = [];
    for (const path of this.#marks.keys()) marks.push(await markOf(path));
    return marks.join(' ');
  }
}

/** Symbolic links are followed, so a mark changes too when a folder on the way is swapped for another. */
async function markOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(':');
  } catch (error) {
    return codeOf(error);
  }
}

async function contentOf(path: string): Promise<Buffer> {
  try {
    const about = await stat(path);
    if (!about.isFile()) throw new FileError(path, 'is not a file');
    if (about.size > MAX_FILE_BYTES) throw new FileError(path, `is larger than ${MAX_FILE_BYTES} bytes`);
    return await readFile(path);
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(path, REASONS[codeOf(error)] ?? `cannot be read: ${codeOf(error)}`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EACCES: 'may not be read by this process',
  EPERM: 'may not be read by this process',
};

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
