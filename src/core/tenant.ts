/** A client, as the upstream that it holds and the pool that it waits for see it. */
import type { CloseReason } from '../contract/reasons.ts';
import type { Upstream } from './upstream.ts';
import type { Wait } from './wait.ts';

export interface Tenant {
  /** In the middle of a request: more of its bytes are to come before the upstream may go to anyone else. */
  readonly sending: boolean;
  /** Keeps its upstream although nothing is owed. */
  readonly pinned: boolean;
  /** Its life hangs on the upstream's. */
  readonly pinnedHard: boolean;
  /** Writes an answer's bytes. False: not all of them left, the buffer is still needed; `tenantFlushed` follows. */
  receive(bytes: Buffer): boolean;
  /** Nothing is owed any more, and it keeps the upstream. */
  answered(): void;
  /** The upstream took everything that it had not taken before. */
  upstreamFlushed(): void;
  /** The broker's FIN. True: the tenant ends it in its own way (opaque streams). */
  onUpstreamEnd(): boolean;
  /** The upstream broke while something was owed or sent: the client sees what it would see directly. */
  upstreamLost(reset: boolean, detail: string): void;
  /** No longer a tenant; the client may go on with what it has kept back. */
  detached(): void;
  /** A request of the protocol's own is sent for it, before the next one of its client's. */
  again?(request: Buffer): void;
  /** The last read of its connection ended inside a frame, or not. */
  toldPart?(isInFrame: boolean): void;
  /** Bytes that it wrote, those of long ago counting less. */
  readonly sentBytes?: number;
  fadeSent?(): void;
  /** It uses a connection of its own from now on, if it can. */
  isolate?(): void;
  /** It must go, and nobody else. */
  expel?(reason: CloseReason, detail: string): void;
}

/** A client that waits for an upstream. */
export interface Waiter extends Tenant {
  readonly id: string;
  /** What kind of connection it waits for; '' where all serve all. */
  readonly purpose: string;
  readonly wait: Wait;
  /** It has the upstream and goes on. */
  granted(upstream: Upstream): void;
  /** It asks again from the beginning: what it waited for may be known by now. */
  retry(): void;
  /**
   * It cannot be served: its socket is reset.
   *
   * @param turnedAway brokers refuse whom it speaks for, which it may be told first
   */
  refuse(reason: CloseReason, detail: string, turnedAway?: boolean): void;
}
