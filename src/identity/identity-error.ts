/** A file, or what it holds, without which no identity can be made at start: the process ends with exit code 2. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError';
  readonly code = 'IDENTITY_UNUSABLE';
  /** Of the configuration, for example `routes[0].upstream.tls.caFile`. */
  readonly key: string;

  /** @param cause its message names the file and holds no secret */
  constructor(key: string, cause: unknown) {
    super(`${key}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.key = key;
  }
}

/** The key below `options` that names the file of the error, or `key` itself. */
export function keyOfFile(key: string, options: object | null | undefined, error: unknown): string {
  const path = typeof error === 'object' && error !== null && 'path' in error ? error.path : undefined;
  if (path === undefined) return key;
  for (const [name, value] of Object.entries(options ?? {})) {
    if (value === path) return `${key}.${name}`;
    if (typeof value === 'object' && value !== null) {
      const deeper = keyOfFile(`${key}.${name}`, value, error);
      if (deeper !== `${key}.${name}`) return deeper;
    }
  }
  return key;
}
