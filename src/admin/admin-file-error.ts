/** A file of the admin listener that cannot be used at start: the process ends with exit code 2. */
export class AdminFileError extends Error {
  override readonly name = 'AdminFileError';
  readonly code = 'ADMIN_FILE_INVALID';
  /** Of the configuration, for example `admin.tokenFile`. */
  readonly key: string;

  /** @param why names the file, and never what is in it */
  constructor(key: string, why: string, options?: ErrorOptions) {
    super(`${key}: ${why}`, options);
    this.key = key;
  }
}
