/** The failure rules, DESIGN 5.1 to 5.6; the dead broker of 5.7 has a file of its own. */
import t from 'tap';
import { startCore } from '../support/core-fixture.ts';
import type { FakeConnection } from '../support/fake-broker.ts';

for (const how of ['close', 'rst'] as const) {
  t.test(`5.1 a broker that ends a connection of nobody (${how}) disturbs nobody`, async (t) => {
    const core = await startCore(t);
    const apps = [core.connect(), core.connect()];
    for (const app of apps) app.send('pool');
    core.broker().open[0]?.peer[how]();
    core.pump();
    for (const app of apps) t.ok(app.isOpen);
    for (const app of apps) app.send('pool');
    for (const app of apps) t.equal(app.answers.length, 2);
    t.strictSame(core.disconnected, []);
  });

  t.test(
    `5.2 a broker that ends a connection with an answer owed (${how}) ends the client alike, and nothing is sent again`,
    async (t) => {
      const core = await startCore(t);
      core.broker().manual = true;
      const app = core.connect();
      const id = app.send('pool');
      core.broker().open[0]?.peer[how]();
      core.pump();
      t.equal(app.wasReset, how === 'rst');
      t.equal(app.wasEnded, how === 'close');
      t.strictSame(app.answers, []);
      core.broker().manual = false;
      core.connect().send('pool');
      core.pass(5);
      t.equal(core.broker().ids.filter((other) => other === id).length, 1);
    },
  );

  t.test(`5.2 the same once one byte of a request was written (${how})`, async (t) => {
    const core = await startCore(t, { limits: { wholeFrameBytes: 20 } });
    const app = core.connect();
    const { bytes } = app.frame('pool', { body: Buffer.alloc(1000) });
    app.write(bytes.subarray(0, 16));
    t.equal(core.openTo(), 1);
    t.ok((core.broker().open[0]?.partial ?? 0) > 0);
    core.broker().open[0]?.peer[how]();
    core.pump();
    t.notOk(app.isOpen);
    t.strictSame(core.disconnected, ['upstream_lost']);
  });
}

t.test('5.2 what was answered before the broker ended is delivered whole', async (t) => {
  const core = await startCore(t);
  core.broker().manual = true;
  const app = core.connect();
  const ids = [app.send('pool', { keys: [['answer', '5000']] }), app.send('pool')];
  app.peer.clog(10);
  core.broker().open[0]?.answer();
  core.broker().open[0]?.peer.close();
  core.pump();
  app.peer.unclog();
  core.pump();
  t.strictSame(app.ids, ids.slice(0, 1));
  t.strictSame(app.answers[0]?.body, Buffer.alloc(5000, `${ids[0]}`));
  t.ok(app.wasEnded);
});

t.test('5.3 a request of which no byte was written is carried by another connection', async (t) => {
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 1, slowAnswerMilliseconds: 60_000 } });
  core.broker().manual = true;
  core.connect().send('pool');
  const waiting = core.connect();
  const id = waiting.send('pool');
  core.broker().manual = false;
  core.broker().open[0]?.peer.rst();
  core.pass(1);
  t.strictSame(waiting.ids, [id]);
});

t.test('5.3 a broker that closes while a request is on its way to us costs the request nothing', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('pool');
  const { id, bytes } = app.frame('pool');
  core.broker().open[0]?.peer.close();
  for (const { wire, inwards } of core.network.deliverable()) if (inwards) wire.deliverIn();
  app.write(bytes);
  t.strictSame(app.ids.at(-1), id);
  t.ok(app.isOpen);
});

t.test('5.4 the connection of a client that died with an answer owed is not used again', async (t) => {
  const core = await startCore(t);
  core.broker().manual = true;
  const app = core.connect();
  app.send('pool');
  const [first] = core.broker().open;
  app.reset();
  t.strictSame(core.released, ['abandoned']);
  core.broker().manual = false;
  const other = core.connect();
  const id = other.send('pool');
  t.strictSame(other.ids, [id]);
  t.not(core.broker().received.at(-1)?.connection, first);
});

for (const dies of ['client', 'broker'] as const) {
  t.test(`5.4 a request that was answered early and is not written whole binds both: the ${dies} dies`, async (t) => {
    const core = await startCore(t, { limits: { wholeFrameBytes: 100 } });
    const app = core.connect();
    const { id, bytes } = app.frame('pool', { body: Buffer.alloc(1000) });
    app.write(bytes.subarray(0, 500));
    core.broker().open[0]?.peer.send(`ok ${id} 0\n`);
    core.pump();
    t.strictSame(app.ids, [id], 'nothing is owed');
    if (dies === 'client') app.reset();
    else core.broker().open[0]?.peer.close();
    core.pump();
    t.strictSame(core.released, [dies === 'client' ? 'abandoned' : 'broker_closed']);
    t.strictSame(core.disconnected, [dies === 'client' ? 'client_reset' : 'upstream_lost']);
  });
}

