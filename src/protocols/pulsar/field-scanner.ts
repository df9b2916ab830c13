/**
 * Walks over the fields of a protobuf message, and makes no object of any: some answers of brokers have a hundred thousand.
 *
 *   field := tag:varint value       tag = field number << 3 | wire type
 *   wire types: 0 varint, 1 eight bytes, 2 length:varint and so many bytes, 5 four bytes; groups (3, 4) are not used
 */

/** The bytes follow no grammar of ours. */
export class MalformedError extends Error {
  readonly code = 'PULSAR_MALFORMED';
}

export const VARINT = 0;
export const DELIMITED = 2;
const FIXED_64 = 1;
const FIXED_32 = 5;
/** Larger field numbers are not allowed in a message. */
export const LARGEST_FIELD = 0x1fff_ffff;
const MOST_VARINT_BYTES = 10;
/** Seven bytes of a varint are exact as a float. */
const EXACT_BYTES = 7;

export class FieldScanner {
  /** Of the field that `next` came to. */
  number = 0;
  wire = 0;
  /** Where it begins, tag and all. */
  start = 0;
  /** Where its value stands; that of text, bytes or a message without its length. */
  at = 0;
  end = 0;
  readonly #bytes: Buffer;
  readonly #limit: number;
  /** What is read next. */
  #position: number;

  /** Of the message in `bytes[start, end)`. */
  constructor(bytes: Buffer, start: number, end: number) {
    if (end > bytes.length) throw new MalformedError('a message is longer than what holds it');
    this.#bytes = bytes;
    this.#position = start;
    this.#limit = end;
  }

  /** False: there are no more. @throws {MalformedError} */
  next(): boolean {
    if (this.#position >= this.#limit) return false;
    this.start = this.#position;
    const tag = this.#varint();
    this.number = tag < 0x80 ? tag >> 3 : Math.floor(tag / 8);
    this.wire = tag < 0x80 ? tag & 7 : tag % 8;
    if (this.number < 1 || this.number > LARGEST_FIELD)
      throw new MalformedError(`a field has the number ${this.number}`);
    switch (this.wire) {
      case VARINT:
        this.at = this.#position;
        this.#skipVarint();
        break;
      case DELIMITED: {
        const length = this.#varint();
        this.at = this.#position;
        this.#skip(length);
        break;
      }
      case FIXED_64:
      case FIXED_32:
        this.at = this.#position;
        this.#skip(this.wire === FIXED_64 ? 8 : 4);
        break;
      default:
        throw new MalformedError(`field ${this.number} has the wire type ${this.wire}`);
    }
    this.end = this.#position;
    return true;
  }

  /** Of a varint, in all of its 64 bits; 0 of anything else. */
  get value(): bigint {
    if (this.wire !== VARINT) return 0n;
    let low = 0;
    let factor = 1;
    const exact = Math.min(this.end, this.at + EXACT_BYTES);
    for (let index = this.at; index < exact; index += 1) {
      low += ((this.#bytes[index] ?? 0) & 0x7f) * factor;
      factor *= 0x80;
    }
    let value = BigInt(low);
    for (let index = exact; index < this.end; index += 1)
      value |= BigInt((this.#bytes[index] ?? 0) & 0x7f) << BigInt(7 * (index - this.at));
    return BigInt.asUintN(64, value);
  }

  /** A tag or a length. Inexact beyond 2^49, where it is too large for either. */
  #varint(): number {
    const first = this.#position;
    const byte = first < this.#limit ? (this.#bytes[first] ?? 0) : 0x80;
    if (byte < 0x80) {
      this.#position = first + 1;
      return byte;
    }
    this.#skipVarint();
    let value = 0;
    for (let index = this.#position - 1; index >= first; index -= 1)
      value = value * 0x80 + ((this.#bytes[index] ?? 0) & 0x7f);
    return value;
  }

  #skipVarint(): void {
    const most = Math.min(this.#limit, this.#position + MOST_VARINT_BYTES);
    for (let index = this.#position; index < most; index += 1) {
      if ((this.#bytes[index] ?? 0) >= 0x80) continue;
      this.#position = index + 1;
      return;
    }
    const why = most === this.#limit ? 'ends within itself' : `is longer than ${MOST_VARINT_BYTES} bytes`;
    throw new MalformedError(`a number ${why}`);
  }

  #skip(length: number): void {
    if (length > this.#limit - this.#position)
      throw new MalformedError(`field ${this.number} is longer than its message`);
    this.#position += length;
  }
}
