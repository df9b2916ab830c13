/** Monotonic time and timers, injected so that tests decide when time passes. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Monotonic milliseconds from an arbitrary start; fractions allowed. */
  now(): number;
  /** Wall-clock time, only to show: no decision hangs on it. */
  unixSeconds(): number;
  /** Runs `task` once after at least so many milliseconds. Does not keep the process alive. */
  after(milliseconds: number, task: () => void): Timer;
  /** Runs `task` after the next phase in which sockets are read. */
  afterInput(task: () => void): void;
}

class NodeTimer implements Timer {
  readonly #timeout: NodeJS.Timeout;
  constructor(timeout: NodeJS.Timeout) {
    this.#timeout = timeout;
  }
  cancel(): void {
    clearTimeout(this.#timeout);
  }
}

export const systemClock: Clock = {
  now: () => performance.now(),
  unixSeconds: () => Date.now() / 1000,
  after: (milliseconds, task) => new NodeTimer(setTimeout(task, milliseconds).unref()),
  // From an I/O callback one immediate was seen to miss a FIN that the kernel already had; two did not.
  afterInput: (task) => {
    setImmediate(() => setImmediate(task));
  },
};
