/** Gathers one frame that arrived in pieces. Memory follows what was received, never what a length promises. */
const FIRST_BYTES = 4 * 1024;
const NOTHING = Buffer.alloc(0);

export class FrameCollector {
  #frame = NOTHING;
  #length = 0;
  /** How many bytes are wanted: those that tell the size, then the whole frame. */
  #size = 0;

  /** How many bytes are here. */
  get length(): number {
    return this.#length;
  }
  get active(): boolean {
    return this.#size > 0;
  }
  get complete(): boolean {
    return this.#size > 0 && this.#length === this.#size;
  }

  begin(size: number): void {
    this.#size = size;
  }

  /** Takes what is wanted from `bytes[start, end)`; answers how many bytes that was. */
  take(bytes: Buffer, start: number, end: number): number {
    const part = Math.min(this.#size - this.#length, end - start);
    const length = this.#length + part;
    if (length > this.#frame.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(this.#size, Math.max(FIRST_BYTES, 2 * length)));
      this.#frame.copy(larger, 0, 0, this.#length);
      this.#frame = larger;
    }
    bytes.copy(this.#frame, this.#length, start, start + part);
    this.#length = length;
    return part;
  }

  /** What is here; it stays. */
  peek(): Buffer {
    return this.#frame.subarray(0, this.#length);
  }

  finish(): Buffer {
    const frame = this.peek();
    this.#frame = NOTHING;
    this.#length = 0;
    this.#size = 0;
    return frame;
  }
}
