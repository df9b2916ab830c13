/** The log: pino, one line an entry, to standard output. The level can be changed while it runs. */
import { type Logger, pino } from 'pino';
import { textLine } from './text-line.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** How much text may wait for a reader of standard output that has stopped reading; beyond it lines are dropped. */
const MAX_UNREAD_BYTES = 1024 * 1024;

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  /** Where lines go; standard output if absent. Each call is one whole line with its newline. */
  readonly write?: (line: string) => void;
}

interface Output {
  write(line: string): void;
  readonly flush?: () => void;
}

export class Log {
  readonly levels = LOG_LEVELS;
  /** Message: a constant lower-case sentence. Who, where and which: fields. Children would not follow `setLevel`. */
  readonly logger: Logger;
  readonly #flush: (() => void) | undefined;

  constructor(options: LogOptions) {
    const output: Output = options.write === undefined ? standardOutput() : { write: options.write };
    const { format } = options;
    this.#flush = output.flush;
    this.logger = pino(
      {
        level: options.level,
        base: null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        serializers: { err: pino.stdSerializers.err },
      },
      { write: (line: string) => output.write(format === 'text' ? textLine(line) : line) },
    );
  }

  get level(): string {
    return this.logger.level;
  }

  setLevel(level: LogLevel): void {
    this.logger.level = level;
  }

  /** Writes what is still buffered, synchronously: for the last moments of a process. */
  flush(): void {
    this.#flush?.();
  }
}

/** Asynchronous, so that a reader that stalls never stalls the relay; bounded, so that it never fills the memory. */
function standardOutput(): Output {
  const destination = pino.destination({ dest: 1, sync: false, maxLength: MAX_UNREAD_BYTES });
  let dropped = 0;
  destination.on('drop', () => {
    dropped += 1;
  });
  destination.on('drain', () => {
    if (dropped === 0) return;
    const line = { level: 'warn', time: new Date().toISOString(), msg: 'log lines were dropped', count: dropped };
    dropped = 0;
    destination.write(`${JSON.stringify(line)}\n`);
  });
  return {
    write: (line) => {
      destination.write(line);
    },
    flush: () => destination.flushSync(),
  };
}
