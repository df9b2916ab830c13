/** An address of the configuration that cannot be bound: the process ends with exit code 2. */
export class AddressError extends Error {
  readonly code = 'ADDRESS_UNAVAILABLE';
  /** Of the configuration, for example `admin.listen`. */
  readonly key: string;
  /** `host:port` as configured. */
  readonly address: string;

  constructor(key: string, address: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`${key}: ${address} cannot be bound: ${why}`, { cause });
    this.name = 'AddressError';
    this.key = key;
    this.address = address;
  }
}
