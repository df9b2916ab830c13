/** The tests' brokers and clients on loopback. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { FakeBroker } from './broker.ts';
import type { BrokerConnection, Transport } from './broker-connection.ts';
import { ScriptedClient } from './client.ts';
import { type ClusterOptions, FakeCluster } from './cluster.ts';

const HOST = '127.0.0.1';

interface Scope {
  teardown(task: () => Promise<void> | void): unknown;
}

function transportOf(socket: Socket): Transport {
  return {
    write: (bytes) => void socket.write(bytes),
    end: () => void socket.end(() => socket.destroy()),
    reset: () => void socket.resetAndDestroy(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
  };
}

function follow(socket: Socket, connection: Pick<BrokerConnection, 'feed' | 'ended'>): void {
  socket.setNoDelay(true);
  socket.on('data', (bytes) => connection.feed(bytes));
  socket.on('end', () => connection.ended());
  socket.on('error', () => connection.ended());
  socket.on('close', () => connection.ended());
}

/** A port that a broker keeps while it comes and goes. */
export class BrokerPort {
  #server: Server | null = null;
  readonly #sockets = new Set<Socket>();
  #port = 0;
  broker: FakeBroker | null = null;

  get port(): number {
    return this.#port;
  }

  async open(): Promise<void> {
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      if (this.broker !== null) follow(socket, this.broker.accept(transportOf(socket)));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, HOST, resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    this.#port = address.port;
    this.#server = server;
  }

  /** As a process that is killed: every socket is reset, and nobody listens. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    this.broker?.kill();
    for (const socket of this.#sockets) socket.destroy();
    if (server !== null) await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

export interface ServedCluster {
  readonly cluster: FakeCluster;
  readonly ports: readonly BrokerPort[];
}

export async function startCluster(scope: Scope, count = 1, options: ClusterOptions = {}): Promise<ServedCluster> {
  const cluster = new FakeCluster(options);
  const ports: BrokerPort[] = [];
  scope.teardown(async () => {
    await Promise.all(ports.map((port) => port.close()));
  });
  for (let index = 0; index < count; index += 1) {
    const port = new BrokerPort();
    ports.push(port);
    await port.open();
    port.broker = new FakeBroker(cluster, `${HOST}:${port.port}`);
  }
  return { cluster, ports };
}

export async function openClient(scope: Scope, port: number): Promise<ScriptedClient> {
  const socket = connect({ host: HOST, port });
  const client = new ScriptedClient(transportOf(socket));
  scope.teardown(() => void socket.destroy());
  follow(socket, client);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return client;
}
