/** Dials over TLS: SNI and verification by the name that was asked for, whatever address it is dialled at; no ALPN. */
import { isIP, type OnReadOpts } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, connect, type PeerCertificate } from 'node:tls';
import { SecuredReader } from './tls-reader.ts';
import { TlsWire } from './tls-wire.ts';
import type { DialOptions, Wire, WireHandler } from './wire.ts';

/** Servers whose sessions are kept. */
const MOST_SESSIONS = 1000;

/** What secured and other dialled sockets have in common. */
export interface SocketOptions {
  readonly host: string;
  readonly port: number;
  readonly allowHalfOpen: boolean;
  readonly noDelay: boolean;
  readonly keepAlive: boolean;
  readonly keepAliveInitialDelay: number;
}

/** @param connected told once the handshake is done and the certificate was verified */
export function dialSecured(
  options: SocketOptions,
  { tls, serverName }: DialOptions,
  handler: WireHandler,
  connected: () => void,
): Wire {
  const name = serverName.replace(/\.$/, '');
  const { sessions } = tls;
  const key = `${name}:${options.port}`;
  const session = sessions.get(key);
  const reader = new SecuredReader(false);
  const all: ConnectionOptions & { readonly onread: OnReadOpts } = {
    ...options,
    secureContext: tls.context,
    rejectUnauthorized: tls.verifies,
    // An address is no name for SNI (RFC 6066 section 3), but it is verified all the same.
    servername: isIP(name) === 0 ? name : '',
    checkServerIdentity: (_host: string, certificate: PeerCertificate) => checkServerIdentity(name, certificate),
    ...(session === undefined ? {} : { session }),
    onread: {
      buffer: () => reader.space,
      callback: (length) => {
        reader.read(length);
        return true;
      },
    },
  };
  const socket = connect(all);
  const wire = new TlsWire(socket, reader, null, null);
  wire.handler = handler;
  reader.wire = wire;
  reader.socket = socket;
  // Not before: while addresses are tried in turn, Node replaces what would tell of sessions.
  socket.once('connect', () => socket.on('session', (next: Buffer) => keep(sessions, key, next)));
  // A session that did not help is not shown again.
  const forget = (): boolean => sessions.delete(key);
  socket.once('error', forget);
  socket.once('secureConnect', () => {
    socket.off('error', forget);
    wire.secured();
    connected();
  });
  return wire;
}

/** The newest session of each server; TLS 1.3 tells several. */
function keep(sessions: Map<string, Buffer>, key: string, session: Buffer): void {
  sessions.delete(key);
  sessions.set(key, session);
  for (const oldest of sessions.keys()) {
    if (sessions.size <= MOST_SESSIONS) return;
    sessions.delete(oldest);
  }
}
