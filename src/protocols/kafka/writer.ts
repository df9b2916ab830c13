/** Writes Kafka's primitive types; the grammar stands at the cursor. For small answers and own requests only. */
export class Writer {
  readonly #parts: Buffer[] = [];
  readonly #flexible: boolean;

  constructor(flexible: boolean) {
    this.#flexible = flexible;
  }

  /** Taken as they are, not copied before `frame`. */
  raw(bytes: Buffer): this {
    this.#parts.push(bytes);
    return this;
  }

  int8(value: number): this {
    const bytes = Buffer.allocUnsafe(1);
    bytes.writeInt8(value);
    return this.raw(bytes);
  }
  int16(value: number): this {
    const bytes = Buffer.allocUnsafe(2);
    bytes.writeInt16BE(value);
    return this.raw(bytes);
  }
  int32(value: number): this {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeInt32BE(value);
    return this.raw(bytes);
  }

  int64(value: number): this {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigInt64BE(BigInt(value));
    return this.raw(bytes);
  }

  uvarint(value: number): this {
    const bytes: number[] = [];
    let left = value;
    for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
    bytes.push(left);
    return this.raw(Buffer.from(bytes));
  }

  string(value: string | null): this {
    if (value === null) return this.#flexible ? this.uvarint(0) : this.int16(-1);
    const bytes = Buffer.from(value, 'utf8');
    if (this.#flexible) this.uvarint(bytes.length + 1);
    else this.int16(bytes.length);
    return this.raw(bytes);
  }

  /** Bytes behind their length. */
  lengthAndBytes(bytes: Buffer): this {
    return (this.#flexible ? this.uvarint(bytes.length + 1) : this.int32(bytes.length)).raw(bytes);
  }

  arrayLength(length: number): this {
    return this.#flexible ? this.uvarint(length + 1) : this.int32(length);
  }

  /** No tagged fields follow. */
  noTags(): this {
    return this.#flexible ? this.uvarint(0) : this;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** What was written, behind its length. */
  frame(): Buffer {
    const size = this.#parts.reduce((sum, part) => sum + part.length, 0);
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(size);
    return Buffer.concat([length, ...this.#parts]);
  }
}