t.test('5.4 the connection of a client that died with nothing owed is as good as before', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('pool');
  app.reset();
  core.connect().send('pool');
  t.strictSame(core.released, []);
  t.equal(core.network.dials.length, 1);
});

/** What a broker may do to a connection that owes an answer, or none. */
const BREACHES: readonly {
  readonly what: string;
  readonly owing: boolean;
  readonly reason: string;
  readonly breach: (connection: FakeConnection, id: string) => void;
}[] = [
  {
    what: 'an answer that nobody asked for',
    owing: false,
    reason: 'unsolicited_bytes',
    breach: ({ peer }) => peer.send('ok nobody 0\n'),
  },
  {
    what: 'one byte that nobody asked for',
    owing: false,
    reason: 'unsolicited_bytes',
    breach: ({ peer }) => peer.send('o'),
  },
  {
    what: 'the answer to another request',
    owing: true,
    reason: 'wrong_correlation_id',
    breach: ({ peer }) => peer.send('ok another 0\n'),
  },
  {
    what: 'an answer that is longer than allowed',
    owing: true,
    reason: 'protocol_error',
    breach: ({ peer }, id) => peer.send(`ok ${id} 100000\n`),
  },
  {
    what: 'a negative length',
    owing: true,
    reason: 'protocol_error',
    breach: ({ peer }, id) => peer.send(`ok ${id} -1\n`),
  },
];

for (const { what, owing, reason, breach } of BREACHES) {
  t.test(`5.5 ${what} ends that connection and its client, and nobody else notices`, async (t) => {
    const core = await startCore(t, { limits: { maxFrameBytes: 10_000 } });
    const other = core.connect();
    core.broker().manual = true;
    other.send('hold');
    const app = core.connect();
    const id = app.send(owing ? 'pool' : 'odd');
    core.clock.advance(20);
    const connection = core.broker().open[1];
    if (!owing) connection?.answer();
    core.pump();
    if (connection !== undefined) breach(connection, id);
    core.pump();
    t.strictSame(core.released, [reason]);
    t.ok(connection?.peer.over, 'the broker sees the end');
    t.notOk(app.isOpen, 'and so does its client');
    t.strictSame(core.disconnected, ['upstream_lost']);
    t.ok(other.isOpen);
    core.broker().open[0]?.answer();
    core.pump();
    t.equal(other.answers.length, 1);
  });
}

t.test('5.5 a second answer ends the connection, and its client gets one', async (t) => {
  const core = await startCore(t);
  core.broker().manual = true;
  const app = core.connect();
  const id = app.send('pool');
  core.broker().open[0]?.peer.send(`ok ${id} 0\nok ${id} 0\n`);
  core.pump();
  t.strictSame(core.released, ['unsolicited_bytes']);
  t.strictSame(app.ids, [id]);
  t.ok(core.broker().connections[0]?.peer.over);
});

t.test('5.6 a broker that is slow to read slows its client, and no more is read than a little', async (t) => {
  const core = await startCore(t);
  core.network.bufferBytes = 4096;
  const app = core.connect();
  app.send('pool');
  core.broker().open[0]?.peer.clog(0);
  const before = core.route.bytesFromClients;
  for (let request = 0; request < 100; request += 1)
    app.peer.send(app.frame('pool', { body: Buffer.alloc(3000) }).bytes);
  core.pump();
  t.ok(core.route.bytesFromClients - before <= 3 * 4096, `${core.route.bytesFromClients - before} bytes were read`);
  core.broker().open[0]?.peer.unclog();
  core.pump();
  t.equal(app.answers.length, 101, 'and all of it arrives');
});

t.test('5.6 a client that is slow to read slows its broker, and no more is read than a little', async (t) => {
  const core = await startCore(t);
  core.network.bufferBytes = 4096;
  const app = core.connect();
  app.peer.clog(0);
  const before = core.route.bytesToClients;
  for (let request = 0; request < 100; request += 1) app.send('pool', { keys: [['answer', '3000']] });
  core.pump();
  t.ok(core.route.bytesToClients - before <= 3 * 4096, `${core.route.bytesToClients - before} bytes were read`);
  app.peer.unclog();
  core.pump();
  t.equal(app.answers.length, 100, 'and all of it arrives');
});

t.test('5.6 a client that waits may send a little ahead, and no more', async (t) => {
  const core = await startCore(t);
  core.network.bufferBytes = 4096;
  core.broker().greets = false;
  const app = core.connect();
  for (let request = 0; request < 100; request += 1)
    app.peer.send(app.frame('pool', { body: Buffer.alloc(3000) }).bytes);
  core.pump();
  t.ok(core.route.bytesFromClients <= 6 * 4096, `${core.route.bytesFromClients} bytes were read`);
  core.broker().greets = true;
  core.broker().open[0]?.answer();
  core.pump();
  t.equal(app.answers.length, 100);
});
