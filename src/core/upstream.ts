/**
 * One connection to a broker: its bytes, its tenant, its times. What state it may move to stands in upstream-state.ts;
 * which tenant comes next is its owner's business.
 */
import type { ClientSession, UpstreamSession, UpstreamSink, UpstreamTarget } from '../contract/protocol.ts';
import type { CloseReason, ReleaseReason } from '../contract/reasons.ts';
import type { Topology } from '../contract/topology.ts';
import type { Clock, Timer } from './clock.ts';
import { invariant } from './invariant.ts';
import type { Tenant } from './tenant.ts';
import type { Errand, UpstreamOwner } from './upstream-owner.ts';
import { moved } from './upstream-state.ts';
import type { UpstreamState } from './views.ts';
import type { Wire, WireEnd, WireHandler } from './wire.ts';

/** After our FIN the broker gets so long to send its own; then the socket is dropped. */
const FAREWELL_MILLISECONDS = 1000;

export class Upstream implements WireHandler, UpstreamSink<Tenant> {
  readonly id: string;
  readonly target: UpstreamTarget;
  readonly session: UpstreamSession<Tenant>;
  readonly createTime: number;
  tenant: Tenant | null = null;
  /** Milliseconds of the injected clock; null until valid data passed. */
  lastWorkTime: number | null = null;
  idleMarkTime = 0;
  lastTrafficTime: number;
  /** Since when the oldest answer is owed, as far as progress shows. */
  owedSince = 0;
  /** When a request was written last. */
  sentTime = 0;
  leaseStart = 0;
  /** Others wait: the tenant may finish what is in flight, and nothing more. */
  yielding = false;
  mutedUntil = 0;
  condemned: ReleaseReason | null = null;
  errand: Errand = 'none';
  errandStart = 0;
  /** Dialled when nobody had valid data to send. */
  forHousekeeping = false;
  idleReported = false;
  /** What idle clients will ask for next was renewed over this connection just now. */
  renewed = false;
  /** Jittered; the connection is not lent after it. */
  readonly expiryTime: number;
  readonly #clock: Clock;
  readonly #owner: UpstreamOwner;
  #state: UpstreamState = 'dialing';
  #wire: Wire | null = null;
  #farewell: Timer | null = null;
  #opened = false;
  #becameReady = false;
  #settled = false;
  #awaitsTenantFlush = false;
  #failure: { readonly reason: ReleaseReason; readonly detail: string } | null = null;

  constructor(
    id: string,
    target: UpstreamTarget,
    session: UpstreamSession<Tenant>,
    clock: Clock,
    owner: UpstreamOwner,
    maxAgeMilliseconds: number,
  ) {
    this.id = id;
    this.target = target;
    this.session = session;
    this.#clock = clock;
    this.#owner = owner;
    this.createTime = clock.now();
    this.lastTrafficTime = this.createTime;
    this.expiryTime = this.createTime + maxAgeMilliseconds;
  }

  get state(): UpstreamState {
    return this.#state;
  }

