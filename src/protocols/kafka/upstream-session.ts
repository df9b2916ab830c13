/**
 * One connection to a broker: whose answer comes next, and what must be changed in it.
 *
 * The usual answer passes as it arrives, found by its length alone. Those that name brokers, or hide a throttle time behind
 * their body, are looked into as a whole: in place if they lie whole in what was read, else collected.
 */
import type { Credential } from '../../contract/credential.ts';
import type { UpstreamSession, UpstreamSink, UpstreamTarget } from '../../contract/protocol.ts';
import type { CloseReason, ReleaseReason } from '../../contract/reasons.ts';
import { AnswerHead, hasTellingBytes } from './answer-head.ts';
import { ANSWER_HEAD_BYTES, mustBeFollowed, mustBeWhole, readAnswer, throttleAhead } from './answers.ts';
import { APIS, ApiKey } from './api-table.ts';
import type { KafkaClientSession } from './client-session.ts';
import { applyEdits } from './edits.ts';
import { FetchWalker } from './fetch-walker.ts';
import type { Findings } from './findings.ts';
import { FrameCollector } from './frame-collector.ts';
import { Owner } from './in-flight.ts';
import { Ledger } from './ledger.ts';
import { OwnExchange } from './own-exchange.ts';
import type { OwnFailure } from './own-failure.ts';
import type { KafkaRoute } from './route.ts';

const SMALLEST_ANSWER_BYTES = 4;

export class KafkaUpstreamSession<T> implements UpstreamSession<T> {
  readonly #route: KafkaRoute;
  readonly #ledger: Ledger<T>;
  readonly #own: OwnExchange;
  readonly #walker = new FetchWalker();
  readonly #collector = new FrameCollector();
  readonly #head = new AnswerHead();
  /** Bytes of a passing answer that are still to come. */
  #left = 0;
  #walking = false;
  /** SASL tokens are under way without requests and answers around them: all that comes behind the last answer is its tenant's. */
  #bare = false;
  #blocked: Buffer | null = null;
  #backlog: Buffer[] = [];
  /** Why the connection is of no use; told once what was complete before it has been delivered. */
  #failure: OwnFailure | null = null;
  /** Of the answer looked into last. */
  #findings: Findings | null = null;

  constructor(route: KafkaRoute, target: UpstreamTarget, identity: string) {
    this.#route = route;
    this.#ledger = new Ledger<T>(route.cacheOf(identity));
    this.#own = new OwnExchange(route, target, identity, this.#ledger.inFlight);
  }

  get owed(): number {
    return this.#ledger.inFlight.size;
  }
  get holding(): boolean {
    return this.#ledger.inFlight.holds > 0;
  }
  get unfenced(): boolean {
    return this.#ledger.unfenced;
  }
  get inAnswer(): boolean {
    return this.#left > 0 || this.#head.length > 0 || this.#collector.active;
  }
  get blocked(): boolean {
    return this.#blocked !== null;
  }
  get lifetimeMilliseconds(): number {
    return this.#own.lifetimeMilliseconds;
  }
  get closeHint(): string | undefined {
    return this.#own.closeHint;
  }
  get patienceMilliseconds(): number {
    return this.#ledger.inFlight.patienceMilliseconds;
  }

  greeting(credential: Credential | null): Buffer {
    return this.#own.greeting(credential);
  }
  ping(): Buffer | undefined {
    return this.#own.ping();
  }
  refresh(): Buffer | undefined {
    return this.#own.refresh();
  }

  lend(tenant: T): void {
    this.#ledger.tenant = tenant;
  }

