/**
 * The one timer that looks after all files. Once a second is soon enough for a secret that was replaced, works on every
 * file system, and sees what Kubernetes does: it swaps a symbolic link to a folder of new files.
 */
import type { Clock, Timer } from '../core/clock.ts';

export const LOOK_MILLISECONDS = 1000;
/** While something is being written. */
const SOON_MILLISECONDS = 250;

export interface Watched {
  /** Looks for changes. True: something is under way, look again soon. */
  look(): Promise<boolean>;
}

export class FileWatch {
  readonly clock: Clock;
  readonly #watched = new Set<Watched>();
  #timer: Timer | null = null;
  #look: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  add(watched: Watched): void {
    this.#watched.add(watched);
    if (this.#watched.size === 1) this.#schedule(LOOK_MILLISECONDS);
  }

  remove(watched: Watched): void {
    this.#watched.delete(watched);
    if (this.#watched.size === 0) this.#timer?.cancel();
  }

  /** Resolves once no look is under way. */
  settled(): Promise<void> {
    return this.#look;
  }

  /** Nothing is looked at any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#watched.clear();
    await this.#look;
  }

  #schedule(milliseconds: number): void {
    this.#timer?.cancel();
    this.#timer = this.clock.after(milliseconds, () => {
      this.#look = this.#lookAtAll();
    });
  }

  async #lookAtAll(): Promise<void> {
    let soon = false;
    for (const watched of [...this.#watched]) {
      if (this.#watched.has(watched) && (await watched.look())) soon = true;
    }
    if (!this.#closed && this.#watched.size > 0) this.#schedule(soon ? SOON_MILLISECONDS : LOOK_MILLISECONDS);
  }
}
