/** What is read stays as it is for as long as the contract of wires says, and memory for bulk goes when bulk does. */
import { randomFillSync } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t, { type Test } from 'tap';
import { tcpNetwork } from '../../src/core/socket-wire.ts';
import type { Wire, WireHandler } from '../../src/core/wire.ts';
import { until } from '../support/until.ts';

const BULK_BYTES = 8 * 1024 * 1024;
const MEBIBYTE = 1024 * 1024;

/** Pauses at every read and looks at the bytes only later, when another read would have come long ago. */
class SlowReader implements WireHandler {
  readonly chunks: Buffer[] = [];
  largest = 0;
  length = 0;
  wire: Wire | null = null;
  slow = true;

  onBytes(bytes: Buffer, length: number): void {
    this.largest = Math.max(this.largest, length);
    if (!this.slow) {
      this.#take(bytes.subarray(0, length));
      return;
    }
    this.wire?.pause();
    setTimeout(() => {
      this.#take(bytes.subarray(0, length));
      this.wire?.resume();
    }, 2);
  }

  #take(bytes: Buffer): void {
    this.chunks.push(Buffer.from(bytes));
    this.length += bytes.length;
  }

  onEnd = (): undefined => undefined;
  onFlushed = (): undefined => undefined;
  onClosed = (): undefined => undefined;
}

interface Pair {
  readonly reader: SlowReader;
  readonly wire: Wire;
  readonly peer: Socket;
}

async function accepted(t: Test, slow: boolean): Promise<Pair> {
  const reader = new SlowReader();
  reader.slow = slow;
  const listening = await tcpNetwork.listen('127.0.0.1', 0, (wire) => {
    reader.wire = wire;
    return reader;
  });
  const peer = connect({ host: '127.0.0.1', port: listening.port });
  t.teardown(async () => {
    peer.destroy();
    reader.wire?.destroy();
    await listening.close();
  });
  await until('the connection', () => reader.wire !== null);
  const { wire } = reader;
  if (wire === null) throw new Error('nothing was accepted');
  return { reader, wire, peer };
}

for (const slow of [true, false]) {
  t.test(`bulk comes as it was sent${slow ? ', also to one that pauses at every read' : ''}`, async (t) => {
    const { reader, peer } = await accepted(t, slow);
    const sent = randomFillSync(Buffer.alloc(BULK_BYTES));
    peer.write(sent);
    await until('all of it', () => reader.length === BULK_BYTES);
    t.ok(Buffer.concat(reader.chunks).equals(sent));
    if (slow) t.ok(reader.largest > 64 * 1024, `${reader.largest} bytes in one read`);
  });
}

t.test('sockets that carry little share one buffer, and each keeps what it read', async (t) => {
  const pairs = await Promise.all(Array.from({ length: 20 }, () => accepted(t, true)));
  for (const [index, { peer }] of pairs.entries()) peer.write(Buffer.alloc(500, index));
  await until('all of it', () => pairs.every(({ reader }) => reader.length === 500));
  for (const [index, { reader }] of pairs.entries())
    t.strictSame(Buffer.concat(reader.chunks), Buffer.alloc(500, index));
});

t.test('a socket that is quiet again holds no buffer, and goes on reading', async (t) => {
  setFlagsFromString('--expose-gc');
  const gc: () => void = runInNewContext('gc');
  const { reader, wire, peer } = await accepted(t, true);
  const memory = (): number => {
    gc();
    return process.memoryUsage().arrayBuffers;
  };
  peer.write(Buffer.alloc(BULK_BYTES));
  await until('all of it', () => reader.length === BULK_BYTES);
  t.ok(reader.largest > 256 * 1024, `${reader.largest} bytes in one read`);
  reader.chunks.length = 0;
  await new Promise((resolve) => setImmediate(resolve));
  const held = memory();
  wire.relax();
  await until('the memory is free', () => held - memory() >= MEBIBYTE);
  peer.write(Buffer.alloc(BULK_BYTES, 'x'));
  await until('more', () => reader.length === 2 * BULK_BYTES);
  t.ok(Buffer.concat(reader.chunks).equals(Buffer.alloc(BULK_BYTES, 'x')));
});
