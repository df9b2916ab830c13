/** The sidecar under test, as a process of its own: `slackwater run -c FILE` from the checkout. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child, type Ending } from './child.ts';
import { freePortBlock } from './free-ports.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import { connectionsAt } from './listener-sockets.ts';
import { until, within } from './until.ts';

/** Another program, such as `dist/main.js`, is tested by naming it. */
const MAIN = process.env.SLACKWATER_MAIN ?? join(import.meta.dirname, '../../src/main.ts');
/** listen, admin, health, and a port for each of the first node ids. */
const PORTS = 16;
const FIRST_NODE_PORT = 4;
const READY_MILLISECONDS = 20_000;

/** Keys of the configuration's top level, over those that this helper sets. */
export type SidecarSettings = Readonly<Record<string, unknown>>;

/** What the admin listener tells of a connection, as far as these tests look. */
export interface Connection {
  readonly id: string;
  readonly state: string;
  readonly why?: string;
  readonly pins: readonly string[];
  readonly broker: string | null;
}

export interface Metric {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export class Sidecar {
  readonly #folder: string;
  readonly #firstPort: number;
  readonly #log: string[] = [];
  #child: Child | undefined;

  private constructor(folder: string, firstPort: number) {
    this.#folder = folder;
    this.#firstPort = firstPort;
  }

  /** Writes a configuration with one route to the cluster's HIDDEN listeners, and waits for readiness. */
  static async start(cluster: KafkaCluster, settings: SidecarSettings = {}): Promise<Sidecar> {
    const firstPort = await freePortBlock(PORTS);
    const folder = mkdtempSync(join(tmpdir(), 'slackwater-sidecar-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    const sidecar = new Sidecar(folder, firstPort);
    const config = {
      routes: [
        {
          name: 'kafka',
          protocol: 'kafka',
          listen: sidecar.bootstrap,
          upstream: {
            bootstrap: cluster.bootstrap('HIDDEN').split(','),
            dialAddresses: cluster.hiddenAddresses(),
          },
          brokers: { portBase: firstPort + FIRST_NODE_PORT },
        },
      ],
      admin: { listen: `127.0.0.1:${firstPort + 1}` },
      health: { listen: `127.0.0.1:${firstPort + 2}` },
      log: { level: 'info', format: 'json' },
      ...settings,
    };
    // JSON is YAML.
    writeFileSync(sidecar.#config, JSON.stringify(config, undefined, 2));
    await sidecar.launch();
    return sidecar;
  }

  get #config(): string {
    return join(this.#folder, 'slackwater.yaml');
  }

  get bootstrap(): string {
    return `127.0.0.1:${this.#firstPort}`;
  }

  /** `host:port` at which clients are told to find a broker. */
  brokerAddress(id: number): string {
    return `127.0.0.1:${this.#firstPort + FIRST_NODE_PORT + id}`;
  }

  get pid(): number {
    return this.#running().pid;
  }

  /** Starts it with the configuration and the ports it had before. */
  async launch(): Promise<void> {
    const child = new Child('sidecar', process.execPath, [MAIN, 'run', '-c', this.#config]);
    this.#child = child;
    for (const stream of ['stdout', 'stderr'] as const) child.onLine(stream, (line) => this.#log.push(line));
    await until('the sidecar to be ready', READY_MILLISECONDS, async () => {
      if (child.ending !== undefined) {
        throw new Error(`the sidecar ended with ${child.ending.code ?? child.ending.signal}:\n${this.#last()}`);
      }
      try {
        const answer = await this.#get(2, '/readyz');
        return answer.ok ? true : `GET /readyz answers ${answer.status}; its log ends with\n${this.#last()}`;
      } catch (error) {
        return `GET /readyz: ${error}`;
      }
    });
  }

  #running(): Child {
    if (this.#child === undefined) throw new Error('the sidecar was never launched');
    return this.#child;
  }

  #last(): string {
    return this.#log.slice(-15).join('\n');
  }

  #get(offset: number, path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#firstPort + offset}${path}`, { signal: AbortSignal.timeout(5_000) });
  }

  async #list(path: string, key: string): Promise<Connection[]> {
    const answer: unknown = await (await this.#get(1, path)).json();
    // Either the list itself or an object that holds it.
    const list = Array.isArray(answer) ? answer : (answer as Record<string, unknown>)[key];
    if (!Array.isArray(list)) throw new Error(`GET ${path} answers no list: ${JSON.stringify(answer).slice(0, 200)}`);
    return list as Connection[];
  }

  upstreams(): Promise<Connection[]> {
    return this.#list('/v1/upstreams', 'upstreams');
  }

  clients(): Promise<Connection[]> {
    return this.#list('/v1/clients', 'clients');
  }

  async metrics(): Promise<Metric[]> {
    const text = await (await this.#get(2, '/metrics')).text();
    return text.split('\n').flatMap((line) => {
      const found = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
      if (found === null) return [];
      const [, name = '', labels = '', value = ''] = found;
      const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', text = '']) => [key, text] as const);
      return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }];
    });
  }

  /** The sum of `slackwater_NAME` over all label sets that contain `labels`. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    return (await this.metrics())
      .filter((metric) => metric.name === `slackwater_${name}`)
      .filter((metric) => Object.entries(labels).every(([key, value]) => metric.labels[key] === value))
      .reduce((sum, metric) => sum + metric.value, 0);
  }

  /** Why clients were closed so far: reason to count. */
  async closeReasons(): Promise<Record<string, number>> {
    return Object.fromEntries(
      (await this.metrics())
        .filter(({ name, value }) => name === 'slackwater_client_connections_closed_total' && value > 0)
        .map(({ labels, value }) => [labels.reason ?? '', value]),
    );
  }

  /** Client sockets it holds now, as the kernel counts them. */
  clientSockets(): number {
    const ports = Array.from(
      { length: PORTS - FIRST_NODE_PORT },
      (_, index) => this.#firstPort + FIRST_NODE_PORT + index,
    );
    return [...connectionsAt([this.#firstPort, ...ports]).values()].reduce((sum, count) => sum + count, 0);
  }

  get log(): readonly string[] {
    return this.#log;
  }

  /** Log lines at `warn` and above (pino: 40), and lines that are no JSON, such as a crash. */
  complaints(): string[] {
    return this.#log.filter((line) => {
      if (!line.startsWith('{')) return line.trim() !== '';
      const level = (JSON.parse(line) as { level?: number | string }).level;
      return typeof level === 'number' ? level >= 40 : level === 'warn' || level === 'error' || level === 'fatal';
    });
  }

  /** SIGTERM, and waits for its end. */
  async terminate(withinMilliseconds = 40_000): Promise<Ending> {
    this.#running().signal('SIGTERM');
    return within('the sidecar to end after SIGTERM', withinMilliseconds, this.#running().exited);
  }

  signal(signal: NodeJS.Signals): void {
    this.#running().signal(signal);
  }

  async stop(): Promise<void> {
    await this.#child?.stop('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
