/**
 * Frames from several connections on their way to one client: one that comes in pieces keeps the others waiting, so that
 * no frame is torn.
 */
import type { Lane } from './lane.ts';
import type { Wire } from './wire.ts';

export class LaneOutput {
  readonly #wire: Wire;
  /** Whose frame is under way. */
  #holder: Lane | null = null;
  #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** What waits here, and what the client has not taken. */
  get unsentBytes(): number {
    return this.#heldBytes + (this.#wire.pending ? this.#wire.unsentBytes : 0);
  }

  /**
   * @param lane null: a frame of ours
   * @returns false: the buffer is still needed; only if it is not held back here, where it is copied
   */
  write(lane: Lane | null, bytes: Buffer): boolean {
    if (this.#holder === null || this.#holder === lane) return this.#wire.write(bytes);
    this.#held.push(Buffer.from(bytes));
    this.#heldBytes += bytes.length;
    return true;
  }

  /** The last read of that lane's connection ended inside a frame, or not. */
  told(lane: Lane, isInFrame: boolean): void {
    if (isInFrame) {
      this.#holder = lane;
    } else if (this.#holder === lane) {
      this.#holder = null;
      const held = this.#held;
      this.#held = [];
      this.#heldBytes = 0;
      for (const bytes of held) this.#wire.write(bytes);
    }
  }
}
