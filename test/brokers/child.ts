/**
 * A process of ours, in a group of its own, that never outlives this one: it is ended on exit, on a signal, and by
 * the kernel (PDEATHSIG) if this process is killed.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { within } from './until.ts';

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ChildOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Default: stdin from nowhere, stdout and stderr piped. */
  readonly stdio?: StdioOptions;
}

const living = new Set<Child>();
let guarded = false;

function guard(): void {
  if (guarded) return;
  guarded = true;
  process.on('exit', () => {
    for (const child of living) child.signal('SIGKILL');
  });
  for (const [name, number] of [
    ['SIGHUP', 1],
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const) {
    process.once(name, () => process.exit(128 + number));
  }
}

export class Child {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<Ending>;
  readonly #process: ChildProcess;
  readonly #reading: Promise<unknown>[] = [];
  #ending: Ending | undefined;

  /** @throws Error if the command cannot be started */
  constructor(name: string, command: string, args: readonly string[], options: ChildOptions = {}) {
    guard();
    this.name = name;
    this.#process = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], {
      detached: true,
      stdio: options.stdio ?? ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    this.exited = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => {
        living.delete(this);
        this.#ending = { code, signal };
        resolve(this.#ending);
      });
    });
    if (this.#process.pid === undefined) {
      this.#process.once('error', () => undefined);
      throw new Error(`${name}: ${command} cannot be started`);
    }
    this.pid = this.#process.pid;
    living.add(this);
  }

  /** How it ended; undefined while it lives. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  onLine(stream: 'stdout' | 'stderr', listener: (line: string) => void): void {
    const input = this.#process[stream];
    if (input === null) throw new Error(`${this.name}: ${stream} is not piped`);
    const lines = createInterface({ input }).on('line', listener);
    this.#reading.push(once(lines, 'close'));
  }

  /** Its end, once every line has come: a process is gone before all that it wrote has been read. */
  async heardOut(): Promise<Ending> {
    const ending = await this.exited;
    await Promise.all(this.#reading);
    return ending;
  }

  writeLine(line: string): void {
    const stdin = this.#process.stdin;
    if (stdin === null) throw new Error(`${this.name}: stdin is not piped`);
    if (this.#ending === undefined) stdin.write(`${line}\n`);
  }

  /** Ends its input, if that is piped. */
  endInput(): void {
    this.#process.stdin?.end();
  }

  /** Signals the whole group; nothing happens if it is gone. */
  signal(signal: NodeJS.Signals): void {
    if (this.#ending !== undefined) return;
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      // ESRCH: it ended a moment ago, and its exit event is on the way.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** Sends `signal`, and SIGKILL after the grace. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', graceMilliseconds = 5_000): Promise<Ending> {
    if (this.#ending !== undefined) return this.#ending;
    this.signal('SIGCONT');
    this.signal(signal);
    try {
      return await within(`${this.name} to end after ${signal}`, graceMilliseconds, this.exited);
    } catch {
      // Its time is over; whoever cares for how it ended looks at the signal.
      this.signal('SIGKILL');
      return this.exited;
    }
  }
}

/**
 * Runs a command to its end and returns what it wrote to stdout.
 *
 * @throws Error with the last lines of stderr if it fails or is not done in time
 */
export async function run(
  command: string,
  args: readonly string[],
  options: ChildOptions & { readonly withinMilliseconds?: number; readonly input?: string } = {},
): Promise<string> {
  const child = new Child(command, command, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
  const out: string[] = [];
  const err: string[] = [];
  child.onLine('stdout', (line) => out.push(line));
  child.onLine('stderr', (line) => err.push(line));
  if (options.input !== undefined) child.writeLine(options.input.replace(/\n$/, ''));
  child.endInput();
  const told = () => err.slice(-15).concat(out.slice(-5)).join('\n');
  const wanted = `${command} ${args.join(' ')}`.slice(0, 300);
  try {
    const ending = await within(`${wanted} to end`, options.withinMilliseconds ?? 60_000, child.heardOut());
    if (ending.code !== 0) throw new Error(`${wanted} ended with ${ending.code ?? ending.signal}\n${told()}`);
    return out.join('\n');
  } catch (error) {
    child.signal('SIGKILL');
    throw error instanceof Error && error.message.startsWith('waited')
      ? new Error(`${error.message}\n${told()}`)
      : error;
  }
}
