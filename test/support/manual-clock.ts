/** A clock that stands still until a test moves it. */
import type { Clock, Timer } from '../../src/core/clock.ts';

/** No test waits for more. */
const MOST_TIMERS = 1_000_000;

interface Entry {
  readonly due: number;
  readonly order: number;
  readonly task: () => void;
}

export class ManualClock implements Clock {
  /** What the sockets have to say; called whenever a phase of reading would come. */
  input: () => void = () => undefined;
  #now: number;
  #order = 0;
  readonly #timers = new Map<number, Entry>();
  #afterInput: (() => void)[] = [];

  constructor(now = 1_000_000) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  unixSeconds(): number {
    return 1_700_000_000 + this.#now / 1000;
  }

  after(milliseconds: number, task: () => void): Timer {
    const order = this.#order;
    this.#order += 1;
    this.#timers.set(order, { due: this.#now + Math.max(0, milliseconds), order, task });
    return { cancel: () => void this.#timers.delete(order) };
  }

  afterInput(task: () => void): void {
    this.#afterInput.push(task);
  }

  /** Timers that have not run. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Tasks that wait for the next phase of reading to be over. */
  get waitingForInput(): number {
    return this.#afterInput.length;
  }

  /** One phase of reading, and what had to wait for it. */
  readInput(): void {
    const tasks = this.#afterInput;
    this.#afterInput = [];
    this.input();
    for (const task of tasks) task();
    if (tasks.length > 0) this.input();
  }

  /** Time passes; each timer runs when it is due, and the sockets are read after it. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    let fired = 0;
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.due);
      this.#fire(next);
      this.readInput();
      while (this.#afterInput.length > 0) this.readInput();
      fired += 1;
      if (fired > MOST_TIMERS) throw new Error('timers make timers and time stands still');
    }
    this.#now = end;
    this.readInput();
  }

  /** The process stood still: all timers that fell due run late and at once, before any socket is read. */
  stall(milliseconds: number): void {
    this.#now += milliseconds;
    const due = [...this.#timers.values()].filter((entry) => entry.due <= this.#now);
    for (const entry of due.sort(byTime)) if (this.#timers.has(entry.order)) this.#fire(entry);
    this.readInput();
  }

  /** Time passes up to the next timer, which runs; nothing is read. False if there is none. */
  step(): boolean {
    const next = this.#next(Number.POSITIVE_INFINITY);
    if (next === undefined) return false;
    this.#now = Math.max(this.#now, next.due);
    this.#fire(next);
    return true;
  }

  /** Runs the timers that fall due within so long, reading nothing in between. */
  runTimers(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.due);
      this.#fire(next);
    }
    this.#now = end;
  }

  #next(end: number): Entry | undefined {
    let first: Entry | undefined;
    for (const entry of this.#timers.values()) {
      if (entry.due <= end && (first === undefined || byTime(entry, first) < 0)) first = entry;
    }
    return first;
  }

  #fire(entry: Entry): void {
    this.#timers.delete(entry.order);
    entry.task();
  }
}

function byTime(a: Entry, b: Entry): number {
  return a.due - b.due || a.order - b.order;
}
