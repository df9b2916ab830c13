/** What one kind of connection does with its requests and answers; the connection's own affairs are dealt with before. */
import type { UpstreamSink } from '../../contract/protocol.ts';
import type { CloseReason, DialFailure, ReleaseReason } from '../../contract/reasons.ts';
import type { PulsarClientSession } from './client-session.ts';
import type { Connected } from './connect.ts';
import type { Command } from './message.ts';

export interface Failure {
  readonly reason: ReleaseReason;
  readonly detail: string;
  /** While it is being dialled. */
  readonly failure?: DialFailure | undefined;
}

export interface Link<T> {
  readonly exclusive: boolean;
  readonly pinned: boolean;
  readonly owed: number;
  /** An answer waits for a listener. */
  readonly blocked: boolean;
  readonly head: Buffer | null;
  readonly replaced: number;
  owes(tenant: T): boolean;
  keeps(tenant: T): boolean;
  lend(tenant: T): void;
  prepare(client: PulsarClientSession, tenant: T): Buffer | null | undefined;
  admit(client: PulsarClientSession, tenant: T, bytes: Buffer, start: number): CloseReason | undefined;
  /** The next request is written as it is, and not answered. */
  passNext(): void;
  leave(tenant: T): Buffer | undefined;
  park(): Buffer | undefined;
  gone(): readonly T[];
  /** Those who use it and can be asked for a new credential. */
  renewers(): Iterable<[T, PulsarClientSession]>;
  /** A whole frame that needs no closer look, and completes work: it goes to the only tenant as it is. False: `take` it. */
  passes(bytes: Buffer, at: number): boolean;
  /** A whole receipt, in `bytes[start, end)`, that was dealt with at a glance. False: `take` it. */
  acknowledges(bytes: Buffer, start: number, end: number, sink: UpstreamSink<T>): boolean;
  /**
   * A whole frame of the broker's, in `bytes[start, end)`.
   *
   * @returns `pass`: it goes to the only tenant as it is; `done`: it was dealt with; else the connection is of no use
   */
  take(bytes: Buffer, start: number, end: number, command: Command, sink: UpstreamSink<T>): 'pass' | 'done' | Failure;
  /** The listener that an answer waited for is bound, or known to be unbindable. */
  resume(sink: UpstreamSink<T>): Failure | null;
}

/** What a broker of this connection said, compared with what its clients were told. */
export interface LinkContext {
  readonly node: string;
  readonly identity: string;
  /** Where it was dialled. */
  readonly host: string;
  readonly port: number;
  /** Null before it was greeted. */
  readonly connected: Connected | null;
}

/** Where a redirected lookup goes next. */
export interface Redirect {
  readonly node: string;
  readonly hops: number;
}