  #move(to: UpstreamState): void {
    this.#state = moved(this.#state, to);
  }

  /** Its tenant does not take the answer as fast as it comes: silence is not the broker's. */
  get waitsForTenant(): boolean {
    return this.#awaitsTenantFlush;
  }

  dialledOver(wire: Wire): void {
    this.#wire = wire;
  }

  /** The transport is open: says hello, or is ready at once if the protocol has nothing to say. */
  connected(): void {
    if (this.#state !== 'dialing') return;
    const greeting = this.session.greeting();
    if (greeting === undefined) this.#owner.opened(this);
    else this.#write(greeting);
  }

  // --- the states' only doors ---------------------------------------------------------------------------------

  /** For a tenant, or for an errand of our own (`null`). */
  use(tenant: Tenant | null): void {
    invariant(this.tenant === null, 'an upstream has one tenant at a time');
    invariant(this.session.owed === 0 || this.#state === 'dialing', 'an upstream that owes answers is not lent');
    if (this.#state !== 'using') this.#move('using');
    this.tenant = tenant;
    this.leaseStart = this.#clock.now();
    this.yielding = false;
    this.idleReported = false;
  }

  /** Takes the tenant off; the connection stays `using` until it is lent again or marked idle. */
  leave(): Tenant | null {
    const tenant = this.tenant;
    this.tenant = null;
    this.yielding = false;
    if (this.#awaitsTenantFlush) this.tenantFlushed();
    return tenant;
  }

  markIdle(): void {
    invariant(this.tenant === null && this.session.owed === 0, 'only a quiet upstream is idle');
    this.#move('idle_marked');
    this.idleMarkTime = this.#clock.now();
  }

  beforeRelease(): void {
    this.#move('before_release');
  }

  rescue(): void {
    this.#move('idle_marked');
  }

  /** Lets go of the broker: politely with a FIN behind what was written, or at once. */
  release(abruptly: boolean): void {
    this.#move('released');
    const wire = this.#wire;
    if (wire === null) return;
    wire.resume();
    if (abruptly || !this.#opened) {
      wire.destroy();
      return;
    }
    wire.end();
    this.#farewell = this.#clock.after(FAREWELL_MILLISECONDS, () => wire.destroy());
  }

  // --- towards the broker -------------------------------------------------------------------------------------

  /** The greeting was answered; before, a release is no farewell. */
  markOpened(): void {
    this.#opened = true;
  }

  /** Registers the request that the client's session inspected last. A reason means that the client must go. */
  admit(client: ClientSession, tenant: Tenant): CloseReason | undefined {
    const owedBefore = this.session.owed;
    const refusal = this.session.admit(client, tenant);
    if (refusal !== undefined) return refusal;
    const now = this.#clock.now();
    this.sentTime = now;
    if (owedBefore === 0) this.owedSince = now;
    if (client.work) this.lastWorkTime = now;
    this.#settled = false;
    return undefined;
  }

  /** Writes what the tenant sends. False: the broker does not keep up; the tenant is told by `flushed`. */
  send(bytes: Buffer): boolean {
    return this.#write(bytes);
  }

  /** Our own request goes out; the connection is not free before it was answered. False: the protocol has none. */
  run(errand: Exclude<Errand, 'none'>): boolean {
    const request = errand === 'refresh' ? this.session.refresh() : this.session.ping();
    if (request === undefined) return false;
    this.errand = errand;
    this.errandStart = this.#clock.now();
    this.#write(request);
    return true;
  }

  #write(bytes: Buffer): boolean {
    return this.#wire?.write(bytes) ?? true;
  }

  // --- from the broker ----------------------------------------------------------------------------------------

  onBytes(bytes: Buffer, length: number): void {
    if (this.#state === 'released') return;
    const now = this.#clock.now();
    this.lastTrafficTime = now;
    this.owedSince = now;
    try {
      this.session.read(bytes, 0, length, this);
    } catch (error) {
      this.fail('protocol_error', error instanceof Error ? error.message : String(error));
    }
    this.#concludeRead();
  }

  /** The listeners that an answer waited for are there. */
  unblock(): void {
    if (this.#state === 'released' || !this.session.blocked) return;
    this.session.resume(this);
    this.#concludeRead();
  }

  #concludeRead(): void {
    const failure = this.#failure;
    if (failure !== null) {
      this.#owner.broken(this, failure.reason, failure.detail);
      return;
    }
    if (this.#becameReady) {
      this.#becameReady = false;
      this.#owner.opened(this);
      return;
    }
    if (this.session.blocked || this.#awaitsTenantFlush) this.#wire?.pause();
    else if (this.#settled) this.settle();
  }

  /** Becomes quiet if nothing keeps it any more; harmless to ask. */
  settle(): void {
    this.#settled = true;
    if (this.#state !== 'using' || !this.isFree()) return;
    this.#settled = false;
    this.#owner.quiet(this);
  }

  /** Something of the tenant's is under way: the connection must not outlive it, nor it the connection. */
  isDirty(): boolean {
    const { session } = this;
    return session.owed > 0 || session.inAnswer || session.unfenced || this.tenant?.sending === true;
  }

  /** The safe state: nothing in flight, both parsers at a boundary, nothing unsent, not pinned, not muted. */
  isFree(): boolean {
    const { session, tenant } = this;
    if (session.owed > 0 || session.inAnswer || session.blocked || session.unfenced) return false;
    if (this.errand !== 'none' || this.#awaitsTenantFlush || (this.#wire?.pending ?? false)) return false;
    if (tenant !== null && (tenant.sending || tenant.pinned)) return false;
    return this.mutedUntil === 0 || this.mutedUntil <= this.#clock.now();
  }

  onEnd(): void {
    if (this.#state === 'released') this.#wire?.destroy();
    else if (this.tenant?.onUpstreamEnd() !== true)
      this.#owner.broken(this, 'broker_closed', 'the broker closed the connection');
  }

  onFlushed(): void {
    if (this.#state === 'released') return;
    this.tenant?.upstreamFlushed();
    if (this.#settled) this.settle();
  }

  onClosed(how: WireEnd, detail: string): void {
    this.#farewell?.cancel();
    this.#wire = null;
    if (this.#state !== 'released') {
      const reason = how === 'closed' ? 'broker_closed' : 'broker_reset';
      this.#owner.broken(this, reason, detail === '' ? 'the broker closed the connection' : detail);
    }
    this.#owner.closed(this);
  }

  /** Half of an opaque stream ended: the other half goes on. */
  endSending(): void {
    this.#wire?.end();
  }

  /** The tenant's socket took everything that waited for it: reading goes on. */
  tenantFlushed(): void {
    if (!this.#awaitsTenantFlush) return;
    this.#awaitsTenantFlush = false;
    if (this.#state === 'released') return;
    if (!this.session.blocked) this.#wire?.resume();
    if (this.#settled) this.settle();
  }

  resumeReading(): void {
    if (this.#state !== 'released' && !this.#awaitsTenantFlush && !this.session.blocked) this.#wire?.resume();
  }

  // --- the session's facts ------------------------------------------------------------------------------------

  ready(): void {
    this.#becameReady = true;
  }

  deliver(tenant: Tenant, bytes: Buffer, start: number, end: number): void {
    if (tenant !== this.tenant) return; // its client is gone: what was owed to it is drained
    const whole = start === 0 && end === bytes.length;
    if (!tenant.receive(whole ? bytes : bytes.subarray(start, end))) this.#awaitsTenantFlush = true;
  }

  worked(): void {
    this.lastWorkTime = this.lastTrafficTime;
  }

  settled(_tenant: Tenant): void {
    this.#settled = true;
  }

  ponged(): void {
    this.errand = 'none';
    this.#settled = true;
  }

  refreshed(): void {
    this.errand = 'none';
    this.renewed = true;
    this.#settled = true;
  }

  muted(milliseconds: number): void {
    this.mutedUntil = Math.max(this.mutedUntil, this.lastTrafficTime + milliseconds);
  }

  named(topology: Topology): void {
    this.#owner.named(this, topology);
  }

  fail(reason: ReleaseReason, detail: string): void {
    this.#failure ??= { reason, detail };
  }
}
