/**
 * Record batches of magic 2, as far as a log must understand them:
 *
 *   0 baseOffset int64          21 attributes int16         43 producerId int64
 *   8 batchLength int32         23 lastOffsetDelta int32    51 producerEpoch int16
 *   12 partitionLeaderEpoch     27 baseTimestamp int64      53 baseSequence int32
 *   16 magic int8               35 maxTimestamp int64       57 recordsCount int32
 *   17 crc uint32               of all from byte 21 on      61 records
 */
import { crc32c } from './crc32c.ts';

const MAGIC = 2;
const AT = {
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
  records: 61,
} as const;
const BEFORE_LENGTH_COUNTS = 12;
const COMPRESSION_BITS = 0x07;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

export interface BatchHead {
  readonly count: number;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  /** -1 if its producer is not idempotent. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly compression: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
}

/** @returns what is wrong if the bytes are not exactly one sound batch */
export function readBatch(bytes: Buffer): BatchHead | 'corrupt' | 'invalid' {
  if (bytes.length < AT.records || bytes.readInt32BE(AT.length) !== bytes.length - BEFORE_LENGTH_COUNTS)
    return 'invalid';
  if (bytes.readInt8(AT.magic) !== MAGIC) return 'invalid';
  if (bytes.readUInt32BE(AT.crc) !== crc32c(bytes.subarray(AT.attributes))) return 'corrupt';
  const attributes = bytes.readInt16BE(AT.attributes);
  const head: BatchHead = {
    count: bytes.readInt32BE(AT.count),
    lastOffsetDelta: bytes.readInt32BE(AT.lastOffsetDelta),
    baseTimestamp: Number(bytes.readBigInt64BE(AT.baseTimestamp)),
    maxTimestamp: Number(bytes.readBigInt64BE(AT.maxTimestamp)),
    producerId: Number(bytes.readBigInt64BE(AT.producerId)),
    producerEpoch: bytes.readInt16BE(AT.producerEpoch),
    baseSequence: bytes.readInt32BE(AT.baseSequence),
    compression: attributes & COMPRESSION_BITS,
    isTransactional: (attributes & TRANSACTIONAL) !== 0,
    isControl: (attributes & CONTROL) !== 0,
  };
  return head.count > 0 && head.lastOffsetDelta === head.count - 1 ? head : 'invalid';
}

/** The batch as the log keeps it: a copy that knows its place. Neither field is covered by the checksum. */
export function placeBatch(bytes: Buffer, baseOffset: number, leaderEpoch: number): Buffer {
  const placed = Buffer.from(bytes);
  placed.writeBigInt64BE(BigInt(baseOffset), 0);
  placed.writeInt32BE(leaderEpoch, AT.leaderEpoch);
  return placed;
}

export function recordsOf(batch: Buffer): Buffer {
  return batch.subarray(AT.records);
}

/**
 * The control batch that ends a producer's transaction in a partition. Its one record, sizes as zigzag varints:
 * key = version int16, type int16 (0 abort, 1 commit); value = version int16, coordinator epoch int32.
 */
export function endMarker(producerId: number, producerEpoch: number, committed: boolean, now: number): Buffer {
  const record = Buffer.from([0, 0, 0, 8, 0, 0, 0, committed ? 1 : 0, 12, 0, 0, 0, 0, 0, 0, 0]);
  const batch = Buffer.alloc(AT.records + 1 + record.length);
  batch.writeInt32BE(batch.length - BEFORE_LENGTH_COUNTS, AT.length);
  batch.writeInt8(MAGIC, AT.magic);
  batch.writeInt16BE(TRANSACTIONAL | CONTROL, AT.attributes);
  batch.writeBigInt64BE(BigInt(now), AT.baseTimestamp);
  batch.writeBigInt64BE(BigInt(now), AT.maxTimestamp);
  batch.writeBigInt64BE(BigInt(producerId), AT.producerId);
  batch.writeInt16BE(producerEpoch, AT.producerEpoch);
  batch.writeInt32BE(-1, AT.baseSequence);
  batch.writeInt32BE(1, AT.count);
  batch.writeInt8(record.length * 2, AT.records);
  record.copy(batch, AT.records + 1);
  batch.writeUInt32BE(crc32c(batch.subarray(AT.attributes)), AT.crc);
  return batch;
}
