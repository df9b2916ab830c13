/** What the core relies on of secured streams, with Node's private parts and observed behaviour among it. */
import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t, { type Test } from 'tap';
import type { Wire } from '../../src/core/wire.ts';
import { seeded } from '../support/seeded.ts';
import { AUTHORITY, type Dialled, type Ear, listen, listenTls, NAME, pair } from '../support/tls.ts';
import { until } from '../support/until.ts';

const BULK_BYTES = 40 * 1024 * 1024;
const POISON = 0xee;

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Writes all of it out of one buffer, which is spoilt as soon as a write says that it may be used again. */
function pump(wire: Wire, ear: Ear, bytes: Buffer, sizes: () => number): { readonly waits: number } {
  const state = { waits: 0 };
  let at = 0;
  const more = (): void => {
    while (at < bytes.length) {
      const part = Buffer.from(bytes.subarray(at, at + sizes()));
      at += part.length;
      if (!wire.write(part)) {
        state.waits += 1;
        return;
      }
      part.fill(POISON);
    }
    ear.onDrained = null;
    wire.end();
  };
  ear.onDrained = more;
  more();
  return state;
}

for (const from of ['dialled', 'accepted'] as const) {
  t.test(`40 MiB from the ${from} end arrive as they were, although buffers are used again`, async (t) => {
    const ends = await pair(t);
    const [source, sink] = from === 'dialled' ? [ends.dialled, ends.accepted] : [ends.accepted, ends.dialled];
    const sent = randomBytes(BULK_BYTES);
    let reads = 0;
    const hash = createHash('sha256');
    let paused = false;
    sink.onRead = (bytes) => {
      if (paused) t.fail('a paused stream was told of bytes');
      hash.update(bytes);
      reads += 1;
      if (reads % 3 > 0) return;
      const copy = Buffer.from(bytes);
      sink.wire.pause();
      paused = true;
      setImmediate(() => {
        paused = false;
        if (!copy.equals(bytes)) t.fail('what a paused stream has read was overwritten');
        sink.wire.resume();
      });
    };
    const { waits } = pump(source.wire, source, sent, () => 100_000);
    await until('the end', () => sink.events.includes('end'), 30_000);
    t.equal(sink.length, BULK_BYTES);
    t.equal(hash.digest('hex'), digest(sent));
    t.ok(reads < BULK_BYTES / 16_384, `${reads} reads: records were gathered`);
    t.ok(waits > 0, 'back-pressure was met');
  });
}

t.test('a peer that does not read: writes say so soon, and when it does it is told', async (t) => {
  const { dialled, accepted } = await pair(t);
  accepted.wire.pause();
  let drained = 0;
  dialled.onDrained = () => {
    drained += 1;
  };
  const block = randomBytes(16_384);
  let blocks = 0;
  let taken = true;
  while (taken || blocks < 10) {
    taken = dialled.wire.write(block);
    blocks += 1;
    if (taken && dialled.wire.pending) t.fail('the kernel is full and it was not said');
    if (taken) await new Promise((resolve) => setImmediate(resolve));
  }
  await new Promise((resolve) => setImmediate(resolve));
  t.ok(dialled.wire.pending);
  t.ok(dialled.wire.unsentBytes > 0);
  t.equal(drained, 0);
  const unsent = dialled.wire.unsentBytes;
  accepted.wire.resume();
  await until('they left', () => drained > 0);
  t.equal(dialled.wire.pending, false);
  t.ok(dialled.wire.unsentBytes < unsent);
  dialled.wire.end();
  await until('all of it', () => accepted.events.includes('end'));
  t.equal(accepted.length, blocks * block.length);
});

