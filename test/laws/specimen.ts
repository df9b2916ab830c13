/**
 * What the laws must be told of a protocol: samples of what its clients and servers say. One file a protocol in
 * `specimens/`; the laws themselves know no protocol.
 */
import type { Credential, LocalUsers } from '../../src/contract/credential.ts';
import type { Demand } from '../../src/contract/protocol.ts';
import type { CloseReason, PinReason } from '../../src/contract/reasons.ts';
import type { BrokerNode } from '../../src/contract/topology.ts';

/** One request of a client, and what comes of it. `id` tells apart what is asked twice, where the protocol has such ids. */
export interface Exchange {
  readonly name: string;
  readonly request: (id: number) => Buffer;
  /** What the server answers to it; empty if it does not, or is not asked. */
  readonly answer: (id: number) => Buffer;
  /** What the client must see: the answer itself, but for what the protocol is documented to rewrite. */
  readonly seen: (id: number) => Buffer;
  /** Answered without a server, once one was greeted. */
  readonly local: boolean;
  /** Of the first request on a connection. */
  readonly demand: Demand;
  readonly pin: PinReason | undefined;
  /** Valid data. */
  readonly work: boolean;
}

/** What a client may say that ends its connection. */
export interface Refusal {
  readonly name: string;
  readonly bytes: Buffer;
  readonly reason: CloseReason;
}

/** Who is somebody for whom, on a route of the specimen. */
export interface SpecimenSecurity {
  /** Clients authenticate themselves to the server. */
  readonly passThrough?: boolean;
  /** Clients authenticate themselves to us, and all of them are this one of the users, by a certificate. */
  readonly users?: LocalUsers;
  readonly user?: string;
  /** What we show to servers. */
  readonly credential?: Credential;
}

/** Of protocols whose connections serve several clients at once (`contract/multiplexing.ts`). */
export interface SpecimenMultiplexing {
  /** Of the connection that the exchanges go over. */
  readonly purpose: string;
  /** It belongs to one client, and takes requests in parts. */
  readonly exclusive: boolean;
  /** What every client says first; answered here once a server was greeted. */
  readonly opening: Buffer;
  /** What was written to a server, as if nobody had renumbered it: compared with what clients wrote. */
  readonly plain: (written: Buffer) => Buffer;
}

export interface ProtocolSpecimen {
  /** As in the registry. */
  readonly protocol: string;
  /** Tells specimens apart. */
  readonly name: string;
  readonly security?: SpecimenSecurity;
  readonly multiplexing?: SpecimenMultiplexing;
  /** Requests have a beginning and an end. Otherwise every read is one, and only the bytes count. */
  readonly framed: boolean;
  /** At least one of each class of request. */
  readonly exchanges: readonly Exchange[];
  /** As large as they come in practice, each way, and with everything in them that a session might want to keep. */
  readonly bulky: readonly Exchange[];
  readonly refusals: readonly Refusal[];
  /** Who is in the cluster. Answers may name them; the first is the one that is dialled. */
  readonly brokers: readonly BrokerNode[];
  /**
   * A server's side of one connection: takes what was written to it, in any pieces, and says what it sends back to all
   * that is complete: to our own greeting and probes, and to the exchanges.
   */
  readonly serve: () => (written: Buffer) => Buffer;
}

/** The first of every class, for laws whose price is high. */
export function oneOfEach(exchanges: readonly Exchange[]): readonly Exchange[] {
  const classes = Map.groupBy(exchanges, ({ demand, pin, work, local }) => `${[demand, pin, work, local]}`);
  return [...classes.values()].flatMap(([first]) => first ?? []);
}
