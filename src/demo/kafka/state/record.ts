/**
 * Single messages, for those who look into a log from outside. A record of magic 2, sizes and deltas as zigzag varints:
 *
 *   length, attributes int8, timestampDelta, offsetDelta, key length (-1 null), key, value length, value,
 *   headers count, count x (name length, name, value length, value)
 */
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { StoredBatch } from './partition-log.ts';
import { recordsOf } from './record-batch.ts';

export interface Message {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly producerId: number;
  readonly isTransactional: boolean;
}

const DECOMPRESS = new Map<number, (bytes: Buffer) => Buffer>([
  [0, (bytes) => bytes],
  [1, gunzipSync],
  [4, zstdDecompressSync],
]);

/** Control batches have none. @throws {Error} if the batch is compressed with Snappy or LZ4 */
export function messagesOf(partition: number, batch: StoredBatch): Message[] {
  const { head, baseOffset } = batch;
  if (head.isControl) return [];
  const decompress = DECOMPRESS.get(head.compression);
  if (decompress === undefined) throw new Error(`cannot read messages compressed with codec ${head.compression}`);
  const reader = new VarintReader(decompress(recordsOf(batch.bytes)));
  return Array.from({ length: head.count }, () => {
    const length = reader.varint();
    const end = reader.at + length;
    reader.at += 1;
    reader.varint();
    const offset = baseOffset + reader.varint();
    const key = reader.text();
    const value = reader.text();
    reader.at = end;
    return { partition, offset, key, value, producerId: head.producerId, isTransactional: head.isTransactional };
  });
}

class VarintReader {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#bytes.readUInt8(this.at);
      this.at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  text(): string | null {
    const length = this.varint();
    if (length < 0) return null;
    const from = this.at;
    this.at += length;
    return this.#bytes.toString('utf8', from, this.at);
  }
}
