/** A frame under another number: in place if the new one takes as many bytes, else with a new beginning. */
import { leadingNumberAt } from './frame-head.ts';
import {
  type Command,
  commandIn,
  FRAME_HEAD_BYTES,
  fieldsOf,
  frameOf,
  MalformedError,
  MessageWriter,
} from './message.ts';

/** What is written instead of a frame's first `replaced` bytes; null: it was changed where it stands. */
export interface Beginning {
  readonly head: Buffer | null;
  readonly replaced: number;
}

const IN_PLACE: Beginning = { head: null, replaced: 0 };

/** Where the number stands that comes first, in a frame as everybody writes it. */
const FIRST_NUMBER_BYTES = 13;

/** As a number if it is exact as one, which is what every message can afford. */
export function shortest(value: number | bigint): number | bigint {
  return typeof value === 'bigint' && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

/**
 * Puts `value` into field 1 of the command of the frame at `bytes[start]`, of which the command is there as a whole. What
 * follows the command, the message of an application and its checksum, stays as it is.
 *
 * @param type of the command, below 16
 * @throws {MalformedError} if the command has no such number, or two
 */
export function renumber(bytes: Buffer, start: number, type: number, value: bigint | number): Beginning {
  const at = start + FIRST_NUMBER_BYTES;
  const isPlain = leadingNumberAt(bytes, start, type) !== undefined && (bytes[at] ?? 0x80) < 0x80;
  if (!isPlain || value >= 0x80) return renumberSlowly(bytes, start, commandIn(bytes, start), value);
  bytes[at] = Number(value);
  return IN_PLACE;
}

function renumberSlowly(bytes: Buffer, start: number, command: Command, value: bigint | number): Beginning {
  const fields = fieldsOf(bytes, command.at, command.end).filter(({ number }) => number === 1);
  const [field] = fields;
  if (field === undefined || fields.length > 1 || field.wire !== 0)
    throw new MalformedError(`a command of type ${command.type} does not say whose it is`);
  if (value < 0x80 && field.end - field.at === 1) {
    bytes[field.at] = Number(value);
    return IN_PLACE;
  }
  const commandBytes = bytes.readUInt32BE(start + 4);
  const message = new MessageWriter()
    .raw(bytes, command.at, field.start)
    .number(1, value)
    .raw(bytes, field.end, command.end);
  const head = frameOf(command.type, message);
  // The frame is as much longer as its command is.
  head.writeUInt32BE(bytes.readUInt32BE(start) - commandBytes + head.readUInt32BE(4), 0);
  return { head, replaced: FRAME_HEAD_BYTES + commandBytes };
}
