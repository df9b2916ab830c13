/** Lines to standard output. */
import { once } from 'node:events';
import { pino } from 'pino';

/** How much text may wait for a reader that has stopped reading; beyond it lines are dropped, and counted. */
const MAX_UNREAD_BYTES = 1024 * 1024;
/** How long the end of the process waits for such a reader. */
const MAX_FLUSH_MILLISECONDS = 1000;

export interface LineOutput {
  /** One whole line with its newline. */
  write(line: string): void;
  /** Resolves once everything is written, or after a second. */
  flush(): Promise<void>;
  /** Writes what is still buffered at once; it may overtake what is being written. */
  flushSync(): void;
}

/** Asynchronous, so that a reader that stalls never stalls the relay; bounded, so that it never fills the memory. */
export function standardOutput(): LineOutput {
  const destination = pino.destination({ dest: 1, sync: false, maxLength: MAX_UNREAD_BYTES });
  let dropped = 0;
  let written = true;
  destination.on('drop', () => {
    dropped += 1;
  });
  destination.on('drain', () => {
    written = dropped === 0;
    if (written) return;
    const line = { level: 'warn', time: new Date().toISOString(), msg: 'log lines were dropped', count: dropped };
    dropped = 0;
    destination.write(`${JSON.stringify(line)}\n`);
  });
  return {
    write: (line) => {
      written = false;
      destination.write(line);
    },
    flush: async () => {
      const late = AbortSignal.timeout(MAX_FLUSH_MILLISECONDS);
      while (!written && !late.aborted) await Promise.race([once(destination, 'drain'), once(late, 'abort')]);
    },
    flushSync: () => destination.flushSync(),
  };
}
