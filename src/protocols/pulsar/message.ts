/**
 * Small commands of Pulsar, read and written as a whole: what is not on the path of every message.
 *
 *   frame   := totalSize:u32 commandSize:u32 BaseCommand [payload]     totalSize counts all that follows it
 *   BaseCommand := type:varint as field 1, and a message whose field number is that type (PulsarApi.proto)
 *
 * Numbers have 64 bits and are BigInts: request ids of some clients begin anywhere below 2^62.
 */

/** The bytes follow no grammar of ours. */
export class MalformedError extends Error {
  readonly code = 'PULSAR_MALFORMED';
}

export interface Field {
  readonly number: number;
  /** Of a varint; else 0: numbers of a fixed size are skipped. */
  readonly value: bigint;
  /** Where its value stands; that of text, bytes or a message without its length. */
  readonly at: number;
  readonly end: number;
  /** Where the whole field begins. */
  readonly start: number;
  readonly wire: number;
}

export interface Command {
  readonly type: number;
  /** Where the fields of its message stand. */
  readonly at: number;
  readonly end: number;
}

export const FRAME_HEAD_BYTES = 8;
const MOST_VARINT_BYTES = 10;
const VARINT = 0;
const FIXED_64 = 1;
const DELIMITED = 2;
const FIXED_32 = 5;
/** Larger field numbers are not allowed in a message. */
const LARGEST_FIELD = 0x1fff_ffff;

interface Varint {
  readonly value: bigint;
  readonly next: number;
}

function varintAt(bytes: Buffer, at: number, end: number): Varint {
  let value = 0n;
  for (let index = 0; index < MOST_VARINT_BYTES; index += 1) {
    const byte = at + index < end ? bytes[at + index] : undefined;
    if (byte === undefined) throw new MalformedError('a number ends within itself');
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), next: at + index + 1 };
  }
  throw new MalformedError('a number is longer than ten bytes');
}

/** The fields of the message in `bytes[start, end)`, in order. @throws {MalformedError} */
export function fieldsOf(bytes: Buffer, start: number, end: number): Field[] {
  const fields: Field[] = [];
  let at = start;
  while (at < end) {
    const tag = varintAt(bytes, at, end);
    const number = Number(tag.value >> 3n);
    const wire = Number(tag.value & 7n);
    if (number < 1 || number > LARGEST_FIELD) throw new MalformedError(`a field has the number ${tag.value >> 3n}`);
    const field = fieldAt(bytes, at, tag.next, end, number, wire);
    fields.push(field);
    at = field.end;
  }
  return fields;
}

function fieldAt(bytes: Buffer, start: number, at: number, end: number, number: number, wire: number): Field {
  if (wire === VARINT) {
    const { value, next } = varintAt(bytes, at, end);
    return { number, value, at, end: next, start, wire };
  }
  if (wire === DELIMITED) {
    const { value, next } = varintAt(bytes, at, end);
    if (value > BigInt(end - next)) throw new MalformedError(`field ${number} is longer than its message`);
    return { number, value: 0n, at: next, end: next + Number(value), start, wire };
  }
  const size = wire === FIXED_64 ? 8 : wire === FIXED_32 ? 4 : 0;
  if (size === 0) throw new MalformedError(`field ${number} has the wire type ${wire}`);
  if (size > end - at) throw new MalformedError(`field ${number} is longer than its message`);
  return { number, value: 0n, at, end: at + size, start, wire };
}

/**
 * The command of the frame that begins at `start` and is whole. What two readers could take for two different commands
 * is none. @throws {MalformedError}
 */
