/** What the core relies on of real sockets, with Node's private parts among it. */
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { tcpNetwork } from '../../src/core/socket-wire.ts';
import type { Wire, WireHandler } from '../../src/core/wire.ts';
import { until } from '../support/until.ts';

const BLOCK_BYTES = 64 * 1024;

class Recorder implements WireHandler {
  readonly events: string[] = [];
  received = '';
  onBytes(bytes: Buffer, length: number): void {
    this.received += bytes.toString('latin1', 0, length);
  }
  onEnd(): void {
    this.events.push('end');
  }
  onFlushed(): void {
    this.events.push('flushed');
  }
  onClosed(how: string, detail: string): void {
    this.events.push(`${how} ${detail}`.trim());
  }
}

interface Pair {
  readonly wire: Wire;
  readonly handler: Recorder;
  /** Paused. */
  readonly peer: Socket;
}

async function pair(t: Test): Promise<Pair> {
  const handler = new Recorder();
  const accepted: Wire[] = [];
  const listening = await tcpNetwork.listen('127.0.0.1', 0, (wire) => {
    accepted.push(wire);
    return handler;
  });
  const peer = connect({ host: '127.0.0.1', port: listening.port, allowHalfOpen: true });
  t.teardown(async () => {
    peer.destroy();
    for (const wire of accepted) wire.destroy();
    await listening.close();
  });
  peer.pause();
  peer.on('error', () => undefined);
  await until('the connection', () => accepted.length > 0);
  const [wire] = accepted;
  if (wire === undefined) throw new Error('nothing was accepted');
  return { wire, handler, peer };
}

/** Everything that comes until the end. */
async function drain(peer: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of peer) chunks.push(chunk);
  return Buffer.concat(chunks);
}

t.test('a buffer may be used again as soon as a write says that all of it left', async (t) => {
  const { wire, peer } = await pair(t);
  const block = Buffer.alloc(1000);
  for (let turn = 0; turn < 50; turn += 1) {
    block.fill(turn);
    t.equal(wire.write(block), true);
    block.fill(0xff);
  }
  wire.end();
  const received = await drain(peer);
  t.equal(received.length, 50_000);
  t.ok(received.every((byte, index) => byte === Math.floor(index / 1000)));
});

t.test('bytes that the kernel does not take are pending, and when they are gone it is told once', async (t) => {
  const { wire, handler, peer } = await pair(t);
  let blocks = 0;
  while (wire.write(Buffer.alloc(BLOCK_BYTES, blocks))) blocks += 1;
  blocks += 1;
  t.equal(wire.pending, true);
  wire.write(Buffer.from('behind it'));
  t.strictSame(handler.events, []);
  const received = drain(peer);
  await until('they left', () => handler.events.length > 0);
  t.equal(wire.pending, false);
  wire.end();
  t.equal((await received).length, blocks * BLOCK_BYTES + 9);
  t.strictSame(handler.events, ['flushed']);
});

t.test('the end of a peer is told, and the own half still carries bytes', async (t) => {
  const { wire, handler, peer } = await pair(t);
  peer.end('last words');
  await until('its end', () => handler.events.length > 0);
  t.equal(handler.received, 'last words');
  wire.write(Buffer.from('answer'));
  wire.end();
  t.equal((await drain(peer)).toString(), 'answer');
  await until('the close', () => handler.events.length > 1);
  t.strictSame(handler.events, ['end', 'closed']);
});

t.test('a paused stream reads nothing until it is resumed', async (t) => {
  const { wire, handler, peer } = await pair(t);
  wire.pause();
  peer.write('early');
  await until('it left', () => peer.writableLength === 0);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  t.equal(handler.received, '');
  wire.resume();
  await until('it is read', () => handler.received === 'early');
});

for (const ending of ['reset', 'reset after a FIN of ours'] as const) {
  t.test(`${ending}: the socket is gone and it is told`, async (t) => {
    const { wire, handler, peer } = await pair(t);
    const closed = new Promise((resolve) => peer.once('close', resolve));
    if (ending !== 'reset') wire.end();
    wire.reset();
    peer.resume();
    peer.end();
    await closed;
    await until('the close', () => handler.events.length > 0);
    t.equal(handler.events.length, 1, handler.events.join());
  });
}
