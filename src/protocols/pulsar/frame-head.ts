/** The first bytes of a frame: its sizes, the type of its command if that is below 128, and the number that comes first. */
import { Type } from './commands.ts';
import { FRAME_HEAD_BYTES } from './message.ts';

export const TELLING_BYTES = 10;
const SIZE_BYTES = 4;
/** An empty command in a frame. */
const SMALLEST_FRAME_BYTES = 9;
/** The tag of a command's type. */
const TYPE_TAG = 0x08;
/** Of field 1, a number. */
const FIRST_NUMBER_TAG = 0x08;
const LARGEST_FACTOR = 2 ** 49;

/** The size of the whole frame; 0 if none can be so long, or so short. */
export function frameSizeAt(bytes: Buffer, at: number, mostBytes: number): number {
  const length = bytes.readUInt32BE(at);
  return length < SMALLEST_FRAME_BYTES - SIZE_BYTES || length > mostBytes ? 0 : SIZE_BYTES + length;
}

/** Why there is no frame of a broker's at `at`. */
export function brokerFrameFault(bytes: Buffer, at: number): string {
  if (bytes.toString('latin1', at, at + SIZE_BYTES) === 'HTTP')
    return 'that port speaks HTTP, as that of the admin API: brokers serve clients on another one, by default 6650';
  return `a broker's frame cannot be ${bytes.readUInt32BE(at)} bytes long`;
}

export function isMessageAt(bytes: Buffer, at: number): boolean {
  return bytes[at + FRAME_HEAD_BYTES] === TYPE_TAG && bytes[at + FRAME_HEAD_BYTES + 1] === Type.message;
}

/**
 * Who a SEND, a SEND_RECEIPT and the like are about, without looking at the rest: the first field of the command if it is
 * written as everybody writes it, and its number has no more than 49 bits. The command is there as a whole.
 *
 * @param type below 16
 * @returns undefined: it is written in another way
 */
export function leadingNumberAt(bytes: Buffer, at: number, type: number): number | undefined {
  const command = at + FRAME_HEAD_BYTES;
  if (bytes[command] !== TYPE_TAG || bytes[command + 1] !== type || bytes[command + 2] !== ((type << 3) | 2))
    return undefined;
  const length = bytes[command + 3] ?? 0;
  // A number that ends within the message, whose own length is one byte.
  if (length >= 0x80 || command + 4 + length !== command + bytes.readUInt32BE(at + SIZE_BYTES)) return undefined;
  if (bytes[command + 4] !== FIRST_NUMBER_TAG) return undefined;
  let value = 0;
  let factor = 1;
  for (let index = command + 5; index < command + 4 + length && factor < LARGEST_FACTOR; index += 1) {
    const byte = bytes[index] ?? 0;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
    factor *= 0x80;
  }
  return undefined;
}
