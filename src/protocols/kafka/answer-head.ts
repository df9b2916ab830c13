/** The first bytes of an answer that arrived in pieces, until they tell what it is. */
import { ANSWER_HEAD_BYTES, TELLING_BYTES } from './answers.ts';

const LENGTH_BYTES = 4;

/** Enough of the next answer lies there to tell what it is. */
export function hasTellingBytes(bytes: Buffer, at: number, end: number): boolean {
  const available = end - at;
  if (available >= TELLING_BYTES) return true;
  if (available < LENGTH_BYTES) return false;
  return available >= Math.max(ANSWER_HEAD_BYTES, frameBytes(bytes, at));
}

/** The whole frame's size; a length that cannot be is judged by whoever reads it, with a head's bytes at hand. */
function frameBytes(bytes: Buffer, at: number): number {
  return LENGTH_BYTES + Math.max(LENGTH_BYTES, bytes.readInt32BE(at));
}

export class AnswerHead {
  readonly bytes = Buffer.alloc(TELLING_BYTES);
  length = 0;

  /** Takes what is missing, and nothing that belongs to the next answer; answers how many bytes that was. */
  take(bytes: Buffer, start: number, end: number): number {
    let at = start;
    if (this.length < LENGTH_BYTES) at += this.#fill(bytes, at, end, LENGTH_BYTES);
    if (this.length >= LENGTH_BYTES)
      at += this.#fill(bytes, at, end, Math.min(TELLING_BYTES, frameBytes(this.bytes, 0)));
    return at - start;
  }

  #fill(bytes: Buffer, start: number, end: number, wanted: number): number {
    const part = Math.min(wanted - this.length, end - start);
    bytes.copy(this.bytes, this.length, start, start + part);
    this.length += part;
    return part;
  }

  get complete(): boolean {
    return hasTellingBytes(this.bytes, 0, this.length);
  }
}
