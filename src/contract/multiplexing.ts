/**
 * What a protocol adds whose connections serve several clients at once, and whose clients use several connections at
 * once. A connection is dialled for a purpose, and no request of another purpose goes over it. The core keeps the order of
 * a client's frames: the next one is looked at once the one before was written, answered or discarded.
 */
import type { Credential } from './credential.ts';
import type { ClientSession } from './protocol.ts';
import type { CloseReason, PinReason } from './reasons.ts';

/** Something that a client has opened at a broker and not closed: a producer, a subscription, a watch. */
export interface Registration {
  /** `producer`, `consumer`, ...: a word of the protocol. */
  readonly kind: string;
  readonly topic: string;
  /** As the broker knows it; '' if it has none (yet). */
  readonly name: string;
  readonly broker: string;
  /** `parked`: the broker does not know of it, and it is opened again with the next request. */
  readonly state: 'opening' | 'open' | 'closing' | 'parked' | 'closed';
  /** What its connection is dialled for. */
  readonly purpose: string;
  /** Whether others share its connection. */
  readonly isShared: boolean;
  /** Why it cannot be parked, or has a connection of its own: a pin, or the configuration's key; '' if neither is so. */
  readonly keptBy: string;
}

/** The side of a client, asked after `inspect`. */
export interface ClientRouting {
  /** The broker that the inspected request goes to; BOOTSTRAP: whichever knows the cluster. */
  readonly node: string;
  /** What kind of connection it needs; a name that also tells apart what must not be shared. */
  readonly purpose: string;
  /**
   * The purpose of the connection to the same broker that this client leaves for good before the inspected request is
   * forwarded (`leave` of that connection's tenancy is called); null: none.
   */
  readonly previous: string | null;
  /** Called once, before anything is inspected: `tell` writes a whole frame that the client has not asked for. */
  attach(tell: (frame: Buffer) => void): void;
  /** Its traffic holds others up: from now on it uses connections of its own where it can. */
  isolate(): void;
  /** Brokers refuse whom it speaks for. True: `inspect` dismisses it with a word for that; false: its socket is reset. */
  turnedAway(): boolean;
  /** What it has open, for those who look. */
  registrations(): readonly Registration[];
  /** Why it has connections of its own, each reason once. */
  pins(): readonly PinReason[];
}

/** The side of a connection. `T` is the core's name for a client's use of it. */
export interface Tenancy<T> {
  /** Only the client that it was dialled for uses it: frames may stream, and it goes when that client goes. */
  readonly exclusive: boolean;
  /** Something is open that would be lost with the connection: it is in use, however quiet. */
  readonly pinned: boolean;
  /**
   * Whether this tenant would lose something if the connection broke now: an answer, a message, or what cannot be opened
   * again without its client. Then its client is closed, as it would be directly.
   */
  owes(tenant: T): boolean;
  /** Whether something of this tenant's is open that keeps the connection (`pinned`): it would lose that as well. */
  keeps(tenant: T): boolean;
  /**
   * Asked before `admit`, with the client's inspected request: what has to be written and answered before.
   *
   * @returns null: nothing, `admit` follows; bytes: written at once; undefined: it was asked already. With the last two
   *   the client waits until `UpstreamSink.prepared(tenant)`, and the request is inspected again then.
   */
  prepare(client: ClientSession, tenant: T): Buffer | null | undefined;
  /**
   * Registers the request that `client` inspected last: its bytes are written next, on this connection.
   * A reason instead means that its client must be closed; nothing is registered.
   *
   * @param bytes where the request begins, at `start`; what was inspected may be edited in place
   */
  admit(client: ClientSession, tenant: T, bytes: Buffer, start: number): CloseReason | undefined;
  /** After `admit`: what is written instead of the request's first `replaced` bytes; null: they are written as they are. */
  readonly head: Buffer | null;
  readonly replaced: number;
  /** This tenant is gone or leaves: what is told to the broker for it. Answers to that count as owed. */
  leave(tenant: T): Buffer | undefined;
  /**
   * What must be told before the connection can go without loss: answers are owed then, and once nothing is owed it goes.
   * `undefined`: nothing. Called in the safe state only (nothing owed, not pinned).
   */
  park(): Buffer | undefined;
  /** What the broker is shown after it asked for it (`UpstreamSink.authenticate`). */
  renewal(credential: Credential | null): Buffer | undefined;
  /**
   * The connection is gone. Called once; nothing is called afterwards.
   *
   * @returns tenants, of this or of other connections, that waited for an answer of this one (`prepare`)
   */
  gone(): readonly T[];
}

/** The clients' own credentials, passed on to brokers: connections are shared by those who showed the same. */
export interface PassedCredentials {
  /** The name of the identity that shows this; it stays until it was let go of as often as it was held. */
  hold(credential: Credential): string;
  letGo(identity: string): void;
  /** What that identity shows from now on, if it cannot be somebody else's. */
  renew(identity: string, credential: Credential): void;
  /**
   * What an identity shows has come to its end: a client of it is to be asked for another. It is told once more every
   * minute until there is one.
   */
  onEnded(listener: (identity: string) => void): void;
}

/** What a protocol that multiplexes needs from the configuration and the core besides. */
export interface MultiplexingContext {
  /** Up to this size a request is forwarded only once it is complete; larger ones go over exclusive connections alone. */
  readonly wholeFrameBytes: number;
  /** What clients show is shown to brokers; null: the sidecar shows what is its own. */
  readonly passed: PassedCredentials | null;
  /** Broker connections are secured by TLS: brokers are known by their TLS addresses. */
  readonly isUpstreamSecured: boolean;
  /** A broker that a client names may be dialled although no broker has named it. */
  isAllowedBroker(host: string, port: number): boolean;
  /** Answers name listeners of ours, for clients that would else go past them. */
  readonly rewritesLookups: boolean;
  /** Nothing is parked that keeps a topic from being deleted for want of use. */
  readonly keepsTopicsAlive: boolean;
}
