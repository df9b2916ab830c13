/** The HTTP servers of Node below a listener, with every bound set: sizes, times, connections. */
import { once } from 'node:events';
import { type RequestListener, Server, STATUS_CODES } from 'node:http';
import { Server as SecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions, SecureVersion } from 'node:tls';
import { AdminError } from './admin-error.ts';

export interface Bounds {
  /** The request line and all headers. */
  readonly headerBytes: number;
  readonly connections: number;
  /** From the connection, or the first byte of a further request, to the end of the headers; for the TLS handshake too. */
  readonly headersMilliseconds: number;
  /** The same to the end of the body. */
  readonly requestMilliseconds: number;
  /** Without a byte in either direction. */
  readonly silenceMilliseconds: number;
  /** Between two requests. */
  readonly keepAliveMilliseconds: number;
  /** How often the times are looked at. */
  readonly checkMilliseconds: number;
}

export const BOUNDS: Bounds = {
  headerBytes: 8 * 1024,
  connections: 256,
  headersMilliseconds: 5_000,
  requestMilliseconds: 10_000,
  silenceMilliseconds: 10_000,
  keepAliveMilliseconds: 5_000,
  checkMilliseconds: 1_000,
};

const MIN_VERSION: SecureVersion = 'TLSv1.2';

/** What a listener shows in TLS handshakes; somebody else reads its files, and reads them anew. */
export interface ListenerTls {
  current(): SecureContextOptions;
  /** Told after `current` has changed. */
  onChange(listener: () => void): void;
}

/** One for each address that is bound: `localhost` has two. */
export class NodeServers {
  readonly #tls: ListenerTls | undefined;
  readonly #bounds: Bounds;
  readonly #servers: (Server | SecureServer)[] = [];
  #handler: RequestListener = () => undefined;

  constructor(tls: ListenerTls | undefined, bounds: Bounds) {
    this.#tls = tls;
    this.#bounds = bounds;
  }

  /** For the framework, which binds and closes it. */
  first(handler: RequestListener): Server {
    this.#handler = handler;
    return this.#create();
  }

  /** Serves the same on a further address; a machine that does not have it is none the worse. */
  async bindSecond(host: string, port: number): Promise<void> {
    const server = this.#create().on('clientError', answerClientError);
    server.listen({ host, port });
    try {
      await once(server, 'listening');
    } catch (error) {
      if (!isMissingFamily(error)) throw error;
    }
  }

  async closeSecond(): Promise<void> {
    const [, second] = this.#servers;
    if (second?.listening !== true) return;
    const closed = once(second, 'close');
    second.close();
    second.closeAllConnections();
    await closed;
  }

  /** Shows in new handshakes what there is now. @throws what OpenSSL says of it; then all stays as it was */
  renew(): void {
    for (const server of this.#servers) if (server instanceof SecureServer) server.setSecureContext(this.#secured());
  }

  #create(): Server {
    const bounds = this.#bounds;
    const options = {
      maxHeaderSize: bounds.headerBytes,
      headersTimeout: bounds.headersMilliseconds,
      requestTimeout: bounds.requestMilliseconds,
      keepAliveTimeout: bounds.keepAliveMilliseconds,
      connectionsCheckingInterval: bounds.checkMilliseconds,
    };
    const server =
      this.#tls === undefined
        ? new Server(options, this.#handler)
        : new SecureServer(
            { ...options, ...this.#secured(), handshakeTimeout: bounds.headersMilliseconds },
            this.#handler,
          );
    server.maxConnections = bounds.connections;
    server.setTimeout(bounds.silenceMilliseconds);
    this.#servers.push(server);
    return server;
  }

  #secured(): SecureContextOptions {
    return { ...this.#tls?.current(), minVersion: MIN_VERSION };
  }
}

/**
 * Answers what is no request of HTTP, or came too slowly. Anything else has no HTTP to be answered in: a TLS handshake that
 * failed would wait for ever for what is written. The error holds the bytes that came: it is not logged.
 */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  const told = toldError(error.code ?? '');
  if (told === undefined || !socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(told.body());
  const head = [
    `HTTP/1.1 ${told.status} ${STATUS_CODES[told.status]}`,
    'connection: close',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function toldError(code: string): AdminError | undefined {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new AdminError('REQUEST_TIMEOUT', 'the request did not come in time');
  if (code === 'HPE_HEADER_OVERFLOW') return new AdminError('HEADERS_TOO_LARGE', 'the headers are too large');
  return code.startsWith('HPE_') ? new AdminError('REQUEST_INVALID', 'this is no HTTP request') : undefined;
}

function isMissingFamily(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(String(error.code));
}