t.test('short writes in a row are taken at once, and a long one behind them makes whoever writes wait', async (t) => {
  const { dialled, accepted } = await pair(t);
  let drained = 0;
  dialled.onDrained = () => {
    drained += 1;
  };
  const part = Buffer.alloc(1000);
  for (let turn = 0; turn < 50; turn += 1) {
    part.fill(turn);
    t.equal(dialled.wire.write(part), true);
    part.fill(POISON);
  }
  t.equal(dialled.wire.write(Buffer.alloc(100_000, 50)), false);
  await until('it left', () => drained > 0);
  dialled.wire.end();
  await until('the end', () => accepted.events.includes('end'));
  const received = Buffer.concat(accepted.chunks);
  t.equal(received.length, 150_000);
  t.ok(received.every((byte, index) => byte === Math.min(50, Math.floor(index / 1000))));
});

for (const from of ['dialled', 'accepted'] as const) {
  t.test(`when the ${from} end ends, the other half goes on until it ends too`, async (t) => {
    const ends = await pair(t);
    const [early, late] = from === 'dialled' ? [ends.dialled, ends.accepted] : [ends.accepted, ends.dialled];
    early.wire.write(Buffer.from('last words'));
    early.wire.end();
    await until('its end', () => late.events.includes('end'));
    t.equal(late.text, 'last words');
    late.wire.write(Buffer.from('answer'));
    await until('the answer', () => early.text === 'answer');
    late.wire.end();
    await until('both closes', () => early.end === 'closed' && late.end === 'closed');
    t.equal(early.events.filter((event) => event === 'end').length, 1);
  });

  t.test(`when the ${from} end is dropped, the other learns of it`, async (t) => {
    const ends = await pair(t);
    const [early, late] = from === 'dialled' ? [ends.dialled, ends.accepted] : [ends.accepted, ends.dialled];
    early.wire.destroy();
    await until('the close', () => early.end === 'closed');
    await until('the end', () => /end|reset|closed/.test(late.end));
    late.wire.end();
    await until('the other close', () => /closed|reset/.test(late.end));
  });
}

for (const ending of ['reset', 'reset after a FIN of ours'] as const) {
  t.test(`${ending}: the client sees an abort, and it is told once`, async (t) => {
    const { dialled, accepted } = await pair(t);
    if (ending !== 'reset') accepted.wire.end();
    accepted.wire.reset();
    await until('the close', () => accepted.events.length > 0);
    t.strictSame(accepted.events, ['closed']);
    if (ending === 'reset') await until('the abort', () => dialled.end === 'reset ECONNRESET');
  });
}

for (const to of ['dialled', 'accepted'] as const) {
  /** Three records and the end, which arrive together; it is paused at the first. */
  async function paused(t: Test): Promise<Dialled> {
    const ends = await pair(t);
    const [sink, source] = to === 'dialled' ? [ends.dialled, ends.accepted] : [ends.accepted, ends.dialled];
    sink.onRead = (bytes) => {
      sink.chunks.push(Buffer.from(bytes));
      sink.wire.pause();
    };
    sink.wire.pause();
    for (const word of ['one ', 'two ', 'three']) source.wire.write(Buffer.from(word));
    source.wire.end();
    sink.wire.end();
    await until('they left', () => source.events.includes('end'));
    sink.wire.resume();
    await until('the first', () => sink.length > 0);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    t.equal(sink.text, 'one ');
    t.notOk(sink.events.includes('end'));
    return sink;
  }

  t.test(`what a paused ${to} stream has read, and its end behind it, come when it is resumed`, async (t) => {
    const sink = await paused(t);
    sink.onRead = null;
    sink.wire.resume();
    await until('the close', () => sink.end === 'closed');
    t.equal(sink.text, 'one two three');
    t.strictSame(sink.events.slice(-2), ['end', 'closed']);
  });

  t.test(`what a paused ${to} stream holds back is dropped with it`, async (t) => {
    const sink = await paused(t);
    sink.wire.destroy();
    await until('the close', () => sink.end === 'closed');
    t.equal(sink.length, 4);
  });
}

t.test('a write to a stream that is gone is taken and nothing comes of it', async (t) => {
  const { dialled } = await pair(t);
  dialled.wire.destroy();
  t.equal(dialled.wire.write(Buffer.from('late')), true);
  await until('the close', () => dialled.end === 'closed');
  t.equal(dialled.wire.write(Buffer.from('later')), true);
  t.equal(dialled.wire.pending, false);
});

