/**
 * A read buffer that follows its stream: small while answers are small, large while bulk data flows. Growing pays at
 * once, for each read that fills the buffer costs a system call more than needed; shrinking waits, so that a mixed
 * stream does not swing.
 */
const REST_BYTES = 16 * 1024;
export const LARGEST_BYTES = 256 * 1024;
const GROWTH = 4;
const SMALL_READS_BEFORE_SHRINKING = 256;

export class ReadBuffer {
  #bytes: Buffer;
  #smallReads = 0;

  constructor(bytes = REST_BYTES) {
    this.#bytes = Buffer.allocUnsafeSlow(bytes);
  }

  /** Where the next read goes. Ask anew for every read. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** A read filled so many bytes. */
  saw(length: number): void {
    const size = this.#bytes.length;
    if (length === size) {
      this.#smallReads = 0;
      if (size < LARGEST_BYTES) this.#bytes = Buffer.allocUnsafeSlow(size * GROWTH);
    } else if (size > REST_BYTES && length <= size / GROWTH) {
      this.#smallReads += 1;
      if (this.#smallReads < SMALL_READS_BEFORE_SHRINKING) return;
      this.#smallReads = 0;
      this.#bytes = Buffer.allocUnsafeSlow(size / GROWTH);
    } else {
      this.#smallReads = 0;
    }
  }
}
