import t from 'tap';
import { BULK_BYTES, ReadBuffer } from '../../src/core/read-buffer.ts';

const KIBIBYTE = 1024;
const MOST_LARGEST = 32;

function fill(buffer: ReadBuffer): number {
  buffer.saw(buffer.bytes.length);
  return buffer.bytes.length / KIBIBYTE;
}

t.test('a buffer grows with each read that fills it, and shrinks only after many small ones', async (t) => {
  const buffer = new ReadBuffer();
  t.teardown(() => buffer.free());
  t.strictSame([fill(buffer), fill(buffer), fill(buffer), fill(buffer)], [64, 256, 1024, 1024]);
  for (let read = 1; read < 256; read += 1) buffer.saw(100);
  t.equal(buffer.bytes.length, 1024 * KIBIBYTE);
  buffer.saw(500 * KIBIBYTE);
  for (let read = 1; read < 256; read += 1) buffer.saw(100);
  t.equal(buffer.bytes.length, 1024 * KIBIBYTE, 'a large one between them starts the count anew');
  buffer.saw(100);
  t.equal(buffer.bytes.length, 256 * KIBIBYTE);
});

t.test(
  'a crowd of bulk streams does not get the largest buffers, and who ends or calms down gives its own back',
  async (t) => {
    const buffers = Array.from({ length: MOST_LARGEST + 1 }, () => new ReadBuffer(BULK_BYTES));
    t.teardown(() => {
      for (const buffer of buffers) buffer.free();
    });
    const sizes = buffers.map(fill);
    t.ok(sizes.slice(0, MOST_LARGEST).every((size) => size === 1024));
    const last = buffers.at(-1) ?? new ReadBuffer();
    t.equal(sizes.at(-1), 256);
    buffers[0]?.free();
    buffers[0]?.free();
    t.equal(fill(last), 1024);
    const another = new ReadBuffer(BULK_BYTES);
    buffers.push(another);
    t.equal(fill(another), 256);
    for (let read = 0; read < 256; read += 1) last.saw(1);
    t.equal(fill(another), 1024);
  },
);