t.test('an accepted stream that is quiet again holds no buffer of ours, and goes on reading', async (t) => {
  setFlagsFromString('--expose-gc');
  const gc: () => void = runInNewContext('gc');
  const { dialled, accepted } = await pair(t);
  accepted.onRead = () => undefined;
  const bulk = Buffer.alloc(8 * 1024 * 1024);
  dialled.wire.write(bulk);
  await until('all of it', () => accepted.length === bulk.length);
  const memory = (): number => {
    gc();
    return process.memoryUsage().arrayBuffers;
  };
  const held = memory();
  accepted.wire.relax();
  await until('the memory is free', () => held - memory() >= 64 * 1024);
  accepted.onRead = null;
  for (const word of ['still ', 'here']) dialled.wire.write(Buffer.from(word));
  await until('it', () => accepted.text === 'still here');
  const more = randomBytes(1024 * 1024);
  dialled.wire.write(more);
  await until('more', () => accepted.length === bulk.length + more.length + 10);
  t.ok(Buffer.concat(accepted.chunks).subarray(10).equals(more));
});

t.test('streams that carry little share one buffer, and each keeps what it read while it is paused', async (t) => {
  const pairs = await Promise.all(Array.from({ length: 20 }, () => pair(t)));
  for (const { accepted } of pairs) {
    accepted.onRead = (bytes) => {
      accepted.wire.pause();
      setTimeout(() => {
        accepted.chunks.push(Buffer.from(bytes));
        accepted.wire.resume();
      }, 2);
    };
  }
  for (const [index, { dialled }] of pairs.entries()) {
    for (let turn = 0; turn < 5; turn += 1) dialled.wire.write(Buffer.alloc(100, index));
  }
  await until('all of it', () => pairs.every(({ accepted }) => Buffer.concat(accepted.chunks).length === 500));
  for (const [index, { accepted }] of pairs.entries())
    t.ok(Buffer.concat(accepted.chunks).equals(Buffer.alloc(500, index)));
});

t.test('a peer that ends without a goodbye of TLS is taken at its word', async (t) => {
  const settings = listenTls();
  const { port, accepted } = await listen(t, { tls: () => settings });
  const peer = connect({ host: '127.0.0.1', port, servername: NAME, ca: AUTHORITY.certificate });
  t.teardown(() => peer.destroy());
  await until('the stream', () => accepted.length > 0);
  peer.write('half a');
  await until('it', () => accepted[0]?.text === 'half a');
  peer.destroy();
  await until('the end', () => /end|reset/.test(accepted[0]?.end ?? ''));
});

/** Both ends write, pause and resume as the seed says; each must get exactly what the other wrote. */
async function schedule(t: Test, seed: number, { dialled, accepted }: Record<'dialled' | 'accepted', Dialled>) {
  const random = seeded(seed);
  const sides = [dialled, accepted].map((ear) => ({ ear, sent: randomBytes(Math.floor(random() * 300_000)) }));
  for (const { ear } of sides) {
    ear.onRead = (bytes) => {
      ear.chunks.push(Buffer.from(bytes));
      if (random() < 0.8) return;
      ear.wire.pause();
      if (random() < 0.5) setImmediate(() => ear.wire.resume());
      else process.nextTick(() => ear.wire.resume());
    };
  }
  const sizes = [1, 100, 5000, 16_384, 70_000, 200_000];
  for (const { ear, sent } of sides) {
    pump(ear.wire, ear, sent, () => sizes[Math.floor(random() * sizes.length)] ?? 1);
  }
  await until('both ends', () => sides.every(({ ear }) => ear.end === 'closed'), 20_000);
  for (const [index, { ear }] of sides.entries()) {
    if (!Buffer.concat(ear.chunks).equals(sides[1 - index]?.sent ?? Buffer.alloc(0))) t.fail(`seed ${seed}`);
  }
}

t.test('whatever the order of writes, pauses and ends, each gets what the other wrote', async (t) => {
  for (let seed = 0; seed < 60; seed += 1) await schedule(t, seed, await pair(t));
  t.pass();
});
