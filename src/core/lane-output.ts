/**
 * Frames from several connections on their way to one client: one that comes in pieces keeps the others waiting, so that
 * no frame is torn. What waits stays in the order of its own connection.
 */
import type { Lane } from './lane.ts';
import type { Wire } from './wire.ts';

interface Held {
  readonly parts: Buffer[];
  /** What is held ends inside a frame. */
  isInFrame: boolean;
}

export class LaneOutput {
  readonly #wire: Wire;
  /** Whose frame is under way. */
  #holder: Lane | null = null;
  /** In order of their arrival; null: frames of ours. */
  readonly #held = new Map<Lane | null, Held>();
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
   * @returns false: the buffer is still needed; what is held back here is copied
   */
  write(lane: Lane | null, bytes: Buffer): boolean {
    if (this.#holder === null || this.#holder === lane) return this.#wire.write(bytes);
    const held = this.#held.get(lane) ?? { parts: [], isInFrame: false };
    held.parts.push(Buffer.from(bytes));
    this.#held.set(lane, held);
    this.#heldBytes += bytes.length;
    return true;
  }

  /** The last read of that lane's connection ended inside a frame, or not. */
  told(lane: Lane, isInFrame: boolean): void {
    const held = this.#held.get(lane);
    if (held !== undefined) {
      held.isInFrame = isInFrame;
    } else if (isInFrame) {
      this.#holder ??= lane;
    } else if (this.#holder === lane) {
      this.#holder = null;
      this.#release();
    }
  }

  /** The others take their turn, up to the next frame that is not complete. */
  #release(): void {
    for (const [lane, { parts, isInFrame }] of this.#held) {
      this.#held.delete(lane);
      for (const bytes of parts) {
        this.#heldBytes -= bytes.length;
        this.#wire.write(bytes);
      }
      if (!isInFrame) continue;
      this.#holder = lane;
      return;
    }
  }
}
