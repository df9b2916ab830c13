import { MalformedError } from '../wire/wire-reader.ts';

const SIZE_BYTES = 4;
/** Kafka's `socket.request.max.bytes`. */
const MOST_BYTES = 104_857_600;

/** Cuts what a connection sends into frames. */
export class FrameSplitter {
  #parts: Buffer[] = [];
  #size = 0;
  #needed = SIZE_BYTES;

  /** @returns the frames that are complete now, without their sizes @throws {MalformedError} on an impossible size */
  push(bytes: Buffer): Buffer[] {
    this.#parts.push(bytes);
    this.#size += bytes.length;
    const frames: Buffer[] = [];
    if (this.#size < this.#needed) return frames;
    let rest = Buffer.concat(this.#parts);
    for (;;) {
      this.#needed = rest.length < SIZE_BYTES ? SIZE_BYTES : SIZE_BYTES + size(rest);
      if (rest.length < this.#needed) break;
      frames.push(rest.subarray(SIZE_BYTES, this.#needed));
      rest = rest.subarray(this.#needed);
    }
    this.#parts = [rest];
    this.#size = rest.length;
    return frames;
  }
}

function size(bytes: Buffer): number {
  const value = bytes.readInt32BE();
  if (value < 0 || value > MOST_BYTES) throw new MalformedError(`a frame of ${value} bytes`);
  return value;
}
