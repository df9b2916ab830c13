/** H46: one client that brings as much as it can, and others that want a word in between. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket, connect as tcpConnect } from 'node:net';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import { Route } from '../../src/core/route.ts';
import { tcpNetwork } from '../../src/core/socket-wire.ts';
import type { Network, Wire, WireHandler } from '../../src/core/wire.ts';
import { protocolNamed } from '../../src/protocols/registry.ts';
import { routeOptions } from '../support/core-fixture.ts';
import { until } from '../support/until.ts';

t.setTimeout(120_000);

const KIB = 1024;
const MEBIBYTE = KIB * KIB;
const BULK = Buffer.alloc(MEBIBYTE, 'b');
const LARGEST_READ = MEBIBYTE;
/** Of the loop, which the client, the sidecar and the server share here: a way there and back is a handful. */
const MOST_TURNS = 25;
const PINGS = 50;

/** Swallows what begins with a b, and echoes the rest. */
async function startServer(t: Test): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => bytes[0] !== BULK[0] && socket.write(bytes));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

/** Tells the length of every read of an accepted socket. */
function observed(read: (length: number) => void): Network {
  const overhear = (handler: WireHandler): WireHandler => ({
    onBytes: (bytes, length) => {
      read(length);
      handler.onBytes(bytes, length);
    },
    onEnd: () => handler.onEnd(),
    onFlushed: () => handler.onFlushed(),
    onClosed: (how, detail) => handler.onClosed(how, detail),
  });
  const listen: Network['listen'] = (host, port, accept) =>
    tcpNetwork.listen(host, port, (wire: Wire) => overhear(accept(wire)));
  return { ...tcpNetwork, listen };
}

t.test('while one client floods its connection the small words of others pass within a few turns', async (t) => {
  const port = await startServer(t);
  const reads: number[] = [];
  const route = new Route({
    options: routeOptions({
      options: { protocol: 'tcp', listen: { host: '127.0.0.1', port: 0 } },
      upstream: { bootstrap: [{ host: '127.0.0.1', port }] },
    }),
    protocol: protocolNamed('tcp'),
    clock: systemClock,
    network: observed((length) => reads.push(length)),
    observe: () => undefined,
    random: Math.random,
  });
  await route.start();
  t.teardown(() => route.stop());
  const local = Number(route.listeners.addressOf('bootstrap')?.split(':')[1]);
  const join = async (): Promise<Socket> => {
    const socket = tcpConnect({ host: '127.0.0.1', port: local, noDelay: true });
    socket.on('error', () => undefined);
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  const noisy = await join();
  const flood = (): void => {
    while (!noisy.destroyed && noisy.write(BULK));
  };
  noisy.on('drain', flood);
  flood();
  await until('the flood has come', () => reads.reduce((sum, length) => sum + length, 0) > 4 * MEBIBYTE);
  const quiet = await join();
  quiet.setNoDelay(true);
  let turn = 0;
  let isOver = false;
  const count = (): void => {
    turn += 1;
    if (!isOver) setImmediate(count);
  };
  count();
  const turns: number[] = [];
  const before = reads.length;
  for (let ping = 0; ping < PINGS; ping += 1) {
    const start = turn;
    quiet.write('ping');
    await once(quiet, 'data');
    turns.push(turn - start);
  }
  isOver = true;
  noisy.destroy();
  const during = reads.slice(before).filter((length) => length > KIB);
  t.ok(during.length > PINGS, `${during.length} reads of the flood during ${PINGS} words`);
  t.ok(Math.max(...turns) <= MOST_TURNS, `${Math.max(...turns)} turns at most`);
  t.ok(Math.max(...reads) <= LARGEST_READ, `${Math.max(...reads)} bytes at once at most`);
});
