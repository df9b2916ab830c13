/** What a partition of an embedded broker accepts, and what it gives to whom. */
import t from 'tap';
import { ErrorCode } from '../../../src/demo/kafka/state/error-codes.ts';
import { PartitionLog } from '../../../src/demo/kafka/state/partition-log.ts';
import { messagesOf } from '../../../src/demo/kafka/state/record.ts';
import { type BatchOptions, batchOf } from '../../support/record-batch.ts';

const anyone = () => ErrorCode.none;
interface Sent extends BatchOptions {
  readonly values: readonly string[];
}

const append = (log: PartitionLog, { values, ...options }: Sent) => log.append(batchOf(values, options), 0, anyone);

function from(producerId: number, producerEpoch: number, baseSequence: number, count = 1): Sent {
  const values = Array.from({ length: count }, (_, index) => `${baseSequence + index}`);
  return { values, producerId, producerEpoch, baseSequence };
}

t.test('messages get the offsets that follow', async (t) => {
  const log = new PartitionLog();
  t.same(append(log, { values: ['a', 'b'] }), { baseOffset: 0 });
  t.same(append(log, { values: ['c'] }), { baseOffset: 2 });
  t.equal(log.endOffset, 3);
  const messages = log.batches.flatMap((each) => messagesOf(0, each));
  t.same(
    messages.map(({ offset, value }) => `${offset}${value}`),
    ['0a', '1b', '2c'],
  );
});

t.test('a batch that was damaged on its way is refused', async (t) => {
  const log = new PartitionLog();
  const damaged = batchOf(['abc']);
  damaged.writeUInt8(damaged.readUInt8(64) ^ 1, 64);
  t.same(log.append(damaged, 0, anyone), { error: ErrorCode.corruptMessage });
  t.same(log.append(batchOf(['abc']).subarray(0, -1), 0, anyone), { error: ErrorCode.invalidRecord });
  const two = Buffer.concat([batchOf(['a']), batchOf(['b'])]);
  t.same(log.append(two, 0, anyone), { error: ErrorCode.invalidRecord }, 'one batch a partition');
  t.equal(log.endOffset, 0);
});

t.test('an idempotent producer leaves no gap and no double', async (t) => {
  const cases = [
    { what: 'the next batch', next: from(1, 0, 2), expected: { baseOffset: 2 } },
    { what: 'the last batch again', next: from(1, 0, 0, 2), expected: { baseOffset: 0 } },
    { what: 'a gap', next: from(1, 0, 3), expected: { error: ErrorCode.outOfOrderSequenceNumber } },
    { what: 'another cut of the same', next: from(1, 0, 1), expected: { error: ErrorCode.outOfOrderSequenceNumber } },
    { what: 'a newer epoch from the start', next: from(1, 1, 0), expected: { baseOffset: 2 } },
    {
      what: 'a newer epoch from the middle',
      next: from(1, 1, 2),
      expected: { error: ErrorCode.outOfOrderSequenceNumber },
    },
    { what: 'another producer', next: from(2, 0, 0), expected: { baseOffset: 2 } },
  ];
  for (const { what, next, expected } of cases) {
    const log = new PartitionLog();
    append(log, from(1, 0, 0, 2));
    t.same(append(log, next), expected, what);
    t.equal(log.endOffset, 'baseOffset' in expected && expected.baseOffset === 2 ? 3 : 2, `${what}: the end`);
  }
});

t.test('an older epoch is fenced', async (t) => {
  const log = new PartitionLog();
  append(log, from(1, 3, 0));
  t.same(append(log, from(1, 2, 1)), { error: ErrorCode.invalidProducerEpoch });
});

t.test('the fifth last batch is still recognised, the sixth last is not', async (t) => {
  const log = new PartitionLog();
  for (let sequence = 0; sequence < 6; sequence += 1) append(log, from(1, 0, sequence));
  t.same(append(log, from(1, 0, 1)), { baseOffset: 1 });
  t.same(append(log, from(1, 0, 0)), { error: ErrorCode.outOfOrderSequenceNumber });
});

t.test('sequence numbers begin again behind the largest', async (t) => {
  const log = new PartitionLog();
  append(log, from(1, 0, 2 ** 31 - 1, 2));
  t.same(append(log, from(1, 0, 1)), { baseOffset: 2 });
});

t.test('reading stops at the limit, at the size, and gives the first batch whatever its size', async (t) => {
  const log = new PartitionLog();
  for (const value of ['a', 'b', 'c']) append(log, { values: [value] });
  const size = log.batches[0]!.bytes.length;
  t.equal(log.read(0, 3, 1_000_000, true).bytes.length, 3 * size);
  t.equal(log.read(1, 3, 1_000_000, true).bytes.length, 2 * size);
  t.same(log.read(0, 2, 1_000_000, true), { bytes: log.read(0, 2, 1_000_000, true).bytes, end: 2 });
  t.equal(log.read(0, 3, 2 * size, true).bytes.length, 2 * size);
  t.equal(log.read(0, 3, 1, true).bytes.length, size);
  t.equal(log.read(0, 3, 1, false).bytes.length, 0);
  t.equal(log.read(3, 3, 1_000_000, true).bytes.length, 0);
});

t.test('an open transaction holds the stable end back, and an aborted one is named to those who read it', async (t) => {
  const log = new PartitionLog();
  append(log, { values: ['before'] });
  append(log, { ...from(1, 0, 0), transactional: true });
  append(log, { values: ['after'] });
  t.equal(log.lastStableOffset, 1);
  log.endTransaction(1, 0, false, 0);
  t.equal(log.lastStableOffset, 4, 'the marker is a message of its own');
  t.same(log.abortedWithin(0, 4), [{ producerId: 1, firstOffset: 1, lastOffset: 3 }]);
  t.same(log.abortedWithin(0, 1), [], 'not to those who stop before it');
  t.same(log.batches.flatMap((each) => messagesOf(0, each)).length, 3, 'markers are no messages');
});
