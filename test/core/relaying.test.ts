/** From the application to the broker and back: whole, in order, in whatever pieces it comes. */
import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

/** Requests of every kind that may follow each other on one connection. */
const WORDS = ['pool', 'hi', 'house', 'hold', 'meta', 'shot', 'pool', 'hi'] as const;

t.test('requests and answers are the same in every split of what is sent', async (t) => {
  const core = await startCore(t, { limits: { wholeFrameBytes: 60 } });
  const { received } = core.broker();
  const bodyOf = (index: number): Buffer =>
    Buffer.alloc(['hi', 'meta'].includes(`${WORDS[index]}`) ? 0 : index * 9, `${index}`);
  let total = 2;
  for (let split = 1; split < total; split += 1) {
    const app = core.connect();
    received.length = 0;
    const frames = WORDS.map((word, index) => app.frame(word, { body: bodyOf(index) }));
    const bytes = Buffer.concat(frames.map((frame) => frame.bytes));
    total = bytes.length;
    app.write(bytes.subarray(0, split));
    app.write(bytes.subarray(split));
    t.strictSame(
      app.ids,
      frames.filter((_, index) => WORDS[index] !== 'shot').map((frame) => frame.id),
      `split at ${split}`,
    );
    const forwarded = received.map((request) => frames.findIndex((frame) => frame.id === request.id));
    t.strictSame(forwarded, [0, 2, 3, 4, 5, 6], 'all but what is answered by us, in order');
    for (const request of received) {
      const index = frames.findIndex((frame) => frame.id === request.id);
      if (!request.body.equals(bodyOf(index))) t.fail(`the body of ${request.id} was changed`);
    }
    app.fin();
  }
  t.equal(core.network.dials.length, 1);
});

t.test('answers are the same in every size of the pieces in which they come', async (t) => {
  for (const size of [1, 2, 3, 7, 20, 64, 1000]) {
    const core = await startCore(t);
    core.broker().manual = true;
    const app = core.connect();
    const ids = [1, 50, 0, 300].map((bytes) => app.send('pool', { keys: [['answer', `${bytes}`]] }));
    const [connection] = core.broker().open;
    const answers = Buffer.concat(ids.map(() => connection?.takeAnswer() ?? Buffer.alloc(0)));
    for (let at = 0; at < answers.length; at += size) {
      connection?.peer.send(answers.subarray(at, at + size));
      core.pump();
    }
    t.strictSame(app.ids, ids);
    t.strictSame(
      app.answers.map(({ body }) => body.length),
      [1, 50, 0, 300],
    );
  }
});

t.test('a request up to wholeFrameBytes is forwarded only once it is complete, a larger one at once', async (t) => {
  for (const [bytes, streams] of [
    [100, false],
    [101, true],
  ] as const) {
    const core = await startCore(t, { limits: { wholeFrameBytes: 100 } });
    const app = core.connect();
    const header = 'pool a1-1 NN\n'.length;
    const frame = app.frame('pool', { body: Buffer.alloc(bytes - header) }).bytes;
    t.equal(frame.length, bytes);
    app.write(frame.subarray(0, 50));
    t.equal(core.network.dials.length, streams ? 1 : 0);
    t.equal(core.broker().open[0]?.partial ?? 0, streams ? 50 : 0);
    app.write(frame.subarray(50));
    t.equal(app.answers.length, 1);
  }
});

t.test('an answer of ours waits until all that is owed before it is written', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('hi');
  core.broker().manual = true;
  const ids = ['pool', 'hi', 'pool', 'hi', 'hi'].map((word) => app.send(word));
  t.equal(app.answers.length, 1);
  core.broker().open[0]?.answer();
  core.pump();
  t.strictSame(app.ids.slice(1), ids.slice(0, 2));
  core.broker().open[0]?.answer();
  core.pump();
  t.strictSame(app.ids.slice(1), ids);
});

t.test('what may be answered by us is forwarded while anything is owed', async (t) => {
  const core = await startCore(t);
  const [app, other] = [core.connect(), core.connect()];
  app.send('meta');
  other.send('meta');
  core.broker().received.length = 0;
  app.send('meta');
  t.strictSame(core.broker().words, [], 'its neighbour brought a newer answer');
  other.send('meta');
  other.send('meta');
  core.broker().received.length = 0;
  core.broker().manual = true;
  app.send('house');
  app.send('meta');
  t.strictSame(core.broker().words, ['house', 'meta']);
});

t.test('a client that does not read what we answer is not read from any more', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('hi');
  app.peer.clog(0);
  const ids = Array.from({ length: 2000 }, () => app.send('hi'));
  t.ok(core.route.bytesFromClients < 2000 * 10, 'most of its questions are left in the socket');
  app.peer.unclog();
  core.pump();
  t.strictSame(app.ids.slice(1), ids, 'and all are answered once it reads');
});

t.test('a request behind one that is refused is not carried', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  const before = app.frame('pool');
  app.write(Buffer.concat([before.bytes, app.frame('bad').bytes, app.frame('pool').bytes]));
  core.pump();
  t.strictSame(core.broker().ids, [before.id], 'what came before it is');
  t.notOk(app.isOpen);
});

t.test('bytes are counted in both directions', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  const { bytes } = app.frame('pool', { body: Buffer.alloc(100), keys: [['answer', '300']] });
  app.write(bytes);
  const { bytesFromClients, bytesToClients } = core.control.figures();
  t.equal(bytesFromClients, bytes.length);
  t.equal(bytesToClients, 'ok a1-1 300\n'.length + 300);
});
