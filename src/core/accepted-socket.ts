/**
 * Accepted sockets that read into buffers of ours.
 *
 * Node gives every read of an accepted socket a fresh 64 KiB buffer, and the garbage of a bulk stream then costs more than
 * the relaying (twice the CPU of this way for 1 MiB requests). `onread` avoids it but is offered for dialled sockets
 * only, so the handle of an accepted socket is wrapped anew. Both are private parts of Node's: `canAdopt` looks for them,
 * and without them sockets read in the ordinary way.
 */
import net from 'node:net';
import { LARGEST_BYTES, ReadBuffer } from './read-buffer.ts';

const SCOUT_BYTES = 64 * 1024;
/**
 * Shared by all sockets that carry little, so that an idle one holds no buffer: a read and its callback are one step, and
 * what was read is copied out in that step.
 */
const scout = Buffer.allocUnsafeSlow(SCOUT_BYTES);

interface Handle {
  useUserBuffer(buffer: Uint8Array): void;
}

function handleOf(socket: net.Socket): Handle | null {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return null;
  return typeof Reflect.get(handle, 'useUserBuffer') === 'function' ? (handle as Handle) : null;
}

/** Takes what was read: `bytes[0, length)`. */
export type BytesTaker = (bytes: Buffer, length: number) => void;

export class AcceptedSocket {
  readonly socket: net.Socket;
  readonly #handle: Handle | null;
  /** Its own buffer while it carries bulk. */
  #own: ReadBuffer | null = null;

  /** @param accepted paused, and not used for anything else */
  constructor(accepted: net.Socket, take: BytesTaker) {
    const handle = handleOf(accepted);
    this.#handle = handle;
    if (handle === null) {
      this.socket = accepted;
      accepted.on('data', (chunk: Buffer) => take(chunk, chunk.length));
      return;
    }
    Reflect.set(accepted, '_handle', null);
    const onread: net.OnReadOpts = {
      buffer: () => this.#buffer(),
      callback: (length, bytes) => this.#read(take, length, bytes),
    };
    this.socket = Reflect.construct(net.Socket, [{ handle, allowHalfOpen: true, onread }]) as net.Socket;
  }

  #buffer(): Buffer {
    return this.#own?.bytes ?? scout;
  }

  #read(take: BytesTaker, length: number, bytes: Uint8Array): boolean {
    if (this.#own === null) {
      take(Buffer.from(scout.subarray(0, length)), length);
      if (length === SCOUT_BYTES) this.#own = new ReadBuffer(LARGEST_BYTES);
    } else {
      take(bytes as Buffer, length);
      this.#own?.saw(length);
    }
    return true;
  }

  /** It carries nothing for now: its own buffer goes. */
  relax(): void {
    if (this.#own === null) return;
    this.#own = null;
    if (!this.socket.destroyed) this.#handle?.useUserBuffer(scout);
  }
}
