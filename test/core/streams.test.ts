/** Opaque streams: a connection for each client from the start, and both live, idle and end together. */
import t, { type Test } from 'tap';
import { BOOTSTRAP } from '../../src/contract/topology.ts';
import { tcp } from '../../src/protocols/tcp/tcp.ts';
import { CoreFixture, LISTEN, type Overrides } from '../support/core-fixture.ts';
import type { FakePeer } from '../support/fake-peer.ts';

class End {
  readonly peer: FakePeer;
  text = '';
  constructor(peer: FakePeer) {
    this.peer = peer;
    peer.onBytes = (bytes) => {
      this.text += bytes.toString();
    };
  }
}

interface Streams {
  readonly core: CoreFixture;
  /** What the server accepted. */
  readonly served: End[];
  connect(): End;
  /** One side sends, and all of it is delivered. */
  say(from: End, text: string): void;
}

async function streams(t: Test, overrides: Overrides = {}): Promise<Streams> {
  const core = new CoreFixture({ protocol: tcp, ...overrides });
  t.teardown(async () => {
    await core.route.stop();
    core.pump();
    if (core.network.faults.length > 0) throw new Error(core.network.faults.join('; '));
  });
  const served: End[] = [];
  core.network.serve('broker-1:9092', (peer) => void served.push(new End(peer)));
  await core.route.start();
  await core.settle();
  const connect = (): End => {
    const end = new End(core.network.connect(LISTEN.host, LISTEN.port));
    core.pump();
    return end;
  };
  const say = (from: End, text: string): void => {
    from.peer.send(text);
    core.pump();
  };
  return { core, served, connect, say };
}

t.test('a stream is dialled when its client is accepted, for the server may speak first', async (t) => {
  const { core, served, connect, say } = await streams(t);
  t.ok(core.route.learnt, 'there is no topology to learn');
  t.strictSame(core.network.dials, [], 'and nothing is dialled before');
  const client = connect();
  t.equal(served.length, 1);
  say(served[0]!, 'welcome');
  t.equal(client.text, 'welcome');
});

t.test('bytes pass both ways as they are, whatever they are', async (t) => {
  const { served, connect, say } = await streams(t);
  const client = connect();
  say(client, 'GET / HTTP/1.1\r\n\r\n');
  say(served[0]!, '\0\x01\x02');
  say(client, 'pool a 0\n');
  t.equal(served[0]?.text, 'GET / HTTP/1.1\r\n\r\npool a 0\n');
  t.equal(client.text, '\0\x01\x02');
});

t.test('what a client sends before its stream is open is carried in order', async (t) => {
  const { core, served, connect, say } = await streams(t);
  core.network.silence('broker-1:9092');
  const client = connect();
  say(client, 'one ');
  say(client, 'two ');
  core.network.serve('broker-1:9092', (peer) => void served.push(new End(peer)));
  core.pump();
  say(client, 'three');
  t.equal(served[0]?.text, 'one two three');
});

t.test('each client has a stream of its own, and the cap does not count them', async (t) => {
  const { core, served, connect, say } = await streams(t, { pool: { maxConnectionsPerBroker: 1 } });
  const clients = Array.from({ length: 12 }, connect);
  for (const [index, client] of clients.entries()) say(client, `${index}`);
  t.equal(served.length, 12);
  t.strictSame(served.map(({ text }) => text).sort(), clients.map((_, index) => `${index}`).sort());
  for (const view of core.control.upstreams()) t.match(view, { budget: 'pinned', pins: ['opaque'] });
});

for (const first of ['client', 'server'] as const) {
  t.test(
    `when the ${first} ends its half the other half goes on, and both are closed when both have ended`,
    async (t) => {
      const { core, served, connect, say } = await streams(t);
      const client = connect();
      const [server] = served;
      const [early, late] = first === 'client' ? [client, server!] : [server!, client];
      say(early, 'the last');
      early.peer.fin();
      core.pump();
      t.equal(late.text, 'the last');
      t.ok(late.peer.ended, 'the end is passed on');
      t.notOk(early.peer.ended);
      say(late, 'still ');
      core.pass(10);
      say(late, 'here');
      t.equal(early.text, 'still here');
      late.peer.fin();
      core.pump();
      t.ok(early.peer.ended && !early.peer.wasReset);
      t.strictSame(core.disconnected, ['client_closed']);
      t.strictSame(core.released, ['client_closed']);
      t.equal(core.network.open, 0);
    },
  );

  t.test(`when the ${first} resets, the other side ends too`, async (t) => {
    const { core, served, connect } = await streams(t);
    const client = connect();
    const [server] = served;
    (first === 'client' ? client : server!).peer.rst();
    core.pump();
    t.ok((first === 'client' ? server! : client).peer.over);
    if (first === 'server') t.ok(client.peer.wasReset);
    core.pass(1.1);
    t.equal(core.network.open, 0);
    t.strictSame(core.released, [first === 'client' ? 'client_closed' : 'broker_reset']);
  });

  t.test(`bytes of the ${first} alone keep a stream`, async (t) => {
    const { core, served, connect, say } = await streams(t);
    const client = connect();
    for (let minute = 0; minute < 20; minute += 1) {
      say(first === 'client' ? client : served[0]!, 'x');
      core.pass(60);
    }
    t.strictSame(core.released, []);
  });
}

