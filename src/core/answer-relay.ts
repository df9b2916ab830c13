/**
 * From the broker to the application: lets the session find the answers in what was read, hands their bytes to the tenant,
 * and remembers what the session said until the whole read was dealt with. Nothing is acted on in between: an action might
 * lend the connection while there is still something in the buffer.
 */
import type { UpstreamSession, UpstreamSink } from '../contract/protocol.ts';
import type { CloseReason, DialFailure, ReleaseReason } from '../contract/reasons.ts';
import type { Topology } from '../contract/topology.ts';
import { Portions } from './portions.ts';
import type { Tenant } from './tenant.ts';
import { Tenants } from './tenants.ts';
import type { UpstreamRecord } from './upstream-record.ts';
import type { Wire } from './wire.ts';

export interface ReadFailure {
  readonly reason: ReleaseReason;
  readonly detail: string;
  readonly failure: DialFailure | undefined;
}

export class AnswerRelay implements UpstreamSink<Tenant> {
  /** Who gets the answers; those of a tenant that is gone are drained. */
  tenant: Tenant | null = null;
  /** Those of a connection that serves several. */
  readonly tenants: Tenants | null;
  /** What came for single tenants, and is acted on behind the read. */
  errands: (() => void)[] = [];
  /** The broker wants to be shown a credential once more. */
  mustAuthenticate = false;
  /** The greeting was answered. */
  becameReady = false;
  /** What the greeting goes on with. */
  replies: Buffer[] = [];
  /** Something was completed: the connection may have become free. */
  progressed = false;
  /** Our own request was answered. */
  errandDone = false;
  /** What idle clients will ask for next was renewed. */
  renewed = false;
  /** An answer to valid data was completed. */
  hasWorked = false;
  /** Milliseconds for which the broker does not read this connection; 0 if it does. */
  muteMilliseconds = 0;
  /** The tenant's socket did not take everything: the read buffer is still needed. */
  awaitsTenant = false;
  failure: ReadFailure | null = null;
  #paused = false;
  readonly #portions: Portions | null;
  readonly #session: UpstreamSession<Tenant>;
  readonly #named: (topology: Topology) => void;

  constructor(session: UpstreamSession<Tenant>, whenNamed: (topology: Topology) => void) {
    this.#session = session;
    this.tenants = session.tenancy === undefined ? null : new Tenants(session.tenancy);
    this.#portions = session.tenancy === undefined ? null : new Portions();
    this.#named = whenNamed;
  }

  /** @param bytes null: goes on with an answer that waited for listeners */
  read(bytes: Buffer | null, length: number): void {
    try {
      if (bytes === null) this.#session.resume(this);
      else this.#session.read(bytes, 0, length, this);
    } finally {
      if (this.#portions?.handOut() === false) this.awaitsTenant = true;
    }
  }

  /** No read while the buffer of the last one is needed, or an answer waits for listeners. */
  readOrPause(wire: Wire | null): void {
    const pause = this.#session.blocked || this.awaitsTenant;
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) wire?.pause();
    else wire?.resume();
  }

  /** What one read told about the connection itself. */
  noteIn(record: UpstreamRecord): void {
    if (this.hasWorked) record.lastWorkTime = record.lastTrafficTime;
    if (this.muteMilliseconds > 0) record.mutedUntil = record.lastTrafficTime + this.muteMilliseconds;
    if (this.errandDone || (record.errand === 'park' && this.#session.owed === 0)) record.errand = 'none';
    this.tenants?.told(this.#session.inAnswer);
    this.hasWorked = false;
    this.muteMilliseconds = 0;
    this.errandDone = false;
  }

  takeRenewed(): boolean {
    const { renewed } = this;
    this.renewed = false;
    return renewed;
  }

  reply(bytes: Buffer): void {
    this.replies.push(bytes);
  }

  ready(): void {
    this.becameReady = true;
  }

  deliver(tenant: Tenant, bytes: Buffer, start: number, end: number): void {
    if (tenant !== this.tenant && this.tenants?.has(tenant) !== true) return;
    if (this.#portions !== null) {
      this.#portions.add(tenant, bytes, start, end);
      return;
    }
    const whole = start === 0 && end === bytes.length;
    if (!tenant.receive(whole ? bytes : bytes.subarray(start, end))) this.awaitsTenant = true;
  }

  worked(): void {
    this.hasWorked = true;
  }

  settled(_tenant: Tenant): void {
    this.progressed = true;
  }

  ponged(): void {
    this.errandDone = true;
    this.progressed = true;
  }

  refreshed(): void {
    this.errandDone = true;
    this.renewed = true;
    this.progressed = true;
  }

  muted(milliseconds: number): void {
    this.muteMilliseconds = Math.max(this.muteMilliseconds, milliseconds);
  }

  prepared(tenant: Tenant): void {
    this.errands.push(() => tenant.answered());
  }

  again(tenant: Tenant, request: Buffer): void {
    this.errands.push(() => tenant.again?.(request));
  }

  close(tenant: Tenant, reason: CloseReason, detail: string): void {
    this.errands.push(() => tenant.expel?.(reason, detail));
  }

  authenticate(): void {
    this.mustAuthenticate = true;
  }

  named(topology: Topology): void {
    this.#named(topology);
  }

  fail(reason: ReleaseReason, detail: string, failure?: DialFailure): void {
    this.failure ??= { reason, detail, failure };
  }
}
