/**
 * Reads Kafka's primitive types, bounds checked (protocol guide, "Protocol Primitive Types"):
 *
 *   int16/32/64 big-endian; STRING int16 length, -1 null; BYTES/ARRAY int32 length, -1 null;
 *   UVARINT 7 bits a byte, low first; COMPACT_* UVARINT(length + 1), 0 null;
 *   tagged fields: UVARINT count, then count x (UVARINT tag, UVARINT size, bytes)
 */

/** An answer that does not follow its grammar. `message` says what and where. */
export class MalformedError extends Error {
  readonly code = 'MALFORMED';
}

/** The longest UVARINT that fits 32 bits. */
const MOST_VARINT_BYTES = 5;

export class Cursor {
  readonly bytes: Buffer;
  readonly end: number;
  at: number;
  /** Compact lengths and tagged fields. */
  readonly flexible: boolean;

  constructor(bytes: Buffer, start: number, end: number, flexible: boolean) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.flexible = flexible;
  }

  #take(size: number): number {
    const at = this.at;
    if (size < 0 || size > this.end - at)
      throw new MalformedError(`a field of ${size} bytes ends beyond its frame at byte ${at}`);
    this.at = at + size;
    return at;
  }

  skip(size: number): void {
    this.#take(size);
  }
  int8(): number {
    return this.bytes.readInt8(this.#take(1));
  }
  int16(): number {
    return this.bytes.readInt16BE(this.#take(2));
  }
  int32(): number {
    return this.bytes.readInt32BE(this.#take(4));
  }

  /** As near as a double comes to it. */
  int64(): number {
    return Number(this.bytes.readBigInt64BE(this.#take(8)));
  }

  uvarint(): number {
    let value = 0;
    for (let index = 0; index < MOST_VARINT_BYTES; index += 1) {
      const byte = this.bytes.readUInt8(this.#take(1));
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    throw new MalformedError(`a length of more than ${MOST_VARINT_BYTES} bytes at byte ${this.at}`);
  }

  /** A length of a string; -1 for null. */
  #stringLength(): number {
    return this.#nullable(this.flexible ? this.uvarint() - 1 : this.int16());
  }

  #nullable(length: number): number {
    if (length < -1) throw new MalformedError(`a length of ${length} before byte ${this.at}`);
    return length;
  }

  string(): string | null {
    const length = this.#stringLength();
    if (length < 0) return null;
    const at = this.#take(length);
    return this.bytes.toString('utf8', at, at + length);
  }

  skipString(): void {
    const length = this.#stringLength();
    if (length > 0) this.#take(length);
  }

  /** A copy; empty for null. */
  takeBytes(): Buffer {
    const length = Math.max(0, this.#nullable(this.flexible ? this.uvarint() - 1 : this.int32()));
    const at = this.#take(length);
    return Buffer.from(this.bytes.subarray(at, at + length));
  }

  skipBytes(): void {
    const length = this.#nullable(this.flexible ? this.uvarint() - 1 : this.int32());
    if (length > 0) this.#take(length);
  }

  /** The number of elements; 0 for null. Each takes a byte at least, so it is bounded by what was received. */
  arrayLength(): number {
    const length = this.#nullable(this.flexible ? this.uvarint() - 1 : this.int32());
    if (length > this.end - this.at)
      throw new MalformedError(`an array of ${length} elements ends beyond its frame at byte ${this.at}`);
    return Math.max(0, length);
  }

  /** Elements of a fixed size. */
  skipArrayOf(size: number): void {
    this.skip(this.arrayLength() * size);
  }

  skipTags(): void {
    if (!this.flexible) return;
    for (let left = this.uvarint(); left > 0; left -= 1) {
      this.uvarint();
      this.skip(this.uvarint());
    }
  }
}
