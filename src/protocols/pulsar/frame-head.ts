/** The first bytes of a broker's frame: its sizes, and the type of its command if that is below 128. */
import { Type } from './commands.ts';
import { FRAME_HEAD_BYTES } from './message.ts';

export const TELLING_BYTES = 10;
const SIZE_BYTES = 4;
/** An empty command in a frame. */
const SMALLEST_FRAME_BYTES = 9;
/** The tag of a command's type. */
const TYPE_TAG = 0x08;

/** The size of the whole frame; 0 if none can be so long, or so short. */
export function frameSizeAt(bytes: Buffer, at: number, mostBytes: number): number {
  const length = bytes.readUInt32BE(at);
  return length < SMALLEST_FRAME_BYTES - SIZE_BYTES || length > mostBytes ? 0 : SIZE_BYTES + length;
}

export function isMessageAt(bytes: Buffer, at: number): boolean {
  return bytes[at + FRAME_HEAD_BYTES] === TYPE_TAG && bytes[at + FRAME_HEAD_BYTES + 1] === Type.message;
}
