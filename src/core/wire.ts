/** What the core needs from a byte stream; sockets implement it, and so do the doubles that tests script. */

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
  /** Everything written so far has left for the kernel; told only after a `write` that answered false. */
  onFlushed(): void;
  /** The last event: the stream is gone and its slot is free. `detail` is the system's error code, or ''. */
  onClosed(how: WireEnd, detail: string): void;
}

export interface Wire {
  readonly remote: string;
  /** Hands over the bytes. True: the kernel has them all and the buffer may be reused; false: `onFlushed` will tell. */
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

export interface Network {
  /** Rejects with the system's error if the address cannot be bound. Returns the handler of each accepted stream. */
  listen(host: string, port: number, accept: (wire: Wire) => WireHandler): Promise<Listening>;
  /** Starts to connect; `connected` is told once the transport is open, else `onClosed` of the handler. */
  dial(host: string, port: number, handler: WireHandler, connected: () => void): Wire;
}
