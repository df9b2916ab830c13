/** Where a command writes: answers to `out`, what went wrong to `err`. */
import { DONE } from './exit-codes.ts';

export interface Output {
  /** Whole lines, without the last newline. */
  out(text: string): void;
  err(text: string): void;
}

/** A reader such as `head` that has had enough ends the command, and that is no failure. */
export function processOutput(): Output {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(DONE);
    throw error;
  });
  return {
    out: (text) => {
      process.stdout.write(`${text}\n`);
    },
    err: (text) => {
      process.stderr.write(`${text}\n`);
    },
  };
}
