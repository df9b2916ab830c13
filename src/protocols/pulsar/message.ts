/**
 * Small commands of Pulsar, read and written as a whole: what is not on the path of every message.
 *
 *   frame   := totalSize:u32 commandSize:u32 BaseCommand [payload]     totalSize counts all that follows it
 *   BaseCommand := type:varint as field 1, and a message whose field number is that type (PulsarApi.proto)
 *
 * Numbers have 64 bits and are BigInts: request ids of some clients begin anywhere below 2^62.
 */

import { DELIMITED, FieldScanner, LARGEST_FIELD, MalformedError, VARINT } from './field-scanner.ts';

export { MalformedError } from './field-scanner.ts';

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

/** The fields of the message in `bytes[start, end)`, in order. @throws {MalformedError} */
export function fieldsOf(bytes: Buffer, start: number, end: number): Field[] {
  const fields: Field[] = [];
  const scanner = new FieldScanner(bytes, start, end);
  while (scanner.next()) {
    const { number, value, at, start: from, wire } = scanner;
    fields.push({ number, value, at, end: scanner.end, start: from, wire });
  }
  return fields;
}

/**
 * The command of the frame that begins at `start` and is whole. What two readers could take for two different commands
 * is none. @throws {MalformedError}
 */
export function commandIn(bytes: Buffer, start: number): Command {
  const at = start + FRAME_HEAD_BYTES;
  const end = at + bytes.readUInt32BE(start + 4);
  const scanner = new FieldScanner(bytes, at, end);
  let type = 0n;
  let message: { readonly number: number; readonly at: number; readonly end: number } | null = null;
  while (scanner.next()) {
    if (scanner.number === 1) {
      if (type !== 0n || scanner.wire !== VARINT) throw new MalformedError('a command has more than one type');
      type = scanner.value;
      if (type < 2n || type > BigInt(LARGEST_FIELD)) throw new MalformedError(`a command has the type ${type}`);
    } else {
      if (message !== null || scanner.wire !== DELIMITED)
        throw new MalformedError('a frame holds more than one command');
      message = { number: scanner.number, at: scanner.at, end: scanner.end };
    }
  }
  if (message === null || message.number !== Number(type))
    throw new MalformedError('a frame holds no command of its type');
  return { type: message.number, at: message.at, end: message.end };
}

/** The number in one field of a command. @throws {MalformedError} */
export function numberOf(bytes: Buffer, command: Command, number: number): bigint | undefined {
  const scanner = new FieldScanner(bytes, command.at, command.end);
  let value: bigint | undefined;
  while (scanner.next()) if (scanner.number === number && scanner.wire === VARINT) value = scanner.value;
  return value;
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

/** A copy that lives long: in memory of its own, for one from the pool keeps all of the pool's 64 KiB. */
export function lastingCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
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
  const scanner = new FieldScanner(bytes, command.at, command.end);
  while (scanner.next()) {
    if (scanner.number !== number) continue;
    writer.raw(bytes, from, scanner.start);
    if (!written) writer.number(number, value);
    written = true;
    from = scanner.end;
  }
  if (!written) throw new MalformedError(`field ${number} is missing in a command of type ${command.type}`);
  return frameOf(command.type, writer.raw(bytes, from, command.end));
}
