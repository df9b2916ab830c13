/**
 * One connection to a broker: its bytes, its tenant, its times. What state it may move to stands in upstream-state.ts;
 * which tenant comes next is its owner's business.
 */
import type { Credential } from '../contract/credential.ts';
import type { ClientSession, UpstreamSession, UpstreamTarget } from '../contract/protocol.ts';
import type { CloseReason, ReleaseReason } from '../contract/reasons.ts';
import { AnswerRelay } from './answer-relay.ts';
import type { Clock, Timer } from './clock.ts';
import { BROKER_FAREWELL_MILLISECONDS, sayFarewell } from './farewell.ts';
import { invariant } from './invariant.ts';
import type { Lane } from './lane.ts';
import { Lifetime } from './lifetime.ts';
import { isFree } from './safe-state.ts';
import type { Tenant } from './tenant.ts';
import type { Tenants } from './tenants.ts';
import type { Errand, UpstreamOwner } from './upstream-owner.ts';
import { moved } from './upstream-state.ts';
import type { UpstreamState } from './views.ts';
import type { Wire, WireEnd, WireHandler } from './wire.ts';

export class Upstream implements WireHandler {
  readonly id: string;
  readonly target: UpstreamTarget;
  /** What its clients need it for; '' where all serve all. */
  readonly purpose: string;
  readonly session: UpstreamSession<Tenant>;
  readonly createTime: number;
  /** Milliseconds of the injected clock; null until valid data passed. */
  lastWorkTime: number | null = null;
  idleMarkTime = 0;
  lastTrafficTime: number;
  /** When the request of the oldest answer owed was written, or the answer before it was complete. */
  owedSince = 0;
  /** When a request was written last. */
  sentTime = 0;
  /** When it was lent last; 0 if it never was. */
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
  readonly lifetime: Lifetime;
  readonly #clock: Clock;
  readonly #owner: UpstreamOwner;
  #state: UpstreamState = 'dialing';
  #wire: Wire | null = null;
  #farewell: Timer | null = null;
  readonly #answers: AnswerRelay;
  #unsentSince: number | null = null;
  /** The request admitted last is valid data. */
  #sendsWork = false;

  constructor(
    id: string,
    target: UpstreamTarget,
    session: UpstreamSession<Tenant>,
    clock: Clock,
    owner: UpstreamOwner,
    maxAgeMilliseconds: number,
    purpose = '',
  ) {
    this.id = id;
    this.target = target;
    this.purpose = purpose;
    this.session = session;
    this.#clock = clock;
    this.#owner = owner;
    this.createTime = clock.now();
    this.lastTrafficTime = this.createTime;
    this.lifetime = new Lifetime(this.createTime, maxAgeMilliseconds);
    this.#answers = new AnswerRelay(session, (topology) => owner.named(topology));
  }

  get state(): UpstreamState {
    return this.#state;
  }

