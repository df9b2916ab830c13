/** Patience: with clients that fall silent in the middle, with brokers that do not answer, and when there is none. */
import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

const STALL_SECONDS = 60;
const SWEEP_SECONDS = 0.6;

t.test(
  'a client that is silent in the middle of a small request is reset, and costs nobody a connection',
  async (t) => {
    const core = await startCore(t);
    const app = core.connect();
    app.write('pool a1-1 100\nhalf');
    core.pass(STALL_SECONDS + SWEEP_SECONDS);
    t.ok(app.wasReset);
    t.strictSame(core.disconnected, ['stalled']);
    t.strictSame(core.network.dials, []);
  },
);

t.test('a client that is silent in the middle of a large request takes its connection along', async (t) => {
  const core = await startCore(t, { limits: { wholeFrameBytes: 100 } });
  const app = core.connect();
  app.write(app.frame('pool', { body: Buffer.alloc(1000) }).bytes.subarray(0, 500));
  core.pass(STALL_SECONDS + SWEEP_SECONDS);
  t.strictSame(core.disconnected, ['stalled']);
  t.strictSame(core.released, ['abandoned']);
});

t.test('a client that goes on, however slowly, is not stalled', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  const { bytes } = app.frame('pool', { body: Buffer.alloc(10) });
  for (const byte of bytes) {
    app.write(Buffer.from([byte]));
    core.pass(50);
  }
  t.equal(app.answers.length, 1);
  t.strictSame(core.disconnected, []);
});

t.test('a client that does not take its answer is reset', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.peer.clog(10);
  app.send('pool', { keys: [['answer', '1000']] });
  core.pass(STALL_SECONDS - 1);
  t.ok(app.isOpen);
  core.pass(1 + SWEEP_SECONDS);
  t.strictSame(core.disconnected, ['stalled']);
  t.ok(app.wasReset);
});

t.test('a client that takes a little of its answer now and then is not stalled', async (t) => {
  const core = await startCore(t);
  core.network.bufferBytes = 500;
  const app = core.connect();
  app.peer.clog(10);
  app.send('pool', { keys: [['answer', '5000']] });
  while (app.answers.length === 0) {
    core.pass(50);
    app.peer.unclog(600);
    core.pump();
    if (!app.isOpen) break;
  }
  t.equal(app.answers.length, 1);
  t.strictSame(core.disconnected, []);
});

t.test('a client that waits for us is not stalled', async (t) => {
  const core = await startCore(t, { limits: { wholeFrameBytes: 100, responseTimeoutSeconds: 1e6 } });
  core.broker().manual = true;
  const app = core.connect();
  app.send('pool');
  const slow = core.connect();
  slow.send('hold', { keys: [['wait', '900000']] });
  core.pass(10 * STALL_SECONDS);
  t.ok(app.isOpen && slow.isOpen);
});

t.test('a client whose broker does not read is not stalled', async (t) => {
  const core = await startCore(t, { limits: { wholeFrameBytes: 100, responseTimeoutSeconds: 1e6 } });
  core.network.bufferBytes = 256;
  const app = core.connect();
  app.send('pool');
  core.broker().open[0]?.peer.clog(0);
  app.write(app.frame('pool', { body: Buffer.alloc(5000) }).bytes);
  core.pass(5 * STALL_SECONDS);
  t.ok(app.isOpen);
  core.broker().open[0]?.peer.unclog();
  core.pump();
  t.equal(app.answers.length, 2);
});

t.test('each byte of an answer, and each answer, is progress', async (t) => {
  const core = await startCore(t);
  core.broker().manual = true;
  const app = core.connect();
  app.send('pool', { keys: [['answer', '5']] });
  app.send('pool');
  const [connection] = core.broker().open;
  for (const byte of connection?.takeAnswer() ?? []) {
    core.pass(110);
    connection?.peer.send(Buffer.from([byte]));
    core.pump();
  }
  core.pass(119);
  t.strictSame(core.released, []);
  t.equal(app.answers.length, 1);
  core.pass(1 + SWEEP_SECONDS);
  t.strictSame(core.released, ['response_timeout']);
  t.ok(app.wasReset);
});

t.test('what a request allows the broker to take by itself is added', async (t) => {
  const core = await startCore(t);
  core.broker().manual = true;
  core.connect().send('hold', { keys: [['wait', '300000']] });
  core.pass(419);
  t.strictSame(core.released, []);
  core.pass(1 + SWEEP_SECONDS);
  t.strictSame(core.released, ['response_timeout']);
});

t.test('the silence of a broker that waits for its client is not its own', async (t) => {
  const core = await startCore(t, { limits: { clientStallSeconds: 1e6 } });
  const app = core.connect();
  app.peer.clog(10);
  app.send('pool', { keys: [['answer', '100000']] });
  core.pass(1000);
  t.strictSame(core.released, []);
  app.peer.unclog();
  core.pump();
  t.equal(app.answers.length, 1);
});

t.test('a connection that is silent and owes nothing has all the time', async (t) => {
  const core = await startCore(t, { options: { connectionMaxIdleSeconds: 0 } });
  core.connect().send('odd');
  core.pass(3000);
  t.strictSame(core.released, []);
});

t.test('the second level closes a client that sends no work, and only when it is idle', async (t) => {
  const core = await startCore(t, { options: { clientMaxIdleSeconds: 30 } });
  const [working, housekeeping, pinned, owed] = [core.connect(), core.connect(), core.connect(), core.connect()];
  pinned.send('odd');
  core.clock.advance(20);
  housekeeping.send('hi');
  for (let turn = 0; turn < 8; turn += 1) {
    core.pass(5);
    working.send('pool');
    if (housekeeping.isOpen) housekeeping.send('house');
    if (turn === 3) {
      core.broker().manual = true;
      owed.send('pool');
      core.clock.advance(20);
      core.broker().manual = false;
    }
  }
  t.ok(working.isOpen);
  t.ok(housekeeping.wasEnded, 'housekeeping is no work');
  t.ok(pinned.isOpen);
  t.ok(owed.isOpen);
  t.strictSame(core.disconnected, ['idle']);
});

t.test('a client that is bound to its connection is closed with it once it is idle, and not before', async (t) => {
  const core = await startCore(t, { options: { clientMaxIdleSeconds: 30 } });
  const bound = core.connect();
  bound.send('share');
  core.pass(20);
  t.equal(core.control.clients()[0]?.closesInSeconds, 10);
  core.broker().manual = true;
  bound.send('share');
  core.pass(40);
  t.ok(bound.isOpen, 'an answer is owed');
  core.broker().open[0]?.answer();
  core.pump();
  core.pass(1);
  t.ok(bound.wasEnded);
  t.strictSame(core.disconnected, ['idle']);
  t.strictSame(core.released, ['client_closed']);
});

t.test('when a client will be closed is foretold', async (t) => {
  const core = await startCore(t, { options: { clientMaxIdleSeconds: 100 } });
  core.connect().send('pool');
  core.pass(40);
  t.equal(core.control.clients()[0]?.closesInSeconds, 60);
  const without = await startCore(t);
  without.connect().send('pool');
  t.equal(without.control.clients()[0]?.closesInSeconds, null);
});

t.test('a place that a client leaves is free for the next', async (t) => {
  const core = await startCore(t, { options: { maxClients: 2 } });
  const [one] = [core.connect(), core.connect()];
  t.ok(
    (() => {
      const app = core.connect();
      core.pump();
      return app.wasReset;
    })(),
  );
  one?.fin();
  const app = core.connect();
  app.send('pool');
  t.equal(app.answers.length, 1);
});
