import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('an answer that its client has not taken yet stays as it is when the client is closed', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('odd');
  app.peer.clog(10);
  const id = app.send('pool', { keys: [['answer', '500']] });
  core.control.closeClient('c1');
  core.pump();
  const next = core.connect();
  next.send('pool', { keys: [['answer', '500']] });
  app.peer.unclog();
  core.pump();
  t.ok(app.wasEnded);
  t.strictSame(app.answers.at(-1)?.body, Buffer.alloc(500, id));
});

t.test('a request that its broker has not taken yet stays as it is while its client sends more', async (t) => {
  const core = await startCore(t);
  const { clock } = core;
  const broker = core.broker();
  broker.manual = true;
  const app = core.connect();
  app.send('pool');
  const [connection] = broker.open;
  connection?.peer.clog(0);
  const body = Buffer.alloc(2000, 'x');
  app.send('shot', { body });
  connection?.answer();
  core.pump();
  t.equal(app.answers.length, 1, 'nothing is owed any more, but the shot has not left');
  app.send('shot', { body: Buffer.alloc(2000, 'y') });
  connection?.peer.unclog();
  clock.advance(1000);
  t.strictSame(
    broker.received.slice(1).map((request) => request.body),
    [body, Buffer.alloc(2000, 'y')],
  );
});

t.test('what a waiting client sent ahead stays as it is until its turn comes', async (t) => {
  const core = await startCore(t);
  const broker = core.broker();
  broker.manual = true;
  const app = core.connect();
  const body = (of: string): Buffer => Buffer.alloc(12_000, of);
  const requests = [...'abcdef'].map((of) => app.frame('pool', { body: body(of) }).bytes);
  app.write(Buffer.concat(requests));
  app.write('hi x 0\n');
  app.write(app.frame('pool', { body: body('g') }).bytes);
  while (broker.open[0]?.waiting[0] !== undefined) {
    broker.open[0].answer();
    core.pump();
  }
  t.strictSame(
    broker.received.map((request) => request.body),
    [...'abcdefg'].map(body),
  );
});

t.test('a pause does not outlive the tenant for whom it was made', async (t) => {
  // DESIGN 5.6
  const core = await startCore(t);
  const broker = core.broker();
  broker.manual = true;
  const slow = core.connect();
  slow.peer.clog(0);
  slow.send('pool', { keys: [['answer', '100000']] });
  slow.send('pool');
  broker.open[0]?.answer();
  core.pump();
  const [wire] = core.network.wires.filter(({ paused }) => paused);
  t.ok(wire, 'the broker is read no further while its client takes nothing');
  slow.reset();
  t.strictSame(core.released, ['abandoned']);
  t.equal(core.network.wires.filter(({ paused }) => paused).length, 0);
});
