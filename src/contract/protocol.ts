/**
 * The contract between the core, which owns sockets, timers, pools and leases, and a protocol, which owns the
 * meaning of bytes. A protocol is bytes in, facts out: it knows no socket, no timer, no clock and no logger.
 * All calls are synchronous, all offsets are bytes, and a buffer handed over is valid only during the call
 * unless said otherwise.
 */
import type { Credential, LocalUsers } from './credential.ts';
import type { ClientRouting, MultiplexingContext, Tenancy } from './multiplexing.ts';
import type { CloseReason, DialFailure, PinReason, ReleaseReason } from './reasons.ts';
import type { LocalAddresses, Topology } from './topology.ts';

/** What `ClientSession.inspect` says of the first request in the bytes it was shown. */
export const Verdict = {
  /** Not enough bytes to tell. `size` is the whole frame's size if that is known already, else 0. */
  incomplete: 0,
  /** The request goes to a broker; `size`, `demand`, `pin` and `work` describe it. */
  forward: 1,
  /** `answer()` returns what to write to the client, if anything; the request is consumed. */
  answer: 2,
  /** Could be answered locally once a connection to this broker has been opened: open one, then ask again. */
  learn: 3,
  /** The client must go, for `closeReason`; `closeDetail` is a sentence for the log. */
  close: 4,
  /** `answer()` returns the last thing to write to the client, which then goes as with `close`. */
  dismiss: 5,
  /** `size` bytes are taken and go nowhere. */
  discard: 6,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** What kind of hold on an upstream a request needs. Ordered: a larger demand includes the smaller ones. */
export const Demand = {
  /** A lease within the cap of the pool. */
  pool: 0,
  /** A lease at once, beyond the cap if need be: the broker may keep its answer back for long. */
  hold: 1,
  /** An upstream of its own while `pinned` is true on the client's session, or `unfenced` on the upstream's. */
  pin: 2,
  /** An upstream of its own until the client closes; if the upstream goes, so does the client. */
  pinHard: 3,
} as const;
export type Demand = (typeof Demand)[keyof typeof Demand];

/** One accepted client socket, as the protocol sees it. */
export interface ClientSession {
  /**
   * Looks at `bytes[start, end)`, which begins at a request's first byte. Consumes nothing and must be
   * repeatable: the core asks again with more bytes, or later with the same ones.
   *
   * @param mayAnswer the broker is reachable as far as we know, so answering without it is honest
   * @param owing answers are owed to this client, so a local answer would have to wait for them
   */
  inspect(bytes: Buffer, start: number, end: number, mayAnswer: boolean, owing: boolean): Verdict;
  /** Bytes of the inspected frame, its length prefix included; 0 while unknown. */
  readonly size: number;
  readonly demand: Demand;
  /** The reason of a `pin` or `pinHard` demand. */
  readonly pin: PinReason | undefined;
  /** True while the client must keep the upstream it has although nothing is owed (`unfenced` is asked for apart). */
  readonly pinned: boolean;
  /**
   * Whose broker connections its requests go to: the name of an identity, '' for the route's own. It may change only
   * before its first request is forwarded.
   */
  readonly identity: string;
  /** Whether the inspected request is valid data: the application's work, which moves the idle clock. */
  readonly work: boolean;
  /** Present if the requests of one client go over several connections. */
  readonly routing?: ClientRouting | undefined;
  /** The local answer to the request inspected last (`answer`, `dismiss`). The caller may keep the buffer. */
  answer(): Buffer;
  readonly closeReason: CloseReason;
  readonly closeDetail: string;
  /** The socket is gone. Called once; nothing is called afterwards. */
  close(): void;
}

/** What an upstream session tells the core while it reads. `T` is the core's name for a client on an upstream. */
export interface UpstreamSink<T> {
  /**
   * The next step of the greeting, or an answer to the broker's own housekeeping: written once this read was dealt with.
   * The core may keep the buffer.
   */
  reply(bytes: Buffer): void;
  /** The greeting was answered: the connection may be lent from now on. */
  ready(): void;
  /** `bytes[start, end)` belong to this tenant, in this order. Not kept by the protocol afterwards. */
  deliver(tenant: T, bytes: Buffer, start: number, end: number): void;
  /** The last byte of an answer to valid data was delivered. */
  worked(): void;
  /** Nothing more is owed to this tenant: the last byte of its last answer was delivered. */
  settled(tenant: T): void;
  /** The answer to our own `ping()` arrived. */
  ponged(): void;
  /** The answers to our own `refresh()` all arrived. */
  refreshed(): void;
  /** The broker does not read from this connection for so long; told before `settled`. */
  muted(milliseconds: number): void;
  /** An answer named brokers. If the session is `blocked` afterwards, it waits for `resume`. */
  named(topology: Topology): void;
  /** What `Tenancy.prepare` asked for was answered: the tenant, perhaps one of another connection, asks again. */
  prepared(tenant: T): void;
  /** The core sends this request for the tenant, as if its client had, before the next one of the client's own. */
  again(tenant: T, request: Buffer): void;
  /** This tenant's client must go, and nobody else. */
  close(tenant: T, reason: CloseReason, detail: string): void;
  /** The broker wants to be shown a credential once more: `Tenancy.renewal` follows. */
  authenticate(): void;
  /**
   * The connection is of no use any more. The session must not be used again.
   *
   * @param failure while it is being dialled: why it could not be opened, if the protocol knows better than the core
   */
  fail(reason: ReleaseReason, detail: string, failure?: DialFailure): void;
}

/** One broker connection, as the protocol sees it. */
export interface UpstreamSession<T> {
  /**
   * What to write once the transport is open; `undefined` if nothing: then the session is ready from the start.
   *
   * @param credential what to show the broker; null if nobody in particular is to be taken for somebody
   */
  greeting(credential: Credential | null): Buffer | undefined;
  /** From now on the connection serves this tenant. Its requests are admitted one by one. */
  lend(tenant: T): void;
  /**
   * Registers the request that `client` inspected last: its bytes are written next, on this connection, in full.
   * A reason instead means that this client cannot use this connection and must be closed; nothing is registered.
   * Not called if there is a `tenancy`, which has an `admit` of its own.
   */
  admit(client: ClientSession, tenant: T): CloseReason | undefined;
  /** Reads `bytes[start, end)` from the broker. Keeps no reference to `bytes`. */
  read(bytes: Buffer, start: number, end: number, sink: UpstreamSink<T>): void;
  /** An answer waits for listeners to be bound; bytes read meanwhile are kept. The core pauses the socket. */
  readonly blocked: boolean;
  /** The listeners that a blocked answer waited for are bound, or known to be unbindable. */
  resume(sink: UpstreamSink<T>): void;
  /** Our own cheapest request, as probe or fence: never valid data. `undefined` if the protocol has none. */
  ping(): Buffer | undefined;
  /** Our own requests that renew what idle clients will ask for next, pipelined; `undefined` if there are none. */
  refresh(): Buffer | undefined;
  /** Answers owed on this connection, to tenants and to ourselves. */
  readonly owed: number;
  /** The broker may lawfully keep one of the owed answers back (demand `hold`). */
  readonly holding: boolean;
  /** Requests without an answer were written and nothing since proves that the broker has read them. */
  readonly unfenced: boolean;
  /** An answer has begun to arrive and is not complete. */
  readonly inAnswer: boolean;
  /**
   * For how many milliseconds from its authentication on the broker serves this connection (KIP-368); 0: without end.
   * Known once it is ready.
   */
  readonly lifetimeMilliseconds: number;
  /** Present if the connection serves several tenants at once; each is `lent` it before its first request. */
  readonly tenancy?: Tenancy<T> | undefined;
  /** While it is being opened: what it may mean if the broker closes it now. */
  readonly closeHint?: string | undefined;
  /** How long the requests in flight allow the broker to take by themselves. */
  readonly patienceMilliseconds: number;
}

/** Where an upstream goes. */
export interface UpstreamTarget {
  /** Node name, or BOOTSTRAP. */
  readonly node: string;
  /** As advertised by the cluster, or as configured for a bootstrap dial. */
  readonly host: string;
  readonly port: number;
}

/** Requests counted by API name; label values come from a closed set. */
export interface RequestCounts {
  readonly forwarded: ReadonlyMap<string, number>;
  readonly absorbed: ReadonlyMap<string, number>;
}

/** One route of the configuration, as its protocol sees it; shared by all of its sessions. */
export interface ProtocolRoute {
  /** The client gets an upstream when it is accepted, and both live and idle together (opaque protocols). */
  readonly dialsAtAccept: boolean;
  /** Greetings name the brokers. False: nobody but a client may ask, and its answers tell. */
  readonly asksForTopology: boolean;
  /** Its client sessions have a `routing`, its upstream sessions a `tenancy`. */
  readonly multiplexes: boolean;
  /** Every broker that is named gets a listener of its own. */
  readonly listensPerBroker: boolean;
  /** The local port of a broker's listener, or what is wrong and which key to change. */
  localPort(node: string): number | { readonly fault: string };
  /** @param user who it is by its certificate, else null */
  client(node: string, user: string | null): ClientSession;
  /**
   * @param identity the name of the identity that the broker is to take this connection for
   * @param purpose if the protocol multiplexes: what a client said that it needs the connection for; else, and if it is
   *   opened only to see whether the broker can be reached: ''
   */
  upstream<T>(target: UpstreamTarget, identity: string, purpose?: string): UpstreamSession<T>;
  /** An upstream was lost, or the topology changed: what was cached about the cluster is void. */
  invalidate(): void;
  counts(): RequestCounts;
}

/** What a protocol needs from the configuration and the core to serve one route. */
export interface RouteContext {
  readonly addresses: LocalAddresses;
  readonly maxFrameBytes: number;
  readonly portBase: number | undefined;
  readonly ports: Readonly<Record<string, number>>;
  /** Clients authenticate themselves to the broker, each over a connection of its own. */
  readonly saslPassThrough: boolean;
  /** Clients authenticate to the sidecar; null: they do not. */
  readonly users: LocalUsers | null;
  /** What only protocols that multiplex ask for; they may rely on it. */
  readonly multiplexing?: MultiplexingContext | undefined;
}

export interface Protocol {
  readonly name: string;
  createRoute(context: RouteContext): ProtocolRoute;
}
