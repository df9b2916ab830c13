/**
 * A network in memory: nothing moves before the test says so, each connection in order, connections in any order.
 */
import type { FailedHandshake, Listening, ListenOptions, Network, Wire, WireHandler } from '../../src/core/wire.ts';
import type { FakePeer } from './fake-peer.ts';
import { type DialOutcome, FakeWire } from './fake-wire.ts';

const FIRST_FREE_PORT = 40_000;
const MOST_DELIVERIES = 20_000;

/** Sees what the product writes and reads, before anybody acts on it. */
export interface Spy {
  dialled(wire: FakeWire): void;
  wrote(wire: FakeWire, bytes: Buffer): void;
  read(wire: FakeWire, bytes: Buffer): void;
}

export class FakeNetwork implements Network {
  spy: Spy | null = null;
  /** What the product did to a connection that no socket would bear. */
  readonly faults: string[] = [];
  /** Size of the buffers that the product reads into. */
  bufferBytes = 64 * 1024;
  /** Addresses at which binding fails, by `port`, with the system's code. */
  readonly unbindable = new Map<number, string>();
  /** While true, nothing is bound: `bindNow` lets go. */
  holdsBinds = false;
  /** Dials so far, as `host:port`. */
  readonly dials: string[] = [];
  /** How dials to an address end; an unknown one is refused. */
  readonly #outcomes = new Map<string, DialOutcome>();
  readonly #listeners = new Map<string, (wire: Wire) => WireHandler>();
  /** By port. */
  readonly #secured = new Map<number, ListenOptions>();
  readonly #wires = new Set<FakeWire>();
  #heldBinds: (() => void)[] = [];
  #nextPort = FIRST_FREE_PORT;
  #nextRemote = 1;

  // --- Network --------------------------------------------------------------------------------------------------

  async listen(
    host: string,
    port: number,
    accept: (wire: Wire) => WireHandler,
    options?: ListenOptions,
  ): Promise<Listening> {
    if (this.holdsBinds) await new Promise<void>((resolve) => this.#heldBinds.push(resolve));
    const code = this.unbindable.get(port);
    const at = port === 0 ? this.#nextPort : port;
    if (port === 0) this.#nextPort += 1;
    const key = `${host}:${at}`;
    if (code !== undefined || this.#listeners.has(key)) {
      const error: NodeJS.ErrnoException = new Error(`listen ${code ?? 'EADDRINUSE'}: ${key}`);
      error.code = code ?? 'EADDRINUSE';
      throw error;
    }
    this.#listeners.set(key, accept);
    if (options?.tls !== undefined) this.#secured.set(at, options);
    const close = async (): Promise<void> => void this.#listeners.delete(key);
    return { port: at, close };
  }

  /** A client came to a port and got no further. */
  failHandshake(port: number, failure: Partial<FailedHandshake>): void {
    this.#secured
      .get(port)
      ?.handshakeFailed?.({ remote: 'somebody:1', plaintext: false, detail: 'it failed', ...failure });
  }

  dial(host: string, port: number, handler: WireHandler, connected: () => void): Wire {
    const address = `${host}:${port}`;
    this.dials.push(address);
    const wire: FakeWire = new FakeWire({
      remote: address,
      bufferBytes: this.bufferBytes,
      fault: (detail) => this.faults.push(`${address}: ${detail}`),
      wrote: (bytes) => this.spy?.wrote(wire, bytes),
      read: (bytes) => this.spy?.read(wire, bytes),
      outcome: () => this.#outcomes.get(address) ?? { kind: 'refuse', code: 'ECONNREFUSED' },
      connected,
    });
    wire.handler = handler;
    this.#wires.add(wire);
    this.spy?.dialled(wire);
    return wire;
  }

  // --- what the test scripts ------------------------------------------------------------------------------------

  serve(address: string, peer: (peer: FakePeer) => void): void {
    this.#outcomes.set(address, { kind: 'accept', peer });
  }

  refuse(address: string, code = 'ECONNREFUSED'): void {
    this.#outcomes.set(address, { kind: 'refuse', code });
  }

  /** Dials to it are never answered. */
  silence(address: string): void {
    this.#outcomes.set(address, { kind: 'silent' });
  }

  bindNow(): void {
    this.holdsBinds = false;
    const held = this.#heldBinds;
    this.#heldBinds = [];
    for (const resolve of held) resolve();
  }

  get listening(): string[] {
    return [...this.#listeners.keys()];
  }

  /** An application connects; `refused` is true of the peer if nobody listens there. */
  connect(host: string, port: number, user: string | null = null): FakePeer {
    const accept = this.#listeners.get(`${host}:${port}`);
    const remote = `127.0.0.1:${50_000 + this.#nextRemote}`;
    this.#nextRemote += 1;
    const fault = (detail: string): void => void this.faults.push(`${remote}: ${detail}`);
    const wire: FakeWire = new FakeWire({
      remote,
      bufferBytes: this.bufferBytes,
      fault,
      wrote: (bytes) => this.spy?.wrote(wire, bytes),
      read: (bytes) => this.spy?.read(wire, bytes),
    });
    wire.peerName = user;
    if (accept === undefined) {
      wire.peer.refused = true;
      return wire.peer;
    }
    this.#wires.add(wire);
    wire.handler = accept(wire);
    return wire.peer;
  }

  // --- deliveries -----------------------------------------------------------------------------------------------

  /** Connections with something to deliver, in the order of their making; inwards is towards the product. */
  deliverable(): { wire: FakeWire; inwards: boolean }[] {
    const found: { wire: FakeWire; inwards: boolean }[] = [];
    for (const wire of this.#wires) {
      if (wire.canDeliverIn) found.push({ wire, inwards: true });
      if (wire.canDeliverOut) found.push({ wire, inwards: false });
      if (wire.closed && !wire.canDeliverOut) this.#wires.delete(wire);
    }
    return found;
  }

  get wires(): readonly FakeWire[] {
    return [...this.#wires];
  }

  /** Connections whose socket the product still holds. */
  get open(): number {
    let open = 0;
    for (const wire of this.#wires) if (!wire.closed) open += 1;
    return open;
  }

  /** Delivers until nothing is left to deliver. */
  pump(): void {
    let deliveries = 0;
    for (let found = this.deliverable(); found.length > 0; found = this.deliverable()) {
      for (const { wire, inwards } of found) {
        if (inwards && wire.canDeliverIn) wire.deliverIn();
        else if (!inwards && wire.canDeliverOut) wire.deliverOut();
      }
      deliveries += found.length;
      if (deliveries > MOST_DELIVERIES) throw new Error('the network never comes to rest');
    }
  }

  /** Bound listeners appear only in a later microtask; waits for those, then delivers. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 12; turn += 1) await Promise.resolve();
    this.pump();
    for (let turn = 0; turn < 12; turn += 1) await Promise.resolve();
    this.pump();
  }
}
