/** Record batches of magic 2, made by hand: uncompressed, no headers, all at one moment. */
import { crc32c } from '../../src/demo/kafka/state/crc32c.ts';

const HEAD_BYTES = 61;

export interface BatchOptions {
  readonly key?: string;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly transactional?: boolean;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let left = value >= 0 ? value * 2 : -value * 2 - 1;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
  return [...bytes, left];
}

function field(text: string | undefined): Buffer {
  if (text === undefined) return Buffer.from(varint(-1));
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from(varint(bytes.length)), bytes]);
}

export function batchOf(values: readonly string[], options: BatchOptions = {}): Buffer {
  const records = values.map((value, offset) => {
    const body = [Buffer.from([0, 0, ...varint(offset)]), field(options.key), field(value), Buffer.from([0])];
    const size = body.reduce((sum, { length }) => sum + length, 0);
    return Buffer.concat([Buffer.from(varint(size)), ...body]);
  });
  const head = Buffer.alloc(HEAD_BYTES);
  const batch = Buffer.concat([head, ...records]);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt8(2, 16);
  batch.writeInt16BE(options.transactional ? 0x10 : 0, 21);
  batch.writeInt32BE(values.length - 1, 23);
  batch.writeBigInt64BE(BigInt(options.producerId ?? -1), 43);
  batch.writeInt16BE(options.producerEpoch ?? -1, 51);
  batch.writeInt32BE(options.baseSequence ?? -1, 53);
  batch.writeInt32BE(values.length, 57);
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}
