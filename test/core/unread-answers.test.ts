import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

const REQUESTS = 20_000;
/** What a client may send ahead, and the answer that its socket did not take. */
const BOUND_BYTES = 64 * 1024;

t.test('answers of ours do not pile up for a client that reads none', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('hi');
  app.peer.clog(100);
  const ids = [];
  for (let sent = 0; sent < REQUESTS; sent += 1) {
    const { id, bytes } = app.frame('hi');
    ids.push(id);
    app.peer.send(bytes);
  }
  core.pump();
  t.ok(app.peer.wire.unsentBytes < BOUND_BYTES, `${app.peer.wire.unsentBytes} bytes wait in the sidecar`);
  t.ok(app.peer.wire.paused, 'it is not read either');
  while (app.ids.length <= REQUESTS && !app.peer.over) {
    app.peer.unclog(1000);
    core.pump();
  }
  t.strictSame(app.ids.slice(1), ids, 'once it reads, it gets every answer, in order');
});

t.test('a client that reads none and has sent its FIN still gets every answer, and then ours', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('hi');
  app.peer.clog(10);
  for (let sent = 0; sent < 50; sent += 1) app.send('hi');
  app.fin();
  t.notOk(app.peer.over);
  app.peer.unclog();
  core.pump();
  t.equal(app.ids.length, 51);
  t.ok(app.wasEnded);
});

t.test('a client that never reads is closed as stalled', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('hi');
  app.peer.clog(10);
  for (let sent = 0; sent < 50; sent += 1) app.send('hi');
  core.pass(62);
  t.strictSame(core.disconnected, ['stalled']);
});
