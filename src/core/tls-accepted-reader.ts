/** Reading of accepted secured streams: each record in a buffer of its own, as Node gives it. */
import type { TLSSocket } from 'node:tls';
import type { TlsReader } from './tls-wire.ts';
import type { WireHandler } from './wire.ts';

export class AcceptedTlsReader implements TlsReader {
  /** Whose handler takes what was read. */
  wire: { readonly handler: WireHandler | null } | null = null;
  /** Node holds back what came while it is paused, and the end behind it. */
  readonly holding = false;
  whenRead: (() => void) | null = null;
  readonly #socket: TLSSocket;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
  }

  start(): void {
    this.#socket.on('data', (chunk: Buffer) => this.wire?.handler?.onBytes(chunk, chunk.length));
  }

  pause(): void {
    this.#socket.pause();
  }
  resume(): void {
    this.#socket.resume();
  }
  end(): void {
    this.wire?.handler?.onEnd();
  }
  relax(): void {
    // It holds nothing.
  }
  free(): void {
    // It holds nothing.
  }
}