export function commandIn(bytes: Buffer, start: number): Command {
  const at = start + FRAME_HEAD_BYTES;
  const end = at + bytes.readUInt32BE(start + 4);
  let type = 0;
  let message: Field | null = null;
  for (const field of fieldsOf(bytes, at, end)) {
    if (field.number === 1) {
      if (type !== 0 || field.wire !== VARINT) throw new MalformedError('a command has more than one type');
      if (field.value < 2n || field.value > BigInt(LARGEST_FIELD))
        throw new MalformedError(`a command has the type ${field.value}`);
      type = Number(field.value);
    } else {
      if (message !== null || field.wire !== DELIMITED) throw new MalformedError('a frame holds more than one command');
      message = field;
    }
  }
  if (type === 0 || message === null || message.number !== type)
    throw new MalformedError('a frame holds no command of its type');
  return { type, at: message.at, end: message.end };
}

/** The last one of that number and kind counts, as protobuf has it. */
export function lastOf(fields: readonly Field[], number: number, wire: 0 | 2): Field | undefined {
  return fields.findLast((field) => field.number === number && field.wire === wire);
}

export function numberIn(fields: readonly Field[], number: number): bigint | undefined {
  return lastOf(fields, number, VARINT)?.value;
}

export function textIn(bytes: Buffer, fields: readonly Field[], number: number): string | undefined {
  const field = lastOf(fields, number, DELIMITED);
  return field === undefined ? undefined : bytes.toString('utf8', field.at, field.end);
}

/** A copy. */
export function bytesIn(bytes: Buffer, fields: readonly Field[], number: number): Buffer | undefined {
  const field = lastOf(fields, number, DELIMITED);
  return field === undefined ? undefined : Buffer.from(bytes.subarray(field.at, field.end));
}

/** Writes a message field by field. */
export class MessageWriter {
  readonly #parts: Buffer[] = [];

  number(number: number, value: bigint | number | undefined): this {
    if (value === undefined) return this;
    this.#varint(BigInt(number) << 3n);
    this.#varint(BigInt.asUintN(64, BigInt(value)));
    return this;
  }

  flag(number: number, value: boolean): this {
    return this.number(number, value ? 1n : 0n);
  }

  text(number: number, value: string | undefined): this {
    return this.bytes(number, value === undefined ? undefined : Buffer.from(value, 'utf8'));
  }

  bytes(number: number, value: Buffer | undefined): this {
    if (value === undefined) return this;
    this.#varint((BigInt(number) << 3n) | 2n);
    this.#varint(BigInt(value.length));
    this.#parts.push(value);
    return this;
  }

  /** Fields as they stand elsewhere. They are looked at again in `finish`. */
  raw(bytes: Buffer, start: number, end: number): this {
    if (end > start) this.#parts.push(bytes.subarray(start, end));
    return this;
  }

  #varint(value: bigint): void {
    const bytes: number[] = [];
    let left = value;
    while (left >= 0x80n) {
      bytes.push(Number(left & 0x7fn) | 0x80);
      left >>= 7n;
    }
    bytes.push(Number(left));
    this.#parts.push(Buffer.from(bytes));
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** A whole frame without payload. */
export function frameOf(type: number, message: MessageWriter): Buffer {
  const command = new MessageWriter().number(1, type).bytes(type, message.finish()).finish();
  const frame = Buffer.allocUnsafe(FRAME_HEAD_BYTES + command.length);
  frame.writeUInt32BE(4 + command.length, 0);
  frame.writeUInt32BE(command.length, 4);
  command.copy(frame, FRAME_HEAD_BYTES);
  return frame;
}

/** The same command with another number in one of its fields, as a frame of its own. @throws {MalformedError} */
export function withNumber(bytes: Buffer, command: Command, number: number, value: bigint): Buffer {
  const writer = new MessageWriter();
  let from = command.at;
  let written = false;
  for (const field of fieldsOf(bytes, command.at, command.end)) {
    if (field.number !== number) continue;
    writer.raw(bytes, from, field.start);
    if (!written) writer.number(number, value);
    written = true;
    from = field.end;
  }
  if (!written) throw new MalformedError(`field ${number} is missing in a command of type ${command.type}`);
  return frameOf(command.type, writer.raw(bytes, from, command.end));
}
