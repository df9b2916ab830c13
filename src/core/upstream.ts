/**
 * One connection to a broker: its bytes, its tenant, its times. What state it may move to stands in upstream-state.ts;
 * which tenant comes next is its owner's business.
 */
import type { Credential } from '../contract/credential.ts';
import type { ClientSession, UpstreamSession, UpstreamTarget } from '../contract/protocol.ts';
import type { CloseReason } from '../contract/reasons.ts';
import { AnswerRelay } from './answer-relay.ts';
import type { Clock } from './clock.ts';
import { invariant } from './invariant.ts';
import type { Lane } from './lane.ts';
import { Lifetime } from './lifetime.ts';
import { isFree } from './safe-state.ts';
import type { Tenant } from './tenant.ts';
import type { Tenants } from './tenants.ts';
import { Transport } from './transport.ts';
import type { UpstreamOwner } from './upstream-owner.ts';
import { UpstreamRecord } from './upstream-record.ts';
import { moved } from './upstream-state.ts';
import type { UpstreamState } from './views.ts';
import type { Wire, WireEnd, WireHandler } from './wire.ts';

export class Upstream extends UpstreamRecord implements WireHandler {
  readonly id: string;
  readonly target: UpstreamTarget;
  /** What its clients need it for; '' where all serve all. */
  readonly purpose: string;
  readonly session: UpstreamSession<Tenant>;
  readonly lifetime: Lifetime;
  readonly #clock: Clock;
  readonly #owner: UpstreamOwner;
  #state: UpstreamState = 'dialing';
  /** Its socket. */
  readonly transport: Transport;
  readonly #answers: AnswerRelay;

  constructor(
    id: string,
    target: UpstreamTarget,
    session: UpstreamSession<Tenant>,
    clock: Clock,
    owner: UpstreamOwner,
    maxAgeMilliseconds: number,
    purpose = '',
  ) {
    super(clock.now());
    this.id = id;
    this.target = target;
    this.purpose = purpose;
    this.session = session;
    this.#clock = clock;
    this.transport = new Transport(clock);
    this.#owner = owner;
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
    return this.transport.pending;
  }

  dialledOver(wire: Wire): void {
    this.transport.wire = wire;
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
    this.rouse();
    this.#answers.tenant = tenant;
    if (tenant === null) return;
    this.session.lend(tenant);
    this.leaseStart = this.#clock.now();
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
    if (this.#state !== 'released') this.#answers.readOrPause(this.transport.wire);
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
    // What its tenant's socket has not taken yet lies in the buffer that the next read would fill.
    this.transport.letGo(abruptly || !greeted || this.waitsForTenant);
  }

  /** Registers the request that the client's session inspected last. A reason means that the client must go. */
  admit(client: ClientSession, tenant: Tenant): CloseReason | undefined {
    const owedBefore = this.session.owed;
    return this.session.admit(client, tenant) ?? this.#admitted(client.work, owedBefore);
  }

  /** The same for one of several tenants; the request begins at `bytes[start]`. */
  admitLane(client: ClientSession, lane: Lane, bytes: Buffer, start: number, now: number): CloseReason | undefined {
    const owedBefore = this.session.owed;
    return this.tenants?.tenancy.admit(client, lane, bytes, start) ?? this.#admitted(client.work, owedBefore, now);
  }

  #admitted(isWork: boolean, owedBefore: number, now = this.#clock.now()): undefined {
    this.noteRequest(now, owedBefore, isWork);
    this.#answers.progressed = false;
  }

  /** More of a request that came in pieces was written. */
  sentPart(whole: boolean): void {
    this.notePart(this.#clock.now(), whole, this.session.owed);
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
    return this.transport.send(bytes);
  }

  /**
   * Something of ours, for a tenant: answers to it are owed as to a tenant's own requests.
   *
   * @param owedBefore answers that were owed before it was made
   */
  sendOwn(bytes: Buffer, owedBefore: number): void {
    this.#admitted(false, owedBefore);
    this.send(bytes);
  }

  /** What is open there is closed, and the connection goes once that was answered. */
  park(bytes: Buffer): void {
    this.noteErrand('park', this.#clock.now());
    this.sendOwn(bytes, 0);
  }

  /** Our own request goes out; the connection is not free before it was answered. False: the protocol has none. */
  run(errand: 'check' | 'fence' | 'refresh'): boolean {
    const request = errand === 'refresh' ? this.session.refresh() : this.session.ping();
    if (request === undefined) return false;
    this.noteErrand(errand, this.#clock.now());
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
    answers.noteIn(this);
    if (answers.failure === null)
      for (const each of answers.replies.splice(0)) this.transport.reply(each, this.tenants);
    if (answers.failure !== null) {
      this.#owner.broken(this, answers.failure.reason, answers.failure.detail, answers.failure.failure);
    } else if (answers.becameReady) {
      answers.becameReady = false;
      this.#owner.opened(this);
    } else {
      this.#answers.readOrPause(this.transport.wire);
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
    if (this.#state === 'released') this.transport.wire?.destroy();
    else if (this.tenant?.onUpstreamEnd() !== true)
      this.#owner.broken(this, 'broker_closed', 'the broker closed the connection');
  }

  onFlushed(): void {
    this.transport.flushed();
    if (this.#state === 'released') return;
    this.tenant?.upstreamFlushed();
    this.tenants?.upstreamFlushed();
    if (this.errand === 'none' && this.condemned === null) this.tenants?.wake();
    if (this.#answers.progressed) this.settle();
  }

  onClosed(how: WireEnd, detail: string): void {
    this.transport.gone();
    if (this.#state !== 'released') {
      const reason = how === 'closed' ? 'broker_closed' : 'broker_reset';
      this.#owner.broken(this, reason, detail || 'the broker closed the connection');
    }
    this.#owner.closed(this);
  }

  /** The tenant's socket took everything that waited for it: reading goes on. */
  tenantFlushed(): void {
    if (!this.#answers.awaitsTenant) return;
    this.#answers.awaitsTenant = false;
    if (this.#state === 'released') return;
    this.#answers.readOrPause(this.transport.wire);
    if (this.#answers.progressed) this.#continue();
  }
}
