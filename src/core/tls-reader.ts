/**
 * Reading of secured streams.
 *
 * TLS comes in records of at most 16 KiB, and Node tells each by itself, also those that were in the same read as one at
 * which the stream was paused. So records that fill up are gathered, for more is likely to follow, and what comes while
 * the stream is paused is held back behind what its handler still looks at.
 */
import type { Socket } from 'node:net';
import { ReadBuffer } from './read-buffer.ts';
import type { TlsReader } from './tls-wire.ts';
import type { WireHandler } from './wire.ts';

const RECORD_BYTES = 16 * 1024;
const BULK_BYTES = 64 * 1024;
/**
 * Shared by all accepted streams that carry little, so that an idle one holds no buffer: a record and its callback are one
 * step, and what was read is copied out in that step.
 */
const scout = Buffer.allocUnsafeSlow(RECORD_BYTES);

export class SecuredReader implements TlsReader {
  /** Whose handler takes what was read. */
  wire: { readonly handler: WireHandler | null } | null = null;
  socket: Socket | null = null;
  whenRead: (() => void) | null = null;
  /** Puts another space in the place of the one that Node was given; null if that cannot be done. */
  replace: ((space: Buffer) => void) | null = null;
  readonly #thrifty: boolean;
  /** Null while it reads into the shared buffer. */
  #memory: ReadBuffer | null;
  /** What is filled: `[from, to)` is read and not handed over. */
  #bytes: Buffer;
  #from = 0;
  #to = 0;
  /** What was filled before and is not handed over either, for the stream is paused. */
  #held: Buffer[] = [];
  #paused = false;
  #ended = false;
  #awaited = false;

  /** @param thrifty has a buffer of its own only while it carries bulk */
  constructor(thrifty: boolean) {
    this.#thrifty = thrifty;
    this.#memory = thrifty ? null : new ReadBuffer();
    this.#bytes = this.#memory?.bytes ?? scout;
  }

  /** Where the next record goes. Node asks right behind every read, and at no other time. */
  get space(): Buffer {
    return this.#to === 0 ? this.#bytes : this.#bytes.subarray(this.#to);
  }

  /** A record, or a part of one, was put into the space: only here may it be moved. */
  read(length: number): void {
    if (this.#bytes === scout) this.#readShared(length);
    else this.#readOwn(length);
  }

  #readShared(length: number): void {
    if (length === RECORD_BYTES && !this.#paused && this.#held.length === 0) {
      this.#memory = new ReadBuffer(BULK_BYTES);
      this.#fill(this.#memory.bytes);
      scout.copy(this.#bytes);
      this.#to = length;
      this.#deliverSoon();
      return;
    }
    const copy = Buffer.allocUnsafe(length);
    scout.copy(copy, 0, 0, length);
    this.#held.push(copy);
    this.#deliver();
  }

  #readOwn(length: number): void {
    this.#to += length;
    const full = this.#to === this.#bytes.length;
    if (length === RECORD_BYTES && !full && !this.#paused) {
      this.#deliverSoon();
      return;
    }
    this.#deliver();
    if (!this.#paused) this.#reuse();
    else if (full) this.#setAside();
  }

  #reuse(): void {
    const memory = this.#memory;
    if (memory !== null && this.#bytes === memory.bytes) {
      memory.saw(this.#to);
      if (this.#thrifty && memory.bytes.length < BULK_BYTES) this.#release();
    }
    this.#fill(this.#memory?.bytes ?? scout);
  }

  #setAside(): void {
    if (this.#from < this.#to) this.#held.push(this.#bytes.subarray(this.#from));
    this.#fill(Buffer.allocUnsafeSlow(BULK_BYTES));
  }

  #fill(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#from = 0;
    this.#to = 0;
  }

  #deliverSoon(): void {
    if (this.#awaited) return;
    this.#awaited = true;
    setImmediate(() => {
      this.#awaited = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    while (!this.#paused) {
      const held = this.#held.shift();
      if (held === undefined) break;
      this.wire?.handler?.onBytes(held, held.length);
    }
    if (!this.#paused && this.#from < this.#to) {
      const bytes = this.#from === 0 ? this.#bytes : this.#bytes.subarray(this.#from);
      const length = this.#to - this.#from;
      this.#from = this.#to;
      this.wire?.handler?.onBytes(bytes, length);
    }
    if (!this.#ended || this.#held.length > 0 || this.#from < this.#to) return;
    this.#ended = false;
    this.wire?.handler?.onEnd();
    this.whenRead?.();
  }

  get holding(): boolean {
    return this.#ended;
  }

  pause(): void {
    this.#paused = true;
    this.socket?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#deliverSoon();
    this.socket?.resume();
  }

  end(): void {
    this.#ended = true;
    this.#deliver();
  }

  /** Dialled streams are few, and those that carry little hold little. */
  relax(): void {
    const idle = !this.#paused && this.#held.length === 0 && this.#from === this.#to;
    if (!idle || this.#memory === null || this.replace === null) return;
    this.#release();
    this.#fill(scout);
    this.replace(scout);
  }

  #release(): void {
    this.#memory?.free();
    this.#memory = null;
  }

  free(): void {
    this.#ended = false;
    this.#held = [];
    this.#release();
    this.#fill(scout);
  }
}
