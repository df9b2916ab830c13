/**
 * Frames of the line protocol: text that a person can read in a failure.
 *
 *   frame  = word " " id " " length *( " " key "=" value ) "\n" body     ; body has `length` bytes
 */
export interface Frame {
  readonly word: string;
  readonly id: string;
  readonly keys: ReadonlyMap<string, string>;
  readonly headerBytes: number;
  /** The body's length; may be negative or absurd, as it was sent. */
  readonly bodyBytes: number;
}

const NEWLINE = 10;
const MOST_HEADER_BYTES = 400;

export type Parsed = Frame | 'incomplete' | 'malformed';

/** Reads the header that begins at `start`. */
export function parseFrame(bytes: Buffer, start: number, end: number): Parsed {
  const newline = bytes.subarray(start, end).indexOf(NEWLINE);
  if (newline < 0) return end - start > MOST_HEADER_BYTES ? 'malformed' : 'incomplete';
  const [word, id, length, ...pairs] = bytes.toString('latin1', start, start + newline).split(' ');
  if (word === undefined || id === undefined || length === undefined || !/^-?\d+$/.test(length)) return 'malformed';
  const keys = new Map<string, string>();
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    if (equals < 0) return 'malformed';
    keys.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
  return { word, id, keys, headerBytes: newline + 1, bodyBytes: Number(length) };
}

export function formatFrame(
  word: string,
  id: string,
  keys: Iterable<readonly [string, string]> = [],
  body: string | Buffer = '',
): Buffer {
  const pairs = [...keys].map(([key, value]) => ` ${key}=${value}`).join('');
  const content = Buffer.from(body);
  return Buffer.concat([Buffer.from(`${word} ${id} ${content.length}${pairs}\n`, 'latin1'), content]);
}

/** What arrived as frames with their bodies, whatever the pieces it came in. */
export class FrameReader {
  #held: Buffer = Buffer.alloc(0);

  /** Bytes of a frame that is not complete. */
  get partial(): number {
    return this.#held.length;
  }

  /** Throws on what is no frame. */
  push(bytes: Buffer): { frame: Frame; body: Buffer }[] {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    const found: { frame: Frame; body: Buffer }[] = [];
    for (;;) {
      const frame = parseFrame(this.#held, 0, this.#held.length);
      if (frame === 'incomplete') return found;
      if (frame === 'malformed') throw new Error(`no frame: ${this.#held.toString('latin1', 0, 80)}`);
      const size = frame.headerBytes + frame.bodyBytes;
      if (this.#held.length < size) return found;
      found.push({ frame, body: this.#held.subarray(frame.headerBytes, size) });
      this.#held = this.#held.subarray(size);
    }
  }
}
