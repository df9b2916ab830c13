/**
 * The last map of a cluster, kept over a restart: before a client has authenticated, a broker says nothing of its cluster,
 * and until then the local ports of the brokers must be there.
 */
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import type { BrokerNode, Topology } from './contract/topology.ts';
import type { Clock, Timer } from './core/clock.ts';

const PAUSE_MILLISECONDS = 1000;
const RETRY_MILLISECONDS = 60_000;
const MAX_BYTES = 1_048_576;

/** Told in a sentence that names the file. */
export type TellProblem = (problem: string) => void;

export class StateFile {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #tell: TellProblem;
  /** What the file holds, as far as we know. */
  #written = '';
  #wanted = '';
  #timer: Timer | null = null;
  #writing: Promise<void> = Promise.resolve();
  #problem = '';

  constructor(path: string, clock: Clock, tell: TellProblem) {
    this.#path = path;
    this.#clock = clock;
    this.#tell = tell;
  }

  /** What was kept last; undefined if there is nothing, or nothing that makes sense. */
  async read(): Promise<Topology | undefined> {
    try {
      const { size } = await stat(this.#path);
      if (size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`);
      const text = await readFile(this.#path, 'utf8');
      const topology = topologyIn(text);
      this.#written = text;
      this.#wanted = text;
      return topology;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') this.#complain(`${this.#path} cannot be used: ${reasonOf(error)}`);
      return undefined;
    }
  }

  /** Keeps this; at most one file a second is written, and none if nothing has changed. */
  remember({ clusterId, nodes }: Topology): void {
    const sorted = nodes.map(({ node, host, port }) => ({ node, host, port })).sort(byNode);
    this.#wanted = `${JSON.stringify({ clusterId, nodes: sorted }, null, 2)}\n`;
    this.#schedule(PAUSE_MILLISECONDS);
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.#writing;
    if (this.#wanted !== this.#written) await this.#write();
    this.#timer?.cancel();
  }

  #schedule(milliseconds: number): void {
    if (this.#timer !== null || this.#wanted === this.#written) return;
    this.#timer = this.#clock.after(milliseconds, () => {
      this.#timer = null;
      this.#writing = this.#write();
    });
  }

  /** A reader finds the old file or the new one, never a part. */
  async #write(): Promise<void> {
    const text = this.#wanted;
    const beside = `${this.#path}.${process.pid}.tmp`;
    try {
      await writeFile(beside, text, { mode: 0o600 });
      await rename(beside, this.#path);
      this.#written = text;
      this.#problem = '';
      this.#schedule(PAUSE_MILLISECONDS);
    } catch (error) {
      this.#complain(`${this.#path} cannot be written: ${reasonOf(error)}`);
      await rm(beside, { force: true }).catch(() => undefined); // The first error says it all.
      this.#schedule(RETRY_MILLISECONDS);
    }
  }

  #complain(problem: string): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#tell(problem);
  }
}

/** @throws {Error} saying what is wrong */
function topologyIn(text: string): Topology {
  const parsed: unknown = JSON.parse(text);
  const { clusterId, nodes } = fieldsOf(parsed);
  if (clusterId !== null && typeof clusterId !== 'string') throw new Error('it has no clusterId');
  if (!Array.isArray(nodes)) throw new Error('it has no nodes');
  return { clusterId, nodes: nodes.map(nodeIn), complete: false };
}

function nodeIn(value: unknown): BrokerNode {
  const { node, host, port } = fieldsOf(value);
  if (typeof node !== 'string' || !/^[\w.:[\]%-]{1,300}$/.test(node)) throw new Error('a node has no name');
  if (typeof host !== 'string' || !/^[\w.:%-]{1,255}$/.test(host)) throw new Error(`node ${node} has no host`);
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error(`node ${node} has no port`);
  }
  return { node, host, port };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('it is no map of a cluster');
  return { ...value };
}

function byNode(a: BrokerNode, b: BrokerNode): number {
  return a.node.localeCompare(b.node, 'en', { numeric: true });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  if (code !== '') return code;
  return error instanceof SyntaxError ? 'it is no JSON' : error instanceof Error ? error.message : String(error);
}
