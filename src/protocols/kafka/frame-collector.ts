/** Gathers one frame that arrived in pieces. Memory follows what was received, never what a length promises. */
const FIRST_BYTES = 16 * 1024;
const NOTHING = Buffer.alloc(0);

export class FrameCollector {
  #frame = NOTHING;
  #length = 0;
  #size = 0;

  get active(): boolean {
    return this.#size > 0;
  }
  get complete(): boolean {
    return this.#size > 0 && this.#length === this.#size;
  }

  /** @param size the whole frame, its length included */
  begin(size: number): void {
    this.#size = size;
  }

  /** Takes what belongs to the frame from `bytes[start, end)`; answers how many bytes that was. */
  take(bytes: Buffer, start: number, end: number): number {
    const part = Math.min(this.#size - this.#length, end - start);
    const length = this.#length + part;
    if (length > this.#frame.length) this.#grow(length);
    bytes.copy(this.#frame, this.#length, start, start + part);
    this.#length = length;
    return part;
  }

  /** Twice what is there, so that a frame in tiny pieces costs no object for each of them. */
  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#size, Math.max(FIRST_BYTES, 2 * needed)));
    this.#frame.copy(larger, 0, 0, this.#length);
    this.#frame = larger;
  }

  finish(): Buffer {
    const frame = this.#frame.subarray(0, this.#length);
    this.#frame = NOTHING;
    this.#length = 0;
    this.#size = 0;
    return frame;
  }
}
