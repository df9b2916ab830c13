/** What a client sent and was not forwarded yet, and whether more is read meanwhile. */
import type { Wire } from './wire.ts';

const NOTHING = Buffer.alloc(0);

export class Inbox {
  readonly #wire: Wire;
  #held: Buffer = NOTHING;
  /** What is held lies in the read buffer: nothing may be read. */
  #inPlace = false;
  #paused = false;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Bytes kept back; they start at the first byte of a request. */
  get length(): number {
    return this.#held.length;
  }
  get paused(): boolean {
    return this.#paused;
  }

  /** What was kept back and what just came, in order; the inbox is empty then. */
  join(bytes: Buffer): Buffer {
    if (this.#held.length === 0) return bytes;
    const all = Buffer.concat([this.#held, bytes]);
    this.#held = NOTHING;
    return all;
  }

  take(): Buffer {
    const held = this.#held;
    this.#held = NOTHING;
    this.#inPlace = false;
    return held;
  }

  /** Copies, for the bytes lie in a read buffer and more is to be read. */
  keep(bytes: Buffer, from: number): void {
    this.#held = Buffer.from(bytes.subarray(from));
  }

  /** Leaves the bytes where they lie, and reads no more meanwhile. */
  hold(bytes: Buffer, from: number): void {
    this.#held = bytes.subarray(from);
    this.#inPlace = true;
    this.pause();
  }

  pause(): void {
    this.#paused = true;
    this.#wire.pause();
  }

  resume(): void {
    if (!this.#paused || this.#inPlace) return;
    this.#paused = false;
    this.#wire.resume();
  }
}
