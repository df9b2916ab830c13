/** A sidecar under test, whatever its routes are, as a process of its own: `slackwater run -c FILE` from the checkout. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child, type Ending } from './child.ts';
import { connectionsAt } from './listener-sockets.ts';
import { until, within } from './until.ts';

/** Another program, such as `dist/main.js`, is tested by naming it. */
const MAIN = process.env.SLACKWATER_MAIN ?? join(import.meta.dirname, '../../src/main.ts');
const ADMIN_OFFSET = 0;
const HEALTH_OFFSET = 1;
/** The first two ports of its block are for those who look at it; from here on clients come. */
export const FIRST_ROUTE_OFFSET = 2;
const READY_MILLISECONDS = 20_000;

/** Keys of the configuration's top level, over those that this helper sets. */
export type SidecarSettings = Readonly<Record<string, unknown>>;

/** What the admin listener tells of a connection, as far as these tests look. */
export interface Connection {
  readonly id: string;
  readonly route: string;
  readonly state: string;
  /** Of a connection to a broker. */
  readonly purpose: string;
  readonly why?: string;
  readonly pins: readonly string[];
  readonly broker: string | null;
}

export interface Metric {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

function of(route: string | undefined, connections: Connection[]): Connection[] {
  return route === undefined ? connections : connections.filter((connection) => connection.route === route);
}

export interface ProcessPlan {
  /** Of its block of ports. */
  readonly firstPort: number;
  /** Ports that its routes may use, from FIRST_ROUTE_OFFSET on. */
  readonly routePorts: number;
  /** What a launch waits for; a sidecar that learns nothing is never ready. */
  readonly waitFor: '/readyz' | '/livez';
}

export class SidecarProcess {
  readonly #plan: ProcessPlan;
  readonly #folder = mkdtempSync(join(tmpdir(), 'slackwater-sidecar-'));
  readonly #log: string[] = [];
  #child: Child | undefined;

  constructor(plan: ProcessPlan) {
    this.#plan = plan;
    process.once('exit', () => rmSync(this.#folder, { recursive: true, force: true }));
  }

  /** Writes a configuration with these routes, and waits until the sidecar is up. */
  async begin(routes: readonly object[], settings: SidecarSettings): Promise<void> {
    const config = {
      routes,
      admin: { listen: `127.0.0.1:${this.#plan.firstPort + ADMIN_OFFSET}` },
      health: { listen: `127.0.0.1:${this.#plan.firstPort + HEALTH_OFFSET}` },
      log: { level: 'info', format: 'json' },
      ...settings,
    };
    // JSON is YAML.
    writeFileSync(this.#config, JSON.stringify(config, undefined, 2));
    try {
      await this.launch();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  get #config(): string {
    return join(this.#folder, 'slackwater.yaml');
  }

  get pid(): number {
    return this.#running().pid;
  }

  /** Starts it with the configuration and the ports it had before. */
  async launch(): Promise<void> {
    const child = new Child('sidecar', process.execPath, [MAIN, 'run', '-c', this.#config]);
    this.#child = child;
    for (const stream of ['stdout', 'stderr'] as const) child.onLine(stream, (line) => this.#log.push(line));
    await until(`the sidecar to answer GET ${this.#plan.waitFor}`, READY_MILLISECONDS, async () => {
      if (child.ending !== undefined) {
        throw new Error(`the sidecar ended with ${child.ending.code ?? child.ending.signal}:\n${this.#last()}`);
      }
      try {
        const answer = await this.#get(HEALTH_OFFSET, this.#plan.waitFor);
        return answer.ok ? true : `it answers ${answer.status}; its log ends with\n${this.#last()}`;
      } catch (error) {
        return `${error}`;
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
    return fetch(`http://127.0.0.1:${this.#plan.firstPort + offset}${path}`, { signal: AbortSignal.timeout(5_000) });
  }

  async #list(path: string, key: string): Promise<Connection[]> {
    const answer: unknown = await (await this.#get(ADMIN_OFFSET, path)).json();
    // Either the list itself or an object that holds it.
    const list = Array.isArray(answer) ? answer : (answer as Record<string, unknown>)[key];
    if (!Array.isArray(list)) throw new Error(`GET ${path} answers no list: ${JSON.stringify(answer).slice(0, 200)}`);
    return list as Connection[];
  }

  /** Of one route, or of all. */
  async upstreams(route?: string): Promise<Connection[]> {
    return of(route, await this.#list('/v1/upstreams', 'upstreams'));
  }

  async clients(route?: string): Promise<Connection[]> {
    return of(route, await this.#list('/v1/clients', 'clients'));
  }

  /** What the events of the log tell of one route, in order; pino's fields, with the message in `msg`. */
  entries(route: string): readonly Readonly<Record<string, unknown>>[] {
    return this.#log
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
      .filter((entry) => entry.route === route);
  }

  /** What `slackwater status` shows as of lately. */
  async recent(): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const answer = (await (await this.#get(ADMIN_OFFSET, '/v1/routes')).json()) as {
      recent: Record<string, unknown>[];
    };
    return answer.recent;
  }

  async metrics(): Promise<Metric[]> {
    const text = await (await this.#get(HEALTH_OFFSET, '/metrics')).text();
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
    const first = this.#plan.firstPort + FIRST_ROUTE_OFFSET;
    const ports = Array.from({ length: this.#plan.routePorts }, (_, index) => first + index);
    return [...connectionsAt(ports).values()].reduce((sum, count) => sum + count, 0);
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

  async gone(): Promise<void> {
    await this.#running().exited;
  }

  async stop(): Promise<void> {
    await this.#child?.stop('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
