/**
 * One connection to a broker: finds the frames in what it sends, deals with the connection's own affairs (CONNECTED, PING,
 * AUTH_CHALLENGE), and leaves all else to the link that its purpose asks for.
 *
 * A connection that several use hands out whole frames only. One that is a client's own passes them as they arrive: those
 * next to one another in one piece, and messages in as many pieces as they come in.
 */
import type { Credential } from '../../contract/credential.ts';
import type { Tenancy } from '../../contract/multiplexing.ts';
import type { ClientSession, UpstreamSession, UpstreamSink, UpstreamTarget } from '../../contract/protocol.ts';
import type { CloseReason } from '../../contract/reasons.ts';
import { Challenges } from './challenges.ts';
import { PulsarClientSession } from './client-session.ts';
import { Type } from './commands.ts';
import { FrameCollector } from './frame-collector.ts';
import { brokerFrameFault, frameSizeAt, isMessageAt, TELLING_BYTES } from './frame-head.ts';
import { Greeting } from './greeting.ts';
import { PING, PONG } from './heartbeat.ts';
import type { Failure, Link } from './link.ts';
import { linkFor } from './links.ts';
import { type Command, commandIn, FRAME_HEAD_BYTES, MalformedError } from './message.ts';
import type { PulsarRoute } from './route.ts';

const SIZE_BYTES = 4;
const NOTHING = Buffer.alloc(0);

export class PulsarUpstreamSession<T> implements UpstreamSession<T>, Tenancy<T> {
  readonly holding = false;
  readonly unfenced = false;
  readonly lifetimeMilliseconds = 0;
  readonly patienceMilliseconds = 0;
  readonly #route: PulsarRoute;
  readonly #greeting: Greeting;
  readonly #link: Link<T>;
  readonly #purpose: string;
  readonly #collector = new FrameCollector();
  readonly #challenges = new Challenges<T>();
  /** Bytes of a message that are still to come, and pass as they are. */
  #left = 0;
  /** Whom the connection was lent to last: all there is of tenants if it is a client's own. */
  #tenant: T | null = null;
  #pings = 0;
  readonly #backlog: Buffer[] = [];
  #failure: Failure | null = null;
  /** The size of the request admitted last if it is not written, for nobody waits for it any more; else 0. */
  #swallowedBytes = 0;

  constructor(route: PulsarRoute, target: UpstreamTarget, identity: string, purpose: string) {
    this.#route = route;
    this.#purpose = purpose;
    this.#greeting = new Greeting(route, target, identity, purpose);
    this.#link = linkFor<T>(route, this.#greeting, purpose);
  }

  get tenancy(): Tenancy<T> {
    return this;
  }
  get exclusive(): boolean {
    return this.#link.exclusive;
  }
  get pinned(): boolean {
    return this.#link.pinned;
  }
  get owed(): number {
    return this.#link.owed + this.#pings + (this.#greeting.underWay ? 1 : 0);
  }
  get inAnswer(): boolean {
    return this.#left > 0 || this.#collector.active;
  }
  get blocked(): boolean {
    return this.#link.blocked;
  }
  get head(): Buffer | null {
    return this.#swallowedBytes > 0 ? NOTHING : this.#link.head;
  }
  get replaced(): number {
    return this.#swallowedBytes > 0 ? this.#swallowedBytes : this.#link.replaced;
  }

  greeting(credential: Credential | null): Buffer | undefined {
    return this.#greeting.begin(credential);
  }

  ping(): Buffer {
    this.#pings += 1;
    return PING;
  }

  refresh(): undefined {
    return undefined;
  }

  // --- tenants --------------------------------------------------------------------------------------------------

  lend(tenant: T): void {
    this.#greeting.remind();
    this.#tenant = tenant;
    this.#link.lend(tenant);
  }

  owes(tenant: T): boolean {
    return this.#link.owes(tenant);
  }

  keeps(tenant: T): boolean {
    return this.#link.keeps(tenant);
  }