  admit(client: KafkaClientSession): CloseReason | undefined {
    const refusal = this.#own.refusalOf(client);
    if (refusal !== undefined) return refusal;
    this.#bare = client.isBareToken;
    if (!this.#bare) this.#ledger.admit(client);
    client.admitted();
    return undefined;
  }

  read(bytes: Buffer, start: number, end: number, sink: UpstreamSink<T>): void {
    if (this.#blocked !== null) {
      this.#backlog.push(Buffer.from(bytes.subarray(start, end)));
      return;
    }
    this.#failure ??= this.#own.judgeFirst(bytes, start, end);
    let from = start; // what lies before `at` and was not delivered belongs to the tenant
    let at = start;
    while (at < end && this.#failure === null) {
      if (this.#left > 0) {
        at += this.#pass(bytes, at, Math.min(this.#left, end - at));
      } else if (this.#collector.active) {
        at += this.#collector.take(bytes, at, end);
        from = at;
        if (this.#collector.complete) this.#conclude(this.#collector.finish(), sink);
      } else if (this.#bare && this.#ledger.inFlight.size === 0) {
        at = end;
      } else if (this.#head.length > 0 || !hasTellingBytes(bytes, at, end)) {
        this.#deliver(bytes, from, at, sink);
        if (this.#ledger.inFlight.size === 0) this.#unsolicited();
        else at = this.#takeHead(bytes, at, end, sink);
        from = at;
      } else {
        const size = this.#begin(bytes, at, end);
        if (this.#left > 0 || size === 0) continue;
        // Looked into as a whole.
        if (size <= end - at && this.#passesUntouched(bytes, at, at + size)) {
          at += size;
          continue;
        }
        this.#deliver(bytes, from, at, sink);
        if (size > end - at) {
          this.#collector.begin(size);
        } else {
          this.#change(bytes, at, at + size, sink);
          at += size;
        }
        from = at;
      }
      if (this.#blocked !== null) {
        if (at < end) this.#backlog.push(Buffer.from(bytes.subarray(at, end)));
        break;
      }
    }
    if (this.#blocked === null) this.#deliver(bytes, from, at, sink);
    this.#ledger.tell(sink);
    if (this.#failure !== null) sink.fail(this.#failure.reason, this.#failure.detail, this.#failure.failure);
  }

  #deliver(bytes: Buffer, from: number, to: number, sink: UpstreamSink<T>): void {
    const { tenant } = this.#ledger;
    if (to > from && tenant !== null) sink.deliver(tenant, bytes, from, to);
  }

  /** Answers how many bytes may be delivered. */
  #pass(bytes: Buffer, at: number, length: number): number {
    if (this.#walking) {
      this.#walker.walk(bytes, at, at + length);
      if (this.#walker.broken) return this.#fail('protocol_error', 'a Fetch answer does not follow its grammar');
    }
    this.#left -= length;
    if (this.#left === 0) {
      this.#walking = false;
      this.#ledger.complete();
    }
    return length;
  }

  /** Gathers the first bytes of an answer that arrived in pieces; answers where it stopped reading. */
  #takeHead(bytes: Buffer, start: number, end: number, sink: UpstreamSink<T>): number {
    const head = this.#head;
    const at = start + head.take(bytes, start, end);
    if (!head.complete) return at;
    const { length } = head;
    head.length = 0;
    const size = this.#begin(head.bytes, 0, length);
    if (size === 0) return end;
    if (this.#left > 0) {
      const copy = Buffer.from(head.bytes.subarray(0, length)); // the next head is written where this one stands
      this.#deliver(copy, 0, this.#pass(copy, 0, length), sink);
    } else {
      this.#collector.begin(size);
      this.#collector.take(head.bytes, 0, length);
      if (this.#collector.complete) this.#conclude(this.#collector.finish(), sink);
    }
    return at;
  }

  /**
   * Decides what becomes of the answer at `at`, of which enough is there to tell. If it passes, `#left` is its size.
   *
   * @returns its size, its length included; 0 if the connection is of no use any more
   */
  #begin(bytes: Buffer, at: number, end: number): number {
    const { inFlight } = this.#ledger;
    const length = bytes.readInt32BE(at);
    if (inFlight.size === 0) return this.#unsolicited();
    if (length < SMALLEST_ANSWER_BYTES || length > this.#own.mostAnswerBytes) {
      return this.#fail('protocol_error', `an answer cannot be ${length} bytes long`);
    }
    const correlationId = bytes.readInt32BE(at + 4);
    if (correlationId !== inFlight.correlationId) {
      const detail = `answer ${correlationId} where ${inFlight.correlationId} was owed`;
      return this.#fail('wrong_correlation_id', detail);
    }
    const { apiKey, version } = inFlight;
    const size = 4 + length;
    if (inFlight.owner !== Owner.tenant || mustBeWhole(apiKey, version)) return size;
    this.#ledger.throttled(throttleAhead(APIS[apiKey], version, bytes, at, Math.min(end, at + size)));
    this.#left = size;
    if (mustBeFollowed(apiKey, version)) {
      this.#walking = true;
      this.#walker.begin(size);
    }
    return size;
  }

  /** A whole answer that may be delivered as it lies there. False: `#change` takes it. */
  #passesUntouched(bytes: Buffer, start: number, end: number): boolean {
    this.#findings = null;
    const { inFlight } = this.#ledger;
    if (inFlight.owner !== Owner.tenant) return false;
    this.#findings = this.#look(bytes, start, end);
    if (this.#findings === null || this.#findings.topology !== null || inFlight.apiKey === ApiKey.metadata)
      return false;
    this.#ledger.throttled(this.#findings.throttleMilliseconds);
    this.#ledger.complete();
    return true;
  }

  /** A whole answer that is ours, or must be rewritten. */
  #change(bytes: Buffer, start: number, end: number, sink: UpstreamSink<T>): void {
    const findings = this.#findings;
    this.#findings = null;
    if (this.#failure !== null) return;
    if (findings === null) this.#concludeOwn(bytes, start, end, sink);
    else this.#concludeRewritten(bytes, start, end, findings, sink);
  }

  /** A collected answer. */
  #conclude(frame: Buffer, sink: UpstreamSink<T>): void {
    if (this.#passesUntouched(frame, 0, frame.length)) this.#deliver(frame, 0, frame.length, sink);
    else this.#change(frame, 0, frame.length, sink);
  }

  #look(bytes: Buffer, start: number, end: number): Findings | null {
    const { apiKey, version } = this.#ledger.inFlight;
    try {
      const findings = readAnswer(apiKey, version, bytes, start, end);
      if (apiKey === ApiKey.produce && !findings.clean) this.#route.invalidate();
      return findings;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#fail('protocol_error', `${APIS[apiKey]?.name} answer in version ${version}: ${why}`);
      return null;
    }
  }

  /** Puts our addresses in; waits for listeners that are not bound yet. */
  #concludeRewritten(bytes: Buffer, start: number, end: number, findings: Findings, sink: UpstreamSink<T>): void {
    const { topology } = findings;
    const failure = topology === null ? null : this.#own.heard(topology, sink);
    if (failure !== null) {
      this.#failure ??= failure;
      return;
    }
    if (topology?.nodes.some(({ node }) => this.#route.addresses.find(node) === undefined) === true) {
      this.#blocked = Buffer.from(bytes.subarray(start, end));
      return;
    }
    const rewritten = applyEdits(bytes, start, end, findings.edits(this.#route.addresses));
    this.#ledger.throttled(findings.throttleMilliseconds);
    if (this.#ledger.inFlight.apiKey === ApiKey.metadata) {
      this.#ledger.heardMetadata(rewritten.subarray(ANSWER_HEAD_BYTES), findings.clean);
    }
    this.#deliver(rewritten, 0, rewritten.length, sink);
    this.#ledger.complete();
  }

  #concludeOwn(bytes: Buffer, start: number, end: number, sink: UpstreamSink<T>): void {
    try {
      const failure = this.#own.conclude(bytes, start, end, sink);
      this.#ledger.throttled(this.#own.throttleMilliseconds);
      if (failure !== null) this.#failure ??= failure;
      else this.#ledger.fenced();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#fail('protocol_error', `an answer to our own request: ${why}`);
    }
  }

  resume(sink: UpstreamSink<T>): void {
    const blocked = this.#blocked;
    if (blocked === null) return;
    this.#blocked = null;
    this.#conclude(blocked, sink);
    if (this.#blocked !== null) return;
    const backlog = Buffer.concat(this.#backlog);
    this.#backlog = [];
    this.read(backlog, 0, backlog.length, sink);
  }

  #unsolicited(): 0 {
    return this.#fail('unsolicited_bytes', 'the broker sent bytes and owed nothing');
  }

  #fail(reason: ReleaseReason, detail: string): 0 {
    this.#failure ??= { reason, detail };
    return 0;
  }
}
