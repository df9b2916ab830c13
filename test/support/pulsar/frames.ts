/**
 * Pulsar's frames.
 *
 *   frame   := u32 size of the rest, u32 size of the command, command, payload?
 *   payload := (u16 0x0e01, u32 CRC-32C of the rest)?, u32 size of the metadata, metadata, body
 */
import { type Command, type CommandName, decodeCommand, encodeCommand, type FieldsOf, METADATA } from './commands.ts';
import { decode, encode, type Values } from './protobuf.ts';

export const CHECKSUM_MAGIC = 0x0e01;
/** What a frame may have beyond the largest message. */
export const FRAME_PADDING = 10 * 1024;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

export function checksumOf(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function frame<N extends CommandName>(name: N, fields: FieldsOf<N>, payload: Buffer = Buffer.alloc(0)): Buffer {
  return rawFrame(encodeCommand(name, fields), payload);
}

export function rawFrame(command: Buffer, payload: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([u32(4 + command.length + payload.length), u32(command.length), command, payload]);
}

/** A message with its checksum, as it stands behind the command of SEND and MESSAGE. */
export function payloadOf(metadata: Values<typeof METADATA>, body: Buffer): Buffer {
  const head = encode(METADATA, metadata);
  const rest = Buffer.concat([u32(head.length), head, body]);
  const magic = Buffer.alloc(2);
  magic.writeUInt16BE(CHECKSUM_MAGIC);
  return Buffer.concat([magic, u32(checksumOf(rest)), rest]);
}

export interface Payload {
  /** `null`: there is none. */
  readonly sound: boolean | null;
  readonly metadata: Values<typeof METADATA>;
  readonly body: Buffer;
}

export function readPayload(payload: Buffer): Payload {
  const hasChecksum = payload.readUInt16BE(0) === CHECKSUM_MAGIC;
  const rest = payload.subarray(hasChecksum ? 6 : 0);
  const size = rest.readUInt32BE(0);
  return {
    sound: hasChecksum ? payload.readUInt32BE(2) === checksumOf(rest) : null,
    metadata: decode(METADATA, rest.subarray(4, 4 + size)),
    body: rest.subarray(4 + size),
  };
}

export interface Frame {
  /** As it came, sizes included. */
  readonly bytes: Buffer;
  readonly command: Command;
  /** What stands behind the command. */
  readonly payload: Buffer;
}

/** Puts frames together again. */
export class FrameSplitter {
  /** Of the rest of a frame; a larger one is an error. */
  most: number;
  #held: Buffer = Buffer.alloc(0);

  constructor(most: number) {
    this.most = most;
  }

  /** @throws {Error} if they are no frames; those before the fault were given to `use` */
  push(bytes: Buffer, use: (frame: Frame) => void): void {
    this.#held = Buffer.concat([this.#held, bytes]);
    while (this.#held.length >= 4) {
      const size = this.#held.readUInt32BE(0);
      if (size > this.most) throw new Error(`a frame of ${size} bytes, and ${this.most} are allowed`);
      if (size < 4) throw new Error(`a frame of ${size} bytes has no room for a command`);
      if (this.#held.length < 4 + size) return;
      const whole = Buffer.from(this.#held.subarray(0, 4 + size));
      this.#held = this.#held.subarray(4 + size);
      const end = 8 + whole.readUInt32BE(4);
      if (end > whole.length) throw new Error('a command that is longer than its frame');
      use({ bytes: whole, command: decodeCommand(whole.subarray(8, end)), payload: whole.subarray(end) });
    }
  }

  /** Bytes of a frame that is not complete. */
  get partial(): number {
    return this.#held.length;
  }
}
