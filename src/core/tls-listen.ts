/**
 * Clients that come over TLS: from an accepted socket to a wire, once the handshake is done and a certificate, where one
 * is asked for, was verified. What secures them is asked for each, so that files can be replaced under way.
 */
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { acceptedReader } from './tls-accepted-reader.ts';
import { handshakeDetail } from './tls-failure.ts';
import { TlsWire } from './tls-wire.ts';
import type { FailedHandshake, ListenTls, Wire, WireHandler } from './wire.ts';

/** Handshakes under way at one listener; whoever comes on top of them is reset. */
const MOST_HANDSHAKES = 2000;

/** The first bytes were no TLS. */
const PLAINTEXT = /^ERR_SSL_(WRONG_VERSION_NUMBER|HTTP_REQUEST|HTTPS_PROXY_REQUEST|PACKET_LENGTH_TOO_LONG)\b/;

export interface SecuredListener {
  readonly tls: () => ListenTls;
  readonly handshakeMilliseconds: number;
  accept(wire: Wire): WireHandler;
  failed(failure: FailedHandshake): void;
}

export class TlsAcceptor {
  readonly #listener: SecuredListener;
  readonly #mostHandshakes: number;
  /** Accepted, and not handed over. */
  readonly #shaking = new Set<Socket>();
  #closed = false;
  #current: { readonly tls: ListenTls; readonly server: Server } | null = null;

  constructor(listener: SecuredListener, mostHandshakes = MOST_HANDSHAKES) {
    this.#listener = listener;
    this.#mostHandshakes = mostHandshakes;
  }

  /** @param raw accepted a moment ago, paused */
  take(raw: Socket): void {
    if (this.#shaking.size >= this.#mostHandshakes) {
      this.#listener.failed({ remote: remoteOf(raw), plaintext: false, detail: 'too many handshakes are under way' });
      raw.resetAndDestroy();
      return;
    }
    this.#shaking.add(raw);
    raw.allowHalfOpen = false; // until the handshake is done: whoever ends its half will not finish it
    remoteOf(raw); // is remembered, also when it is gone
    raw.once('close', () => this.#shaking.delete(raw));
    this.#server().emit('connection', raw);
  }

  /** Whoever has not finished its handshake is dropped: our doing, and no failure. */
  close(): void {
    this.#closed = true;
    for (const raw of this.#shaking) raw.destroy();
  }

  /** A server that listens nowhere: sockets are passed to it, which is what its event is documented for. */
  #server(): Server {
    const tls = this.#listener.tls();
    if (this.#current?.tls === tls) return this.#current.server;
    const server = createServer({
      ...tls.options,
      requestCert: tls.requiresCertificate,
      rejectUnauthorized: tls.requiresCertificate,
      handshakeTimeout: this.#listener.handshakeMilliseconds,
    });
    server.on('secureConnection', (socket) => this.#secured(socket, tls));
    server.on('tlsClientError', (error, socket) => this.#failed(error, socket));
    this.#current = { tls, server };
    return server;
  }

  #secured(socket: TLSSocket, tls: ListenTls): void {
    const raw = rawOf(socket);
    if (raw !== null) {
      this.#shaking.delete(raw);
      raw.allowHalfOpen = true;
    }
    socket.allowHalfOpen = true;
    const reader = acceptedReader(socket);
    const wire = new TlsWire(socket, reader, raw, tls.requiresCertificate ? commonName(socket) : null);
    reader.wire = wire;
    wire.secured();
    wire.handler = this.#listener.accept(wire);
  }

  #failed(error: Error, socket: TLSSocket): void {
    const raw = rawOf(socket);
    const refused = socket.authorizationError as unknown; // a code, whatever the types say
    const detail = refused ? `${refused}: the client's certificate was refused` : handshakeDetail(error);
    // Probes that only connect are no failed handshakes.
    const silent = raw !== null && raw.bytesRead === 0 && !detail.startsWith('ERR_TLS_HANDSHAKE_TIMEOUT');
    const remote = remoteOf(raw ?? socket);
    if (!silent && !this.#closed) this.#listener.failed({ remote, plaintext: PLAINTEXT.test(detail), detail });
    socket.destroy();
  }
}

function remoteOf(socket: Socket): string {
  return `${socket.remoteAddress ?? ''}:${socket.remotePort ?? ''}`;
}

/** The accepted socket below it: private to Node, and only needed to end it by a RST and to count. */
function rawOf(socket: TLSSocket): Socket | null {
  const raw: unknown = Reflect.get(socket, '_parent');
  return typeof raw === 'object' && raw !== null && 'resetAndDestroy' in raw ? (raw as Socket) : null;
}

/** Null unless there is exactly one: nobody may choose who it is. */
function commonName(socket: TLSSocket): string | null {
  const name: unknown = socket.getPeerCertificate().subject?.CN;
  return typeof name === 'string' ? name : null;
}
