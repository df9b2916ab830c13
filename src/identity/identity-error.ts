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

/** The key below `options` that names the file of the error - the first one of which its message speaks - or `key`. */
export function keyOfFile(key: string, options: object | null | undefined, error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  const [first] = filesIn(key, options ?? {})
    .map((file) => ({ ...file, at: message.indexOf(file.path) }))
    .filter(({ at }) => at !== -1)
    // One path may be the beginning of another.
    .sort((a, b) => a.at - b.at || b.path.length - a.path.length);
  return first?.key ?? key;
}

function filesIn(key: string, options: object): { readonly key: string; readonly path: string }[] {
  return Object.entries(options).flatMap(([name, value]: [string, unknown]) => {
    if (typeof value === 'object' && value !== null) return filesIn(`${key}.${name}`, value);
    return name.endsWith('File') && typeof value === 'string' ? [{ key: `${key}.${name}`, path: value }] : [];
  });
}
