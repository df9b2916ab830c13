/**
 * A read buffer that follows its stream: small while answers are small, large while bulk data flows. Growing pays at
 * once, for each read that fills the buffer costs a system call more than needed; shrinking waits, so that a mixed
 * stream does not swing.
 */
const REST_BYTES = 16 * 1024;
export const BULK_BYTES = 256 * 1024;
/** Requests of 1 MiB in one read: a fifth less CPU than in four. Not for everybody, or a crowd would take gigabytes. */
const LARGEST_BYTES = 1024 * 1024;
const MOST_LARGEST = 32;
const GROWTH = 4;
const SMALL_READS_BEFORE_SHRINKING = 256;

const NOTHING = Buffer.alloc(0);

/** How many of the largest there are. */
let largest = 0;

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
      this.#grow();
    } else if (size > REST_BYTES && length <= size / GROWTH) {
      this.#smallReads += 1;
      if (this.#smallReads < SMALL_READS_BEFORE_SHRINKING) return;
      this.#smallReads = 0;
      this.free();
      this.#bytes = Buffer.allocUnsafeSlow(size / GROWTH);
    } else {
      this.#smallReads = 0;
    }
  }

  #grow(): void {
    const size = this.#bytes.length * GROWTH;
    if (size > BULK_BYTES) {
      if (size > LARGEST_BYTES || largest === MOST_LARGEST) return;
      largest += 1;
    }
    this.#bytes = Buffer.allocUnsafeSlow(size);
  }

  /** Nothing is read into it any more. */
  free(): void {
    if (this.#bytes.length > BULK_BYTES) largest -= 1;
    this.#bytes = NOTHING;
  }
}
