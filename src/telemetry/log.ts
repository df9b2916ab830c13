/** The log: pino, one line an entry, to standard output. The level can be changed while it runs. */
import { type Logger, pino } from 'pino';
import { type LineOutput, standardOutput } from './standard-output.ts';
import { textLine } from './text-line.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  /** Where lines go; standard output if absent. Each call is one whole line with its newline. */
  readonly write?: (line: string) => void;
}

export class Log {
  readonly levels = LOG_LEVELS;
  /** Message: a constant lower-case sentence. Who, where and which: fields. Children would not follow `setLevel`. */
  readonly logger: Logger;
  readonly #output: LineOutput;

  constructor(options: LogOptions) {
    const output = options.write === undefined ? standardOutput() : direct(options.write);
    const { format } = options;
    this.#output = output;
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

  /** Resolves once everything is written, or the reader had a second to read it. */
  flush(): Promise<void> {
    return this.#output.flush();
  }

  /** Writes what is still buffered at once, for a process that cannot go on: a line may overtake another. */
  flushSync(): void {
    this.#output.flushSync();
  }
}

function direct(write: (line: string) => void): LineOutput {
  return { write, flush: () => Promise.resolve(), flushSync: () => undefined };
}
