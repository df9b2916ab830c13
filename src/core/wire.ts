/** What the core needs from a byte stream; sockets implement it, and so do the doubles that tests script. */
import type { SecureContext, SecureContextOptions } from 'node:tls';

/** How a stream ended: with a FIN of the peer's before, by a reset, or by our own hand. */
export type WireEnd = 'closed' | 'reset' | 'error';

export interface WireHandler {
  /**
   * `bytes[0, length)` arrived. They are valid until the call returns, and, if the stream is paused by then, until it is
   * resumed.
   */
  onBytes(bytes: Buffer, length: number): void;
  /** The peer's FIN. */
  onEnd(): void;
  /** Everything written so far has left for the kernel; told after a `write` that answered false, perhaps also after others. */
  onFlushed(): void;
  /** The last event: the stream is gone and its slot is free. `detail` is the system's error code, or ''. */
  onClosed(how: WireEnd, detail: string): void;
}

export interface Wire {
  readonly remote: string;
  /** The common name of the certificate that the peer has shown and that was verified; null without one. */
  readonly peerName: string | null;
  /** Hands over the bytes. True: they are on their way and the buffer may be reused; false: `onFlushed` will tell. */
  write(bytes: Buffer): boolean;
  /** Written bytes are there that the kernel has not taken yet. */
  readonly pending: boolean;
  /** How many, or about as many; fewer than before means that the peer reads. */
  readonly unsentBytes: number;
  pause(): void;
  resume(): void;
  /** FIN, behind what was written. */
  end(): void;
  /** It carries nothing for now: what it holds only to be fast may go. */
  relax(): void;
  /** Drops the stream, unsent bytes included. */
  destroy(): void;
  /** Drops the stream with a RST, so that the peer sees an abort and no port lingers. */
  reset(): void;
}

/** A listening socket. Closing stops accepting; what was accepted stays. */
export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

/** How dialled streams are secured; one object for all streams that are secured alike. */
export interface DialTls {
  /** For the TLS implementation alone. */
  readonly context: SecureContext;
  /** False: whoever answers is believed. */
  readonly verifies: boolean;
  /** Sessions to resume, by `host:port` of the server's name; kept by the TLS implementation. */
  readonly sessions: Map<string, Buffer>;
}

/** How accepted streams are secured; asked for each of them, since files behind it are replaced. */
export interface ListenTls {
  /** Certificate, key, client authorities, versions; for the TLS implementation alone. */
  readonly options: SecureContextOptions;
  /** Clients must show a certificate that the context's authorities have signed. */
  readonly requiresCertificate: boolean;
}

/** A stream that ended before it could be handed over. */
export interface FailedHandshake {
  readonly remote: string;
  /** It did not even begin one: it speaks plaintext. */
  readonly plaintext: boolean;
  /** The system's or the TLS implementation's code or words. */
  readonly detail: string;
}

export interface ListenOptions {
  /** Undefined: plaintext. */
  readonly tls?: (() => ListenTls) | undefined;
  readonly handshakeFailed?: (failure: FailedHandshake) => void;
  /** How long a handshake may take; 10 s if absent. */
  readonly handshakeMilliseconds?: number;
}

export interface DialOptions {
  readonly tls: DialTls;
  /** Whose certificate is expected, for SNI and verification: the advertised host, whatever address is dialled. */
  readonly serverName: string;
}

export interface Network {
  /** Rejects with the system's error if the address cannot be bound. Returns the handler of each accepted stream. */
  listen(host: string, port: number, accept: (wire: Wire) => WireHandler, options?: ListenOptions): Promise<Listening>;
  /**
   * Starts to connect; `connected` is told once the transport is open, TLS included, else `onClosed` of the handler.
   *
   * @param options undefined: plaintext
   */
  dial(host: string, port: number, handler: WireHandler, connected: () => void, options?: DialOptions): Wire;
}