t.test('a stream without a byte for connectionMaxIdleSeconds is closed on both sides, within the window', async (t) => {
  const ages: number[] = [];
  for (let turn = 0; turn < 20; turn += 1) {
    const { core, served, connect, say } = await streams(t, { random: () => turn / 20 });
    core.pass(turn);
    const client = connect();
    say(client, 'x');
    const start = core.clock.now();
    core.onEvent = (event) => {
      if (event.type === 'upstream.released') ages.push((core.clock.now() - start) / 1000);
    };
    core.pass(245.1);
    t.strictSame(core.released, ['idle']);
    t.strictSame(core.disconnected, ['idle']);
    t.ok(client.peer.ended && !client.peer.wasReset);
    t.ok(served[0]?.peer.ended);
    t.equal(core.route.reaped, 1);
  }
  t.ok(Math.min(...ages) >= 180 && Math.max(...ages) <= 245, `${Math.min(...ages)} to ${Math.max(...ages)}`);
  t.ok(Math.max(...ages) - Math.min(...ages) > 40);
});

t.test('a byte that arrives while a silent stream is about to be closed keeps it', async (t) => {
  const { core, connect, say } = await streams(t);
  const client = connect();
  say(client, 'x');
  core.pass(210.1); // chosen, and not gone before two and a half seconds
  client.peer.send('y');
  core.clock.runTimers(2500);
  core.clock.readInput();
  core.pass(5);
  t.strictSame(core.released, []);
});

t.test(
  'a server that cannot be reached looks so: the client is reset, the next is refused, until it is back',
  async (t) => {
    const { core, served, connect } = await streams(t);
    core.network.refuse('broker-1:9092');
    const client = connect();
    t.ok(client.peer.wasReset);
    t.strictSame(core.disconnected, ['upstream_unavailable']);
    t.ok(connect().peer.refused);
    core.network.serve('broker-1:9092', (peer) => void served.push(new End(peer)));
    core.pass(11);
    await core.settle();
    t.notOk(connect().peer.refused);
    t.ok(served.length > 0);
  },
);

t.test('a slow reader slows the other side, either way', async (t) => {
  for (const slow of ['client', 'server'] as const) {
    const { core, served, connect, say } = await streams(t);
    core.network.bufferBytes = 1000;
    const client = connect();
    const [from, to] = slow === 'client' ? [served[0]!, client] : [client, served[0]!];
    to.peer.clog(0);
    for (let piece = 0; piece < 50; piece += 1) say(from, 'x'.repeat(1000));
    const read = core.route.bytesFromClients + core.route.bytesToClients;
    t.ok(read <= 3000, `${read} bytes were read`);
    to.peer.unclog();
    core.pump();
    t.equal(to.text.length, 50_000);
  }
});

t.test('a stream ends with the sidecar', async (t) => {
  const { core, served, connect } = await streams(t);
  const client = connect();
  await core.route.stop();
  core.pump();
  t.ok(client.peer.ended && !client.peer.wasReset);
  t.ok(served[0]?.peer.ended);
  t.strictSame(core.disconnected, ['shutdown']);
});

t.test('an operator sees a stream, and closes it from either side', async (t) => {
  const { core, served, connect } = await streams(t);
  const clients = [connect(), connect()];
  t.match(core.control.clients()[0], { state: 'attached', pins: ['opaque'], listener: BOOTSTRAP });
  t.ok(core.control.closeClient('c1'));
  core.pump();
  t.ok(clients[0]?.peer.ended && served[0]?.peer.ended);
  t.ok(core.control.condemnUpstream(core.control.upstreams().find(({ state }) => state === 'using')!.id, true));
  core.pump();
  t.ok(clients[1]?.peer.over && served[1]?.peer.over);
  for (const end of [...clients, ...served]) end.peer.fin();
  core.pump();
  t.equal(core.network.open, 0);
});
