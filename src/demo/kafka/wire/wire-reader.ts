/** Bytes that do not follow the grammar of the message they are read as. */
export class MalformedError extends Error {
  readonly code = 'MALFORMED';
}

/** The longest UVARINT that fits 32 bits. */
const MOST_VARINT_BYTES = 5;

/**
 * Reads Kafka's primitive types from one message in one version (protocol guide, "Protocol Primitive Types"). A
 * flexible message has compact lengths, UVARINT(length + 1) with 0 for null, and tagged fields behind every struct.
 */
export class WireReader {
  readonly version: number;
  readonly flexible: boolean;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer, version: number, flexible: boolean) {
    this.#bytes = bytes;
    this.version = version;
    this.flexible = flexible;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  #take(size: number): number {
    if (size < 0 || size > this.left) throw new MalformedError(`a field of ${size} bytes, ${this.left} are left`);
    const at = this.#at;
    this.#at += size;
    return at;
  }

  int8(): number {
    return this.#bytes.readInt8(this.#take(1));
  }
  int16(): number {
    return this.#bytes.readInt16BE(this.#take(2));
  }
  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }
  /** As a number: offsets, producer ids and timestamps stay below 2^53. */
  int64(): number {
    return Number(this.#bytes.readBigInt64BE(this.#take(8)));
  }

  uvarint(): number {
    let value = 0;
    for (let index = 0; index < MOST_VARINT_BYTES; index += 1) {
      const byte = this.#bytes.readUInt8(this.#take(1));
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    throw new MalformedError(`a variable-length number of more than ${MOST_VARINT_BYTES} bytes`);
  }

  /** A view of the message, not a copy. */
  raw(size: number): Buffer {
    const at = this.#take(size);
    return this.#bytes.subarray(at, at + size);
  }

  /** -1 for null. */
  arrayLength(): number {
    const length = this.flexible ? this.uvarint() - 1 : this.int32();
    if (length > this.left) throw new MalformedError(`an array of ${length}, ${this.left} bytes are left`);
    return length;
  }

  string(): string | null {
    const length = this.flexible ? this.uvarint() - 1 : this.int16();
    return length < 0 ? null : this.raw(length).toString('utf8');
  }

  bytes(): Buffer | null {
    const length = this.flexible ? this.uvarint() - 1 : this.int32();
    return length < 0 ? null : this.raw(length);
  }
}
