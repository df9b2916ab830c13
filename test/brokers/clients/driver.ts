/**
 * Real clients in processes of their own, many in each. One JSON object a line:
 *
 *     request  {"id": 1, "op": "open", ...}     on the driver's stdin
 *     answer   {"id": 1, "result": ...} or {"id": 1, "error": "..."}     on its stdout, in any order
 *     log      LEVEL text     on its stderr: what the client library logs, and the errors it tells its application
 *
 * Operations that every driver of producers has:
 *
 *     open    {bootstrap, clients: [{name, topic}], settings, partitions?, oneByOne?}     producers with the library's
 *             own settings; with `partitions` (librdkafka and Java) their messages go round so many, else where the
 *             library wants; with `oneByOne` (librdkafka) a message waits until the one before is settled
 *     start   {everyMs, messages (0: until finish), spreadMs, clients?: [name]}     sends `NAME NUMBER`, from 0 on
 *     finish  {stop, withinMs}     waits until all is settled: {clients: {NAME: {sent, acknowledged}}, failures,
 *             latencies: [ms]}, failures and latencies since the last finish
 *     close   {}
 *
 * and every driver of groups, whose members commit what they processed before they give a partition up:
 *
 *     consume   {bootstrap, group, members: [name], topics, settings}
 *     received  {}     {NAME: {assigned: ["topic-0"], records: {"topic-0": [offset]}}}
 *     leave     {members: [name]}
 */
import { join } from 'node:path';
import { javaClasses, kafkaJars, librdkafkaPython } from '../cache.ts';
import { Child } from '../child.ts';
import { within } from '../until.ts';
import { KAFKA_CURRENT, type KafkaVersion } from '../versions.ts';

export const DRIVERS = ['librdkafka', 'java', 'kafkajs', 'platformatic'] as const;
export type DriverKind = (typeof DRIVERS)[number];

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

interface Waiter {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

const COMPLAINT = /^(WARN|WARNING|ERROR|CRITICAL|FATAL)\b/;
/** A log line and not the rest of one, such as a stack trace. */
const LEVEL = /^(TRACE|DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL|FATAL)\b/;

async function command(kind: DriverKind, version: KafkaVersion): Promise<{ command: string; args: string[] }> {
  switch (kind) {
    case 'librdkafka':
      return { command: await librdkafkaPython(), args: ['-u', join(import.meta.dirname, 'librdkafka.py')] };
    case 'java': {
      const path = `${join(await kafkaJars(version), '*')}:${await javaClasses()}`;
      const simple = '-Dorg.slf4j.simpleLogger';
      const log = [`${simple}.defaultLogLevel=warn`, `${simple}.showThreadName=false`, `${simple}.showLogName=false`];
      const machine = ['-Xmx256m', '-Xss512k', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
      return { command: 'java', args: [...machine, ...log, '-cp', path, 'slackwater.test.Driver'] };
    }
    case 'kafkajs':
    case 'platformatic':
      return { command: process.execPath, args: [join(import.meta.dirname, `${kind}.ts`)] };
  }
}

export class Driver {
  readonly kind: DriverKind;
  readonly #child: Child;
  readonly #waiting = new Map<number, Waiter>();
  readonly #log: string[] = [];
  #forgotten = 0;
  #lastId = 0;

  private constructor(kind: DriverKind, child: Child) {
    this.kind = kind;
    this.#child = child;
    child.onLine('stdout', (line) => this.#answered(line));
    child.onLine('stderr', (line) => this.#logged(line));
    child.heardOut().then(({ code, signal }) => {
      const error = new Error(`${child.name} ended with ${code ?? signal}: ${this.#log.slice(-10).join('\n')}`);
      for (const waiter of this.#waiting.values()) waiter.reject(error);
      this.#waiting.clear();
    });
  }

  /** @param version of Kafka's own clients, for `java` */
  static async start(kind: DriverKind, version: KafkaVersion = KAFKA_CURRENT): Promise<Driver> {
    const { command: program, args } = await command(kind, version);
    return new Driver(kind, new Child(`${kind} driver`, program, args, { stdio: ['pipe', 'pipe', 'pipe'] }));
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
      return (await within(`${this.kind} ${op}`, withinMilliseconds, answer)) as T;
    } catch (error) {
      this.#waiting.delete(id);
      const last = this.complaints().slice(-8).join('\n');
      throw new Error(`${this.kind} ${op}: ${(error as Error).message}\n${last}`, { cause: error });
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