  #move(to: UpstreamState): void {
    this.#state = moved(this.#state, to);
  }

  /** Its tenant does not take the answer as fast as it comes: silence is not the broker's. */
  get waitsForTenant(): boolean {
    return this.#answers.awaitsTenant;
  }
  get tenant(): Tenant | null {
    return this.#answers.tenant;
  }
  /** Null: it serves one tenant at a time. */
  get tenants(): Tenants | null {
    return this.#answers.tenants;
  }
  /** The broker has not taken all that was written. */
  get pending(): boolean {
    return this.#wire?.pending ?? false;
  }
  get hasSocket(): boolean {
    return this.#wire !== null;
  }

  dialledOver(wire: Wire): void {
    this.#wire = wire;
  }

  /** The transport is open: says hello, or is ready at once if the protocol has nothing to say. */
  connected(credential: Credential | null): void {
    if (this.#state !== 'dialing') return;
    const greeting = this.session.greeting(credential);
    if (greeting === undefined) this.#owner.opened(this);
    else this.send(greeting);
  }

  /** For a tenant, or for an errand of our own (`null`). */
  use(tenant: Tenant | null): void {
    invariant(this.tenant === null, 'an upstream has one tenant at a time');
    invariant(this.session.owed === 0 || this.#state === 'dialing', 'an upstream that owes answers is not lent');
    if (this.#state !== 'using') this.#move('using');
    this.#answers.tenant = tenant;
    if (tenant !== null) {
      this.session.lend(tenant);
      this.leaseStart = this.#clock.now();
    }
    this.yielding = false;
    this.idleReported = false;
  }

  /** Quiet until now, with tenants that stay: one of them has something to say, or we have for them. */
  rouse(): void {
    if (this.#state !== 'using') this.#move('using');
    this.yielding = false;
    this.idleReported = false;
  }

  /** Takes the tenant off; the connection stays `using` until it is lent again or marked idle. */
  leave(): Tenant | null {
    const tenant = this.#answers.tenant;
    this.#answers.tenant = null;
    this.#answers.awaitsTenant = false;
    this.yielding = false;
    if (this.#state !== 'released') this.#answers.readOrPause(this.#wire);
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

  /** Lets go of the broker: politely with a FIN behind what was written, or at once. */
  release(abruptly: boolean): void {
    const greeted = this.#state !== 'dialing';
    this.#move('released');
    const wire = this.#wire;
    if (wire === null) return;
    // What its tenant's socket has not taken yet lies in the buffer that the next read would fill.
    if (abruptly || !greeted || this.waitsForTenant) {
      wire.destroy();
      return;
    }
    wire.resume();
    this.#farewell = sayFarewell(wire, this.#clock, BROKER_FAREWELL_MILLISECONDS);
  }

  /** Registers the request that the client's session inspected last. A reason means that the client must go. */
  admit(client: ClientSession, tenant: Tenant): CloseReason | undefined {
    const owedBefore = this.session.owed;
    return this.session.admit(client, tenant) ?? this.#admitted(client, owedBefore);
  }

  /** The same for one of several tenants; the request begins at `bytes[start]`. */
  admitLane(client: ClientSession, lane: Lane, bytes: Buffer, start: number): CloseReason | undefined {
    const owedBefore = this.session.owed;
    return this.tenants?.tenancy.admit(client, lane, bytes, start) ?? this.#admitted(client, owedBefore);
  }

  #admitted(client: ClientSession, owedBefore: number): undefined {
    const now = this.#clock.now();
    this.sentTime = now;
    if (owedBefore === 0) this.owedSince = now;
    this.#sendsWork = client.work;
    if (client.work) this.lastWorkTime = now;
    this.#answers.progressed = false;
  }

  /** More of a request that came in pieces was written. */
  sentPart(whole: boolean): void {
    this.sentTime = this.#clock.now();
    if (whole && this.session.owed === 1) this.owedSince = this.sentTime;
    if (whole && this.#sendsWork) this.lastWorkTime = this.sentTime;
  }

  /** Its tenant may send one more request: nobody else is to have it, the broker takes one, and it is not to go. */
  mayTake(): boolean {
    const pinned = this.tenant?.pinned === true || this.tenants?.tenancy.pinned === true;
    const mustGo = this.condemned !== null && !pinned;
    this.yielding ||= mustGo || (this.lifetime.limited && this.lifetime.sessionOver(this.#clock.now()));
    return !this.yielding;
  }

  /** False: the broker does not keep up; the tenant is told by `flushed`. */
  send(bytes: Buffer): boolean {
    const taken = this.#wire?.write(bytes) ?? true;
    if (!taken) this.#unsentSince ??= this.#clock.now();
    return taken;
  }

  /**
   * Something of ours, for a tenant: answers to it are owed as to a tenant's own requests.
   *
   * @param owedBefore answers that were owed before it was made
   */
  sendOwn(bytes: Buffer, owedBefore: number): void {
    const now = this.#clock.now();
    this.sentTime = now;
    if (owedBefore === 0) this.owedSince = now;
    this.#answers.progressed = false;
    this.send(bytes);
  }

  /** What is open there is closed, and the connection goes once that was answered. */
  park(bytes: Buffer): void {
    this.errand = 'park';
    this.errandStart = this.#clock.now();
    this.sendOwn(bytes, 0);
  }

  /** Our own request goes out; the connection is not free before it was answered. False: the protocol has none. */
  run(errand: 'check' | 'fence' | 'refresh'): boolean {
    const request = errand === 'refresh' ? this.session.refresh() : this.session.ping();
    if (request === undefined) return false;
    this.errand = errand;
    this.errandStart = this.#clock.now();
    this.send(request);
    return true;
  }

  onBytes(bytes: Buffer, length: number): void {
    if (this.#state === 'released') return;
    this.lastTrafficTime = this.#clock.now();
    this.#read(bytes, length, this.lastTrafficTime);
  }

  /** The listeners that an answer waited for are there. */
  unblock(): void {
    if (this.#state !== 'released' && this.session.blocked) this.#read(null, 0, this.#clock.now());
  }

  /** @param bytes null: what an answer waited for is there */
  #read(bytes: Buffer | null, length: number, now: number): void {
    const { owed } = this.session;
    try {
      this.#answers.read(bytes, length);
      if (this.session.owed !== owed) this.owedSince = now;
      this.#concludeRead();
    } catch (error) {
      // Contained: the connection whose state nobody knows any more goes, and nobody else's.
      this.#owner.violated(String(error));
      this.#owner.broken(this, 'protocol_error', 'a fault of the sidecar');
    }
    if (this.#answers.errands.length > 0) for (const act of this.#answers.errands.splice(0)) act();
  }

  #concludeRead(): void {
    const answers = this.#answers;
    if (answers.hasWorked) this.lastWorkTime = this.lastTrafficTime;
    if (answers.muteMilliseconds > 0) this.mutedUntil = this.lastTrafficTime + answers.muteMilliseconds;
    if (answers.errandDone || (this.errand === 'park' && this.session.owed === 0)) this.errand = 'none';
    answers.forget();
    answers.tenants?.told(this.session.inAnswer);
    if (answers.failure === null) for (const reply of answers.replies.splice(0)) this.send(reply);
    if (answers.failure !== null) {
      this.#owner.broken(this, answers.failure.reason, answers.failure.detail, answers.failure.failure);
    } else if (answers.becameReady) {
      answers.becameReady = false;
      this.#owner.opened(this);
    } else {
      this.#answers.readOrPause(this.#wire);
      if (answers.mustAuthenticate) this.#owner.authenticate(this);
      answers.mustAuthenticate = false;
      if (answers.progressed || answers.tenants !== null) this.#continue();
    }
  }

  #continue(): void {
    const { tenant } = this;
    this.settle();
    // Its tenant stays, muted or pinned, and may go on with what had to wait for the answers.
    if (tenant !== null && tenant === this.tenant && this.session.owed === 0) tenant.answered();
  }

  /** What idle clients will ask for next was renewed since this was last asked. */
  takeRenewed(): boolean {
    return this.#answers.takeRenewed();
  }

  /** Becomes quiet if nothing keeps it any more; harmless to ask. */
  settle(): void {
    this.#answers.progressed = true;
    if (this.#state !== 'using') return;
    if (!this.isFree()) {
      if (this.errand === 'none' && this.condemned === null) this.tenants?.wake();
      return;
    }
    this.#answers.progressed = false;
    this.#owner.quiet(this);
    if (this.errand === 'none') this.tenants?.wake();
  }

  /** It may be lent or released. */
  isFree(): boolean {
    return isFree(this, this.#clock.now());
  }

  onEnd(): void {
    if (this.#state === 'released') this.#wire?.destroy();
    else if (this.tenant?.onUpstreamEnd() !== true)
      this.#owner.broken(this, 'broker_closed', 'the broker closed the connection');
  }

  onFlushed(): void {
    this.#unsentSince = null;
    if (this.#state === 'released') return;
    this.tenant?.upstreamFlushed();
    this.tenants?.upstreamFlushed();
    if (this.errand === 'none' && this.condemned === null) this.tenants?.wake();
    if (this.#answers.progressed) this.settle();
  }

  onClosed(how: WireEnd, detail: string): void {
    this.#farewell?.cancel();
    this.#wire = null;
    if (this.#state !== 'released') {
      const reason = how === 'closed' ? 'broker_closed' : 'broker_reset';
      this.#owner.broken(this, reason, detail || 'the broker closed the connection');
    }
    this.#owner.closed(this);
  }

  /** For how long the broker has not taken what was written; 0 if it has. */
  stalledMilliseconds(now: number): number {
    return this.#unsentSince === null ? 0 : now - this.#unsentSince;
  }

  /** Half of an opaque stream ended: the other half goes on. */
  endSending(): void {
    this.#wire?.end();
  }

  /** The tenant's socket took everything that waited for it: reading goes on. */
  tenantFlushed(): void {
    if (!this.#answers.awaitsTenant) return;
    this.#answers.awaitsTenant = false;
    if (this.#state === 'released') return;
    this.#answers.readOrPause(this.#wire);
    if (this.#answers.progressed) this.#continue();
  }
}
