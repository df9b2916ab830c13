/** Writes Kafka's primitive types for one message in one version; the counterpart of the reader. */
export class WireWriter {
  readonly version: number;
  readonly flexible: boolean;
  readonly #parts: Buffer[] = [];

  constructor(version: number, flexible: boolean) {
    this.version = version;
    this.flexible = flexible;
  }

  int8(value: number): void {
    const bytes = Buffer.alloc(1);
    bytes.writeInt8(value);
    this.raw(bytes);
  }
  int16(value: number): void {
    const bytes = Buffer.alloc(2);
    bytes.writeInt16BE(value);
    this.raw(bytes);
  }
  int32(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    this.raw(bytes);
  }
  int64(value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(BigInt(value));
    this.raw(bytes);
  }

  uvarint(value: number): void {
    const bytes: number[] = [];
    let left = value;
    for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
    bytes.push(left);
    this.raw(Buffer.from(bytes));
  }

  /** Taken as they are, copied in `finish`. */
  raw(bytes: Buffer): void {
    this.#parts.push(bytes);
  }

  /** -1 for null. */
  arrayLength(length: number): void {
    if (this.flexible) this.uvarint(length + 1);
    else this.int32(length);
  }

  string(value: string | null): void {
    const bytes = value === null ? null : Buffer.from(value, 'utf8');
    if (this.flexible) this.uvarint(bytes === null ? 0 : bytes.length + 1);
    else this.int16(bytes === null ? -1 : bytes.length);
    if (bytes !== null) this.raw(bytes);
  }

  bytes(value: Buffer | null): void {
    if (this.flexible) this.uvarint(value === null ? 0 : value.length + 1);
    else this.int32(value === null ? -1 : value.length);
    if (value !== null) this.raw(value);
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts);
  }
}
