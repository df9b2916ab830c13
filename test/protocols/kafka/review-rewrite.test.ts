import t from 'tap';
import { type Broker, fetchBody, SAMPLES } from './review-answers.ts';
import { ask, asked, Bench, LOCAL, Sink } from './review-bench.ts';
import { answer } from './review-wire.ts';

const REMOTE: readonly Broker[] = [
  { id: 1, host: 'broker-one.internal', port: 9092 },
  { id: 2, host: 'b2', port: 19092 },
];
const local = (brokers: readonly Broker[]): Broker[] =>
  brokers.map(({ id }) => ({ id, host: LOCAL.get(String(id))?.host ?? '', port: LOCAL.get(String(id))?.port ?? 0 }));

/** Feeds the answers split at `cuts`. */
function fed(key: number, version: number, frames: readonly Buffer[], cuts: readonly number[]): Sink | null {
  const bench = new Bench();
  const session = bench.upstream();
  const client = bench.route.client('1');
  ask(session, client, asked(12, 0, 1));
  ask(session, client, asked(key, version, 2));
  ask(session, client, asked(12, 0, 3));
  const sink = new Sink();
  const all = Buffer.concat(frames);
  let from = 0;
  for (const cut of [...cuts, all.length]) {
    // A buffer with something before and behind, as a socket's read buffer has.
    const chunk = Buffer.concat([Buffer.alloc(5, 1), all.subarray(from, cut), Buffer.alloc(3, 2)]);
    session.read(chunk, 5, 5 + cut - from, sink);
    chunk.fill(0xee);
    from = cut;
  }
  return session.owed === 0 && !session.inAnswer && sink.events.at(-1) === 'settled' ? sink : null;
}

function heartbeat(id: number): Buffer {
  return answer(id, false, Buffer.from([0, 0]));
}

for (const { name, key, versions, firstFlexible, body } of SAMPLES) {
  for (let version = versions[0]; version <= versions[1]; version += 1) {
    t.test(`${name} v${version} names our addresses, however it is split`, async (t) => {
      const flexible = version >= firstFlexible;
      const frames = [heartbeat(1), answer(2, flexible, body(version, REMOTE, 40)), heartbeat(3)];
      const wanted = Buffer.concat([heartbeat(1), answer(2, flexible, body(version, local(REMOTE), 40)), heartbeat(3)]);
      const { length } = Buffer.concat(frames);
      const everyByte = Array.from({ length: length - 1 }, (_, index) => index + 1);
      for (const cuts of [[], everyByte, ...everyByte.map((cut) => [cut])]) {
        const sink = fed(key, version, frames, cuts);
        if (sink?.delivered.equals(wanted) !== true) return t.fail(`split at ${cuts}`, { failures: sink?.failures });
        const throttled = key !== 3 || version >= 3;
        const says = key === 10 ? version >= 1 : throttled;
        if (says && !sink.events.includes('muted 40')) return t.fail(`not muted, split at ${cuts}`);
      }
      t.pass();
    });
  }
}

for (const version of [1, 4, 7, 11, 12, 13, 15, 16, 17, 18]) {
  t.test(`Fetch v${version} passes with NodeEndpoints void, however it is split`, async (t) => {
    const flexible = version >= 12;
    const frames = [heartbeat(1), answer(2, flexible, fetchBody(version, REMOTE, 40, 0)), heartbeat(3)];
    const wanted = Buffer.concat([
      heartbeat(1),
      answer(2, flexible, fetchBody(version, REMOTE, 40, 0x7f)),
      heartbeat(3),
    ]);
    const { length } = Buffer.concat(frames);
    const everyByte = Array.from({ length: length - 1 }, (_, index) => index + 1);
    for (const cuts of [[], everyByte, ...everyByte.map((cut) => [cut])]) {
      const sink = fed(1, version, frames, cuts);
      if (sink?.delivered.equals(wanted) !== true) return t.fail(`split at ${cuts}`, { failures: sink?.failures });
      if (!sink.events.includes('muted 40')) return t.fail(`not muted, split at ${cuts}`);
    }
    t.pass();
  });
}

for (const { name, key, versions, firstFlexible, body } of SAMPLES) {
  for (let version = versions[0]; version <= versions[1]; version += 1) {
    if (key === 0 && version < 10) continue;
    t.test(`${name} v${version} waits for a listener, and leaves out a broker that gets none`, async (t) => {
      const flexible = version >= firstFlexible;
      const frames = Buffer.concat([answer(1, flexible, body(version, REMOTE, 0)), heartbeat(2)]);
      for (const fate of ['bound', 'unbindable'] as const) {
        const bench = new Bench();
        const session = bench.upstream();
        const client = bench.route.client('1');
        ask(session, client, asked(key, version, 1));
        ask(session, client, asked(12, 0, 2));
        const sink = new Sink();
        const late = key === 10 && version < 4 ? '1' : '2';
        bench.addresses.delete(late);
        session.read(frames, 0, frames.length, sink);
        t.ok(session.blocked);
        t.equal(sink.delivered.length, 0);
        session.resume(sink);
        t.ok(session.blocked, 'still');
        bench.addresses.set(late, fate === 'bound' ? (LOCAL.get(late) ?? 'unbindable') : 'unbindable');
        session.resume(sink);
        t.notOk(session.blocked);
        t.equal(session.owed, 0);
        if (fate === 'bound') {
          const wanted = Buffer.concat([answer(1, flexible, body(version, local(REMOTE), 0)), heartbeat(2)]);
          t.same(sink.delivered, wanted);
        } else {
          t.notOk(sink.delivered.includes(late === '1' ? 'broker-one' : 'b2\0'), 'no address leaks');
          if (key !== 10) {
            const kept = local(REMOTE).filter(({ id }) => String(id) !== late);
            t.same(sink.delivered, Buffer.concat([answer(1, flexible, body(version, kept, 0)), heartbeat(2)]));
          }
        }
      }
    });
  }
}
