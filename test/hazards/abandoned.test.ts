/** H21, H22, H47: clients that die in the middle of a request or with an answer owed, or end only their half. */
import t from 'tap';
import { produce } from '../../src/demo/kafka/messages/produce.ts';
import { startCore } from '../support/core-fixture.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import { createTopic, produceTo, valuesOf } from './requests.ts';
import { connect, startSidecar } from './sidecar.ts';

t.test('wherever a client is cut off, the next one’s bytes begin where a request begins', async (t) => {
  // H21
  const core = await startCore(t, { limits: { wholeFrameBytes: 100 } });
  const broker = core.broker();
  const bodies = [20, 300, 10];
  let cuts = 0;
  for (const how of ['fin', 'reset'] as const) {
    for (let cut = 1, length = 2; cut < length; cut += 1) {
      broker.received.length = 0;
      const app = core.connect();
      const frames = bodies.map((size) => app.frame('pool', { body: Buffer.alloc(size, 'x') }));
      const stream = Buffer.concat(frames.map(({ bytes }) => bytes));
      length = stream.length;
      app.write(stream.subarray(0, cut));
      app[how]();
      const next = core.connect();
      const id = next.send('pool', { body: 'mine' });
      core.clock.advance(20);
      const received = broker.received.filter((request) => request.id === id);
      if (received.length !== 1 || `${received[0]?.body}` !== 'mine' || next.ids[0] !== id)
        t.fail(`${how} at ${cut}: ${received.length} of ${broker.ids}`);
      for (const connection of broker.open)
        if (connection.partial > 0) t.fail(`${how} at ${cut}: half a request lies there`);
      next.fin();
      cuts += 1;
    }
  }
  t.ok(cuts > 700, `${cuts} cuts`);
  t.strictSame(new Set(core.released), new Set(['abandoned']));
  t.notOk(core.disconnected.some((reason) => reason !== 'client_closed' && reason !== 'client_reset'));
});

t.test('a client that dies within a small request costs no connection', async (t) => {
  // H21
  const core = await startCore(t);
  for (const how of ['fin', 'reset'] as const) {
    const app = core.connect();
    app.send('pool');
    const { bytes } = app.frame('pool', { body: Buffer.alloc(1000) });
    app.write(bytes.subarray(0, 600));
    app[how]();
  }
  t.strictSame(core.released, []);
  t.equal(core.network.dials.length, 1);
});

t.test('an answer that comes too late for its client reaches nobody', async (t) => {
  // H22
  for (const late of [1, 100, 900, 5000]) {
    const core = await startCore(t, { pool: { maxConnectionsPerBroker: 1 } });
    const broker = core.broker();
    broker.manual = true;
    const app = core.connect();
    app.send('pool', { keys: [['answer', '50']] });
    app.send('pool', { keys: [['answer', '50']] });
    const [connection] = broker.open;
    // It does not notice, and says no goodbye of its own.
    if (connection !== undefined) connection.peer.onEnd = () => undefined;
    app.reset();
    broker.manual = false;
    const next = core.connect();
    const id = next.send('pool');
    core.clock.advance(late);
    while ((connection?.waiting.length ?? 0) > 0) connection?.answer();
    core.pass(2);
    t.strictSame(next.ids, [id], `after ${late} ms`);
    t.equal(connection?.received.filter((request) => request.id === id).length, 0);
    t.strictSame(core.released, ['abandoned']);
    t.equal(core.network.open, 2, 'of the first connection nothing is left');
  }
});

t.test('a client that sends all it has and ends its half gets every answer, and then our FIN', async (t) => {
  // H47
  const cluster = await startCluster(t, { brokers: 1 });
  createTopic(cluster);
  const sidecar = await startSidecar(t, cluster);
  for (const count of [1, 5, 50]) {
    // Asleep: the FIN comes long before the first of them can be written to a broker.
    await sidecar.asleep(cluster);
    const client = await connect(t, sidecar, 1);
    for (let number = 0; number < count; number += 1) client.send(produce, 9, produceTo(1, [`${count}/${number}`]));
    client.socket.end();
    t.equal(await client.ended(), 'fin');
    t.equal(client.frames.length, count);
  }
  t.equal(valuesOf(cluster).length, 56);
  t.strictSame(sidecar.closes, Array(3).fill('client_closed'));
});
