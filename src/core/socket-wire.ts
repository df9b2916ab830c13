/**
 * Wires over TCP sockets of node:net. They read into static buffers: dialled ones, which are few, into one each; accepted
 * ones, of which there may be thousands, into a shared one until they carry bulk.
 *
 * After `socket.write(view)` a `writableLength` of 0 means that the kernel has everything and the view's buffer
 * is free again. That is observed behaviour, not a promise of Node's: test/core/socket-wire.test.ts holds it.
 */
import net from 'node:net';
import { AcceptedReader } from './accepted-socket.ts';
import { ReadBuffer } from './read-buffer.ts';
import { dialSecured } from './tls-dial.ts';
import { TlsAcceptor } from './tls-listen.ts';
import type { DialOptions, Listening, ListenOptions, Network, Wire, WireEnd, WireHandler } from './wire.ts';

const NOTHING = Buffer.alloc(0);
/** Of every socket. */
const ALL = { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 } as const;
const BACKLOG = 4096;

const wires = Symbol('wire');
type WiredSocket = net.Socket & { [wires]?: SocketWire };

function onEnd(this: WiredSocket): void {
  this[wires]?.handler?.onEnd();
}
function onError(this: WiredSocket, error: NodeJS.ErrnoException): void {
  this[wires]?.failed(error);
}
function onClose(this: WiredSocket): void {
  this[wires]?.closed();
}

/** What a socket is read into. */
interface Reader {
  free(): void;
  relax?(socket: net.Socket): void;
}

class SocketWire implements Wire {
  handler: WireHandler | null = null;
  readonly #socket: WiredSocket;
  readonly #reader: Reader;
  #errorCode = '';
  #flushing = false;

  constructor(socket: WiredSocket, reader: Reader) {
    this.#socket = socket;
    this.#reader = reader;
    socket[wires] = this;
    socket.on('end', onEnd).on('error', onError).on('close', onClose);
  }

  get remote(): string {
    return `${this.#socket.remoteAddress ?? ''}:${this.#socket.remotePort ?? ''}`;
  }

  get peerName(): null {
    return null;
  }

  get pending(): boolean {
    return this.#socket.writableLength > 0;
  }

  /** As for a time-out of Node's own: without the private figure only whole writes are seen to leave. */
  get unsentBytes(): number {
    const size: unknown = Reflect.get(Reflect.get(this.#socket, '_handle') ?? {}, 'writeQueueSize');
    return typeof size === 'number' ? size : this.#socket.writableLength;
  }

  write(bytes: Buffer): boolean {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return true;
    socket.write(bytes);
    if (socket.writableLength === 0) return true;
    if (!this.#flushing) this.#watch();
    return false;
  }

  /** 'drain' is not told for bytes that are pending although write() answered true; a callback behind them is. */
  #watch(): void {
    this.#flushing = true;
    this.#socket.write(NOTHING, () => {
      this.#flushing = false;
      if (this.#socket.destroyed) return;
      if (this.#socket.writableLength > 0) this.#watch();
      else this.handler?.onFlushed();
    });
  }

  pause(): void {
    this.#socket.pause();
  }
  resume(): void {
    this.#socket.resume();
  }
  end(): void {
    this.#socket.end();
  }
  destroy(): void {
    this.#socket.destroy();
  }
  relax(): void {
    this.#reader.relax?.(this.#socket);
  }
  reset(): void {
    // The kernel refuses a RST while a FIN is under way, and Node would then forget the socket without closing it.
    if (this.#socket.writableEnded) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  failed(error: NodeJS.ErrnoException): void {
    this.#errorCode = error.code ?? error.message;
  }

  closed(): void {
    this.#reader.free();
    const code = this.#errorCode;
    const how: WireEnd = code === '' ? 'closed' : code === 'ECONNRESET' || code === 'EPIPE' ? 'reset' : 'error';
    this.handler?.onClosed(how, code);
    this.handler = null;
  }
}

function listen(
  host: string,
  port: number,
  accept: (wire: Wire) => WireHandler,
  options: ListenOptions = {},
): Promise<Listening> {
  const { tls, handshakeFailed: failed = () => undefined, handshakeMilliseconds = 10_000 } = options;
  const acceptor = tls === undefined ? null : new TlsAcceptor({ tls, accept, failed, handshakeMilliseconds });
  const server = net.createServer({ pauseOnConnect: true, ...ALL });
  server.on('connection', (accepted: net.Socket) => {
    if (acceptor !== null) {
      acceptor.take(accepted);
      return;
    }
    const reader = new AcceptedReader();
    const socket = reader.adopt(accepted);
    const wire = new SocketWire(socket, reader);
    reader.wire = wire;
    wire.handler = accept(wire);
    socket.resume();
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: BACKLOG, exclusive: true }, () => {
      server.off('error', reject);
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : port,
        // Not awaited to the end: server.close() calls back only when every accepted socket is gone.
        close: () => {
          server.close();
          acceptor?.close();
          return new Promise((done) => setImmediate(done));
        },
      });
    });
  });
}

function dial(host: string, port: number, handler: WireHandler, connected: () => void, secured?: DialOptions): Wire {
  const options = { host, port, ...ALL };
  if (secured !== undefined) return dialSecured(options, secured, handler, connected);
  const buffer = new ReadBuffer();
  const socket: WiredSocket = net.connect({
    ...options,
    onread: {
      buffer: () => buffer.bytes,
      callback: (length, bytes) => {
        wire.handler?.onBytes(bytes as Buffer, length);
        buffer.saw(length);
        return true;
      },
    },
  });
  const wire = new SocketWire(socket, buffer);
  wire.handler = handler;
  socket.once('connect', connected);
  return wire;
}

export const tcpNetwork: Network = { listen, dial };
