/** A clock that a test moves, over sockets that are real: they are read between two timers. */
import type { Clock, Timer } from '../../src/core/clock.ts';
import { systemClock } from '../../src/core/clock.ts';
import { ManualClock } from './manual-clock.ts';

/** Turns of the loop that a message over loopback may take. */
const TURNS = 4;
const STEP_SECONDS = 0.01;

export class HandClock implements Clock {
  readonly #time = new ManualClock();

  now(): number {
    return this.#time.now();
  }
  unixSeconds(): number {
    return this.#time.unixSeconds();
  }
  after(milliseconds: number, task: () => void): Timer {
    return this.#time.after(milliseconds, task);
  }
  afterInput(task: () => void): void {
    systemClock.afterInput(task);
  }

  /** Time passes, `step` milliseconds at once; timers run when they are due, and the sockets are read after each step. */
  async pass(seconds: number, step = 500): Promise<void> {
    for (let left = seconds * 1000; left > 0; left -= step) {
      this.#time.advance(Math.min(step, left));
      for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Time passes until it is so. @throws {Error} if it never is */
  async passUntil(what: string, isSo: () => boolean, mostSeconds = 60): Promise<void> {
    for (let passed = 0; !isSo(); passed += STEP_SECONDS) {
      if (passed > mostSeconds) throw new Error(`${mostSeconds} s passed in vain: ${what}`);
      await this.pass(STEP_SECONDS);
    }
  }
}