  prepare(client: ClientSession, tenant: T): Buffer | null | undefined {
    return this.#link.prepare(sessionOf(client), tenant);
  }

  admit(client: ClientSession, tenant?: T, bytes?: Buffer, start?: number): CloseReason | undefined {
    if (tenant === undefined || bytes === undefined || start === undefined)
      throw new Error('requests are admitted by the tenancy');
    const session = sessionOf(client);
    this.#swallowedBytes = 0;
    if (session.type !== Type.authResponse) return this.#link.admit(session, tenant, bytes, start);
    this.#link.passNext();
    if (session.renewals.answered(this.#link)) this.#challenges.answered();
    else this.#swallowedBytes = session.size;
    return undefined;
  }

  leave(tenant: T): Buffer | undefined {
    if (this.#tenant === tenant) this.#tenant = null;
    this.#challenges.left(tenant);
    return this.#link.leave(tenant);
  }

  park(): Buffer | undefined {
    return this.#link.park();
  }

  renewal(credential: Credential | null): Buffer | undefined {
    return this.#greeting.renewal(credential);
  }

  gone(): readonly T[] {
    return this.#link.gone();
  }

  // --- from the broker ------------------------------------------------------------------------------------------

  read(bytes: Buffer, start: number, end: number, sink: UpstreamSink<T>): void {
    if (this.blocked) {
      this.#backlog.push(Buffer.from(bytes.subarray(start, end)));
      return;
    }
    const unanswered = this.#challenges.takeUnanswered();
    if (unanswered !== null) this.#challenged(unanswered, sink);
    let from = start; // what lies before `at` and was not delivered belongs to the only tenant
    let at = start;
    while (at < end && this.#failure === null && !this.blocked) {
      const tells = !this.#collector.active && end - at >= TELLING_BYTES;
      if (this.#left > 0) {
        at += this.#pass(Math.min(this.#left, end - at), sink);
      } else if (tells && this.#isMessage(bytes, at)) {
        this.#left = this.#sizeAt(bytes, at);
      } else if (!tells || this.#sizeAt(bytes, at) > end - at) {
        this.#deliver(bytes, from, at, sink);
        at = this.#gather(bytes, at, end, sink);
        from = at;
      } else {
        const size = this.#sizeAt(bytes, at);
        if (this.#failure !== null) break;
        if (!this.#passes(bytes, at, size, sink)) {
          this.#deliver(bytes, from, at, sink);
          // Not before: what a frame leads to comes behind the frames before it.
          if (this.#take(bytes, at, size, sink)) this.#deliver(bytes, at, at + size, sink);
          from = at + size;
        }
        at += size;
      }
    }
    this.#deliver(bytes, from, at, sink);
    if (this.blocked && at < end) this.#backlog.push(Buffer.from(bytes.subarray(at, end)));
    if (this.#failure !== null) sink.fail(this.#failure.reason, this.#failure.detail, this.#failure.failure);
  }

  #deliver(bytes: Buffer, from: number, to: number, sink: UpstreamSink<T>): void {
    if (to > from && this.#tenant !== null) sink.deliver(this.#tenant, bytes, from, to);
  }

  #pass(length: number, sink: UpstreamSink<T>): number {
    this.#left -= length;
    if (this.#left === 0) sink.worked();
    return length;
  }

  /** The size of the frame at `at`, of which the first bytes are there; 0 if there is no such frame. */
  #sizeAt(bytes: Buffer, at: number): number {
    const size = frameSizeAt(bytes, at, Math.max(this.#route.maxFrameBytes, this.#greeting.mostFrameBytes));
    if (size === 0) {
      this.#failure ??= { reason: 'protocol_error', detail: brokerFrameFault(bytes, at) };
    }
    return size;
  }

  /** A message on a client's own connection is not looked into. */
  #isMessage(bytes: Buffer, at: number): boolean {
    return this.exclusive && !this.#greeting.underWay && isMessageAt(bytes, at);
  }

  #passes(bytes: Buffer, at: number, size: number, sink: UpstreamSink<T>): boolean {
    if (this.#greeting.underWay || bytes.readUInt32BE(at + SIZE_BYTES) > size - FRAME_HEAD_BYTES) return false;
    const passes = this.#link.passes(bytes, at);
    if (passes) sink.worked();
    return passes;
  }

  /** Of a frame that is not there as a whole; answers where it stopped. */
  #gather(bytes: Buffer, start: number, end: number, sink: UpstreamSink<T>): number {
    const collector = this.#collector;
    if (!collector.active) collector.begin(TELLING_BYTES);
    let at = start + collector.take(bytes, start, end);
    if (!collector.complete) return at;
    if (collector.length === TELLING_BYTES) {
      const size = this.#sizeAt(collector.peek(), 0);
      if (this.#failure !== null) return end;
      if (this.#isMessage(collector.peek(), 0)) {
        const head = collector.finish();
        this.#left = size;
        const length = this.#pass(head.length, sink);
        this.#deliver(head, 0, length, sink);
        return at;
      }
      collector.begin(size);
      at += collector.take(bytes, at, end);
      if (!collector.complete) return at;
    }
    const frame = collector.finish();
    if (this.#take(frame, 0, frame.length, sink)) this.#deliver(frame, 0, frame.length, sink);
    return at;
  }

  /** A whole frame. True if it goes to the only tenant as it is. */
  #take(bytes: Buffer, at: number, size: number, sink: UpstreamSink<T>): boolean {
    try {
      if (bytes.readUInt32BE(at + SIZE_BYTES) > size - FRAME_HEAD_BYTES)
        throw new MalformedError('a command is longer than its frame');
      if (!this.#greeting.underWay && this.#link.acknowledges(bytes, at, at + size, sink)) return false;
      const command = commandIn(bytes, at);
      if (this.#ownAffair(bytes, at, size, command, sink)) return false;
      const outcome = this.#link.take(bytes, at, at + size, command, sink);
      if (typeof outcome !== 'string') this.#failure ??= outcome;
      return outcome === 'pass';
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      this.#failure ??= { reason: 'protocol_error', detail: `a broker's frame: ${error.message}` };
      return false;
    }
  }

  /** What concerns the connection itself. */
  #ownAffair(bytes: Buffer, at: number, size: number, command: Command, sink: UpstreamSink<T>): boolean {
    switch (command.type) {
      case Type.ping:
        sink.reply(PONG);
        return true;
      case Type.pong:
        if (this.#pings > 0) sink.ponged();
        this.#pings = Math.max(0, this.#pings - 1);
        return true;
      default:
    }
    if (this.#greeting.underWay) {
      const failure = this.#greeting.take(bytes, command);
      if (failure === null) sink.ready();
      else this.#failure ??= failure;
      return true;
    }
    if (command.type === Type.connected) {
      this.#failure ??= { reason: 'protocol_error', detail: 'the broker sent CONNECTED twice' };
      return true;
    }
    if (command.type !== Type.authChallenge) return false;
    this.#challenged(Buffer.from(bytes.subarray(at, at + size)), sink);
    return true;
  }

  #challenged(frame: Buffer, sink: UpstreamSink<T>): void {
    if (this.#route.multiplexing.passed === null) {
      sink.authenticate();
      return;
    }
    const challenge = { node: this.#greeting.node, purpose: this.#purpose, link: this.#link };
    if (this.#challenges.pass(frame, this.#link.renewers(), challenge, sink)) return;
    const detail = 'the broker asks for a new credential, and no client can show one';
    this.#failure ??= { reason: 'condemned', detail };
  }

  resume(sink: UpstreamSink<T>): void {
    if (!this.blocked) return;
    this.#link.resume(sink);
    if (this.blocked) return;
    const backlog = Buffer.concat(this.#backlog.splice(0));
    this.read(backlog, 0, backlog.length, sink);
  }
}

function sessionOf(client: ClientSession): PulsarClientSession {
  if (!(client instanceof PulsarClientSession)) throw new Error('a client of another protocol');
  return client;
}
