/**
 * The listening sockets of one route: the bootstrap one and one a broker. A broker that is down has its socket closed,
 * so that the application is refused as it would be directly; the port stays the broker's own.
 */
import type { LocalAddress, LocalAddresses } from '../contract/topology.ts';
import type { HostPort } from './options.ts';
import type { FailedHandshake, Listening, ListenOptions, ListenTls, Network, Wire, WireHandler } from './wire.ts';

type ListenerState = 'binding' | 'open' | 'shut' | 'unbindable';

interface Listener {
  readonly at: HostPort;
  state: ListenerState;
  /** As bound; equals the wanted one unless that was 0. */
  port: number;
  sockets: Listening[];
  failedTime: number;
  /** Its broker is down: it must not be open, even if it was being bound at that time. */
  down: boolean;
}

export interface ListenersHooks {
  readonly network: Network;
  /** How clients are received; absent: in plaintext. */
  readonly tls?: (() => ListenTls) | undefined;
  accept(node: string, wire: Wire): WireHandler;
  /** A client did not get as far as that. */
  handshakeFailed(node: string, failure: FailedHandshake): void;
  /** A listener is bound, or known to be unbindable. */
  settled(node: string): void;
  bindFailed(node: string, detail: string): void;
}

/** `localhost` means both loopback addresses; a machine without IPv6 has one. */
const LOCALHOST = ['127.0.0.1', '::1'];

export class Listeners implements LocalAddresses {
  readonly #hooks: ListenersHooks;
  readonly #advertisedHost: string;
  readonly #listeners = new Map<string, Listener>();
  #closed = false;

  constructor(advertisedHost: string, hooks: ListenersHooks) {
    this.#advertisedHost = advertisedHost;
    this.#hooks = hooks;
  }

  find(node: string): LocalAddress | 'unbindable' | undefined {
    const listener = this.#listeners.get(node);
    if (listener === undefined || listener.state === 'binding') return undefined;
    if (listener.state === 'unbindable') return 'unbindable';
    return { host: this.#advertisedHost, port: listener.port };
  }

  /** Where applications reach it right now; null while they cannot. */
  addressOf(node: string): string | null {
    const listener = this.#listeners.get(node);
    return listener?.state === 'open' ? `${this.#advertisedHost}:${listener.port}` : null;
  }

  has(node: string): boolean {
    return this.#listeners.has(node);
  }

  /** Binds; rejects with the system's error. For the address that the process cannot do without. */
  async open(node: string, at: HostPort): Promise<number> {
    const listener: Listener = { at, state: 'binding', port: at.port, sockets: [], failedTime: 0, down: false };
    this.#listeners.set(node, listener);
    await this.#bind(node, listener);
    return listener.port;
  }

  /** Binds in the background; `settled` follows in any case. A fault is told and makes the broker unbindable. */
  ensure(node: string, at: HostPort | { readonly fault: string }, now: number, retryAfterMilliseconds: number): void {
    const known = this.#listeners.get(node);
    if (known !== undefined) {
      if (known.state !== 'unbindable' || now - known.failedTime < retryAfterMilliseconds) return;
    }
    const faulty = 'fault' in at;
    const listener: Listener = {
      at: faulty ? { host: '', port: 0 } : at,
      state: 'binding',
      port: faulty ? 0 : at.port,
      sockets: [],
      failedTime: now,
      down: known?.down ?? false,
    };
    this.#listeners.set(node, listener);
    const bound = faulty ? Promise.reject(new Error(at.fault)) : this.#bind(node, listener);
    bound
      .catch((error: unknown) => {
        listener.state = 'unbindable';
        this.#hooks.bindFailed(node, error instanceof Error ? error.message : String(error));
      })
      .then(() => this.#hooks.settled(node));
  }

  async #bind(node: string, listener: Listener): Promise<void> {
    const { host } = listener.at;
    const accept = (wire: Wire): WireHandler => this.#hooks.accept(node, wire);
    const { tls } = this.#hooks;
    const handshakeFailed = (failure: FailedHandshake): void => this.#hooks.handshakeFailed(node, failure);
    const options: ListenOptions | undefined = tls === undefined ? undefined : { tls, handshakeFailed };
    const hosts = host === 'localhost' ? LOCALHOST : [host];
    const sockets: Listening[] = [];
    try {
      for (const address of hosts) {
        try {
          const socket = await this.#hooks.network.listen(address, listener.port, accept, options);
          sockets.push(socket);
          listener.port = socket.port;
        } catch (error) {
          if (sockets.length === 0 || !isMissingFamily(error)) throw error;
        }
      }
    } catch (error) {
      await Promise.all(sockets.map((socket) => socket.close()));
      throw error;
    }
    if (this.#closed || this.#listeners.get(node) !== listener) {
      await Promise.all(sockets.map((socket) => socket.close()));
      listener.state = 'unbindable';
      return;
    }
    listener.sockets = sockets;
    listener.state = 'open';
    if (listener.down) this.shut(node);
  }

  /** New connections are refused; those that are open stay. */
  shut(node: string): void {
    const listener = this.#listeners.get(node);
    if (listener === undefined) return;
    listener.down = true;
    if (listener.state !== 'open') return;
    listener.state = 'shut';
    for (const socket of listener.sockets) void socket.close();
    listener.sockets = [];
  }

  /** Accepts again, on the same port. */
  reopen(node: string, now: number): void {
    const listener = this.#listeners.get(node);
    if (listener === undefined) return;
    listener.down = false;
    if (listener.state !== 'shut' || this.#closed) return;
    this.#listeners.delete(node);
    this.ensure(node, { host: listener.at.host, port: listener.port }, now, 0);
  }

  /** Tries again where binding failed, so that a port that became free is taken. */
  retryFailed(now: number, retryAfterMilliseconds: number): void {
    for (const [node, listener] of this.#listeners) {
      if (listener.state === 'unbindable' && listener.at.host !== '') {
        this.ensure(node, { host: listener.at.host, port: listener.port }, now, retryAfterMilliseconds);
      }
    }
  }

  remove(node: string): void {
    this.shut(node);
    this.#listeners.delete(node);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const sockets = [...this.#listeners.values()].flatMap((listener) => listener.sockets);
    await Promise.all(sockets.map((socket) => socket.close()));
  }
}

function isMissingFamily(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
}
