/**
 * A process that does what it is told, one JSON object a line:
 *
 *     request  {"id": 1, "op": "open", ...}     on its stdin
 *     answer   {"id": 1, "result": ...} or {"id": 1, "error": "..."}     on its stdout, in any order
 *     log      LEVEL text, or TIME LEVEL text     on its stderr: what a client library logs, and the errors it tells
 *              its application
 */
import { Child } from '../child.ts';
import { within } from '../until.ts';

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

interface Waiter {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

const TIME = '(?:\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d+ )?';
const COMPLAINT = new RegExp(`^${TIME}(WARN|WARNING|ERROR|CRITICAL|FATAL)\\b`);
/** A log line and not the rest of one, such as a stack trace. */
const LEVEL = new RegExp(`^${TIME}(TRACE|DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL|FATAL)\\b`);

export class LineDriver {
  readonly #child: Child;
  readonly #waiting = new Map<number, Waiter>();
  readonly #log: string[] = [];
  #forgotten = 0;
  #lastId = 0;

  constructor(name: string, command: string, args: readonly string[]) {
    const child = new Child(name, command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    child.onLine('stdout', (line) => this.#answered(line));
    child.onLine('stderr', (line) => this.#logged(line));
    child.heardOut().then(({ code, signal }) => {
      const error = new Error(`${child.name} ended with ${code ?? signal}: ${this.#log.slice(-10).join('\n')}`);
      for (const waiter of this.#waiting.values()) waiter.reject(error);
      this.#waiting.clear();
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /**
   * One operation, see above.
   *
   * @throws Error that names driver and operation if it fails or is not done in time
   */
  async request<T>(op: string, args: Readonly<Record<string, unknown>>, withinMilliseconds = 30_000): Promise<T> {
    if (this.#child.ending !== undefined)
      throw new Error(`${this.#child.name} has ended: ${this.#log.slice(-10).join('\n')}`);
    const id = ++this.#lastId;
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#child.writeLine(JSON.stringify({ id, op, ...args }));
    try {
      return (await within(`${this.#child.name}: ${op}`, withinMilliseconds, answer)) as T;
    } catch (error) {
      this.#waiting.delete(id);
      const last = this.complaints().slice(-8).join('\n');
      throw new Error(`${this.#child.name}: ${op}: ${(error as Error).message}\n${last}`, { cause: error });
    }
  }

  #answered(line: string): void {
    if (!line.startsWith('{')) {
      this.#logged(line);
      return;
    }
    const { id, result, error } = JSON.parse(line) as Answer;
    const waiter = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error !== undefined) waiter?.reject(new Error(error));
    else waiter?.resolve(result);
  }

  #logged(line: string): void {
    if (LEVEL.test(line) || this.#log.length === 0) this.#log.push(line);
    else this.#log[this.#log.length - 1] += `\n${line}`;
  }

  /** Warnings and errors that the clients logged or were told since the last `forget()`. */
  complaints(): string[] {
    return this.#log.slice(this.#forgotten).filter((line) => COMPLAINT.test(line));
  }

  /** Everything that was logged, from the start. */
  get log(): readonly string[] {
    return this.#log;
  }

  forget(): void {
    this.#forgotten = this.#log.length;
  }

  /** Ends the process, and with it whatever clients are left. */
  async stop(): Promise<void> {
    this.#child.endInput();
    await this.#child.stop('SIGKILL');
  }
}
