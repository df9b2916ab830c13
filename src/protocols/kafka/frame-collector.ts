/** Gathers one frame that arrived in pieces. Memory follows what was received, never what a length promises. */
export class FrameCollector {
  #parts: Buffer[] = [];
  #left = 0;
  #active = false;

  get active(): boolean {
    return this.#active;
  }
  get complete(): boolean {
    return this.#active && this.#left === 0;
  }

  /** @param size the whole frame, its length included */
  begin(size: number): void {
    this.#active = true;
    this.#left = size;
  }

  /** Takes what belongs to the frame from `bytes[start, end)`; answers how many bytes that was. */
  take(bytes: Buffer, start: number, end: number): number {
    const length = Math.min(this.#left, end - start);
    this.#parts.push(Buffer.from(bytes.subarray(start, start + length)));
    this.#left -= length;
    return length;
  }

  finish(): Buffer {
    const frame = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#active = false;
    return frame;
  }
}
