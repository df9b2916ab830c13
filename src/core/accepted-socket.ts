/**
 * Accepted sockets that read into buffers of ours.
 *
 * Node gives every read of an accepted socket a fresh 64 KiB buffer, and the garbage of a bulk stream then costs more than
 * the relaying (twice the CPU of this way for 1 MiB requests). `onread` avoids it but is offered for dialled sockets
 * only, so the handle of an accepted socket is wrapped anew. All that is private to Node is looked for, and without it
 * sockets read in the ordinary way.
 */
import net from 'node:net';
import { BULK_BYTES, ReadBuffer } from './read-buffer.ts';
import type { WireHandler } from './wire.ts';

const SCOUT_BYTES = 64 * 1024;
/**
 * Shared by all sockets that carry little, so that an idle one holds no buffer: a read and its callback are one step, and
 * what was read is copied out in that step.
 */
const scout = Buffer.allocUnsafeSlow(SCOUT_BYTES);

/** Where the socket whose read was just dealt with reads next: Node asks right behind the callback. One function for all. */
let next: Buffer = scout;
const nextBuffer = (): Buffer => next;

interface Handle {
  useUserBuffer(buffer: Uint8Array): void;
}

function handleOf(socket: net.Socket): Handle | null {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return null;
  return typeof Reflect.get(handle, 'useUserBuffer') === 'function' ? (handle as Handle) : null;
}

/** Where a socket with `onread` keeps the buffer that it reads into; it would hold it for as long as it is silent. */
const kept = Object.getOwnPropertySymbols(new net.Socket()).find(({ description }) => description === 'kBuffer');

/** How one accepted socket reads. */
export class AcceptedReader {
  /** Whose handler takes what was read. */
  wire: { readonly handler: WireHandler | null } | null = null;
  /** Its own buffer while it carries bulk. */
  #own: ReadBuffer | null = null;

  /** @param accepted paused, and not used for anything else; answers the socket to be used in its place */
  adopt(accepted: net.Socket): net.Socket {
    const handle = handleOf(accepted);
    if (handle === null) {
      accepted.on('data', (chunk: Buffer) => this.wire?.handler?.onBytes(chunk, chunk.length));
      return accepted;
    }
    Reflect.set(accepted, '_handle', null);
    next = scout;
    const onread: net.OnReadOpts = { buffer: nextBuffer, callback: (length) => this.#read(length) };
    return Reflect.construct(net.Socket, [{ handle, allowHalfOpen: true, onread }]) as net.Socket;
  }

  #read(length: number): boolean {
    const own = this.#own;
    if (own === null) {
      const copy = Buffer.allocUnsafe(length);
      scout.copy(copy, 0, 0, length);
      this.wire?.handler?.onBytes(copy, length);
      if (length === SCOUT_BYTES) this.#own = new ReadBuffer(BULK_BYTES);
    } else {
      this.wire?.handler?.onBytes(own.bytes, length);
      own.saw(length);
      if (own.bytes.length < SCOUT_BYTES) this.free();
    }
    next = this.#own?.bytes ?? scout;
    return true;
  }

  /** The socket carries nothing for now: its own buffer goes. */
  relax(socket: net.Socket): void {
    const handle = socket.destroyed || this.#own === null ? null : handleOf(socket);
    if (handle === null) return;
    this.free();
    handle.useUserBuffer(scout);
    if (kept !== undefined) Reflect.set(socket, kept, scout);
  }

  /** The socket is gone, or reads into the shared buffer again. */
  free(): void {
    if (this.#own === null) return;
    this.#own.free();
    this.#own = null;
    next = scout; // which would hold the buffer
  }
}
