/** One broker: a listener, its connections, and what a script may do to them. */
import { createServer, type Server, type Socket } from 'node:net';
import type { VersionRange } from '../handlers/service.ts';
import { defaultVersions, SERVICES } from '../handlers/services.ts';
import type { ClusterState, Endpoint } from '../state/cluster-state.ts';
import { BrokerConnection } from './connection.ts';
import { Gate } from './gate.ts';
import type { ReceivedRequest, RequestAction, RequestAtHand, RequestHook } from './requests.ts';
import { RequestLog } from './requests.ts';
import { Tally } from './tally.ts';

/** What the brokers of one cluster share beside its state. */
export class Switchboard {
  readonly connections = new Tally();
  readonly requests: RequestLog;
  /** What brokers could not make sense of, and faults of their own. */
  readonly complaints: string[] = [];
  onRequest: RequestHook | undefined;
  #lastConnection = 0;

  constructor(mostRequests: number) {
    this.requests = new RequestLog(mostRequests);
  }

  nextConnection(): number {
    this.#lastConnection += 1;
    return this.#lastConnection;
  }
}

export class Broker {
  readonly node: number;
  readonly host: string;
  readonly state: ClusterState;
  readonly gate = new Gate();
  /** Connections: open now, open at most, accepted in all. */
  readonly tally = new Tally();
  /** What it says that it can, by API key. */
  readonly versions = defaultVersions();
  /** Asked before the cluster's own hook. */
  onRequest: RequestHook | undefined;
  /** All answers go out a byte at a time. */
  trickles = false;
  bytesIn = 0;
  bytesOut = 0;
  readonly #shared: Switchboard;
  readonly #connections = new Map<Socket, BrokerConnection>();
  #server: Server | undefined;
  #port: number;

  /** @param port 0 for any that is free; it is kept from then on */
  constructor(node: number, host: string, port: number, state: ClusterState, shared: Switchboard) {
    this.node = node;
    this.host = host;
    this.#port = port;
    this.state = state;
    this.#shared = shared;
  }

  get port(): number {
    return this.#port;
  }
  /** Where it listens, whatever it advertises. */
  get address(): string {
    return `${this.host}:${this.#port}`;
  }
  get advertised(): Endpoint {
    return this.state.endpoint(this.node);
  }
  get isListening(): boolean {
    return this.#server !== undefined;
  }
  get isFrozen(): boolean {
    return this.gate.isShut;
  }
  /** The open ones, oldest first. */
  get connections(): readonly BrokerConnection[] {
    return [...this.#connections.values()];
  }
  get requests(): readonly ReceivedRequest[] {
    return this.#shared.requests.entries.filter(({ node }) => node === this.node);
  }

  /** Offers other versions from now on; `null` takes the API away. Keys that are not served may be offered too. */
  offer(api: string | number, range: VersionRange | null): void {
    const key = typeof api === 'number' ? api : [...SERVICES.values()].find((each) => each.api.name === api)?.api.key;
    if (key === undefined) throw new Error(`no API is called ${api}`);
    if (range === null) this.versions.delete(key);
    else this.versions.set(key, range);
  }

  async startAccepting(port = this.#port): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, this.host, resolve);
    });
    const address = server.address();
    if (address !== null && typeof address === 'object') this.#port = address.port;
    this.#server = server;
  }

  /** New connections are refused; those that are open stay. */
  stopAccepting(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  /** As if stopped in its tracks: accepts, but reads, serves and writes nothing until `thaw`. */
  freeze(): void {
    this.gate.shut();
    for (const connection of this.connections) connection.follow(true);
  }

  thaw(): void {
    this.gate.open();
    for (const connection of this.connections) connection.follow(false);
  }

  /** FIN on every connection on which nothing is owed, like the reaper of a real broker. @returns how many */
  closeIdle(): number {
    const idle = this.connections.filter((connection) => !connection.isBusy);
    for (const connection of idle) connection.end();
    return idle.length;
  }

  /** RST on all connections, and nobody listens. */
  die(): void {
    this.stopAccepting();
    for (const connection of this.connections) connection.reset();
  }

  /** FIN on all connections, and nobody listens. */
  retire(): void {
    this.stopAccepting();
    for (const connection of this.connections) connection.end();
  }

  async stop(): Promise<void> {
    this.stopAccepting();
    const closed = [...this.#connections.keys()].map(
      (socket) => new Promise((resolve) => socket.once('close', resolve)),
    );
    for (const connection of this.connections) connection.destroy();
    await Promise.all(closed);
  }

  note(request: RequestAtHand): void {
    this.#shared.requests.add(request);
  }

  decide(connection: BrokerConnection, request: RequestAtHand): RequestAction | Promise<RequestAction> {
    const own = this.onRequest?.(connection, request);
    const ask = (first: RequestAction | undefined): RequestAction | Promise<RequestAction> => {
      const action = first ?? this.#shared.onRequest?.(connection, request);
      return action instanceof Promise ? action.then((decided) => decided ?? 'answer') : (action ?? 'answer');
    };
    return own instanceof Promise ? own.then(ask) : ask(own);
  }

  complain(connection: BrokerConnection, error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#shared.complaints.push(`broker ${this.node}, connection ${connection.id} of ${connection.remote}: ${text}`);
  }

  #accept(socket: Socket): void {
    const connection = new BrokerConnection(this.#shared.nextConnection(), this, socket);
    this.#connections.set(socket, connection);
    this.tally.opened();
    this.#shared.connections.opened();
    socket.on('close', () => {
      this.#connections.delete(socket);
      this.tally.closed();
      this.#shared.connections.closed();
    });
  }
}
