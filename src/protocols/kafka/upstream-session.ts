/**
 * One connection to a broker: whose answer comes next, and what must be changed in it.
 *
 * The usual answer passes as it arrives, found by its length alone. Those that name brokers, or hide a throttle time behind
 * their body, are looked into as a whole: in place if they lie whole in what was read, else collected.
 */
import type { UpstreamSession, UpstreamSink, UpstreamTarget } from '../../contract/protocol.ts';
import type { CloseReason } from '../../contract/reasons.ts';
import {
  ANSWER_HEAD_BYTES,
  FIRST_FETCH_WITH_ENDPOINTS,
  mustBeWhole,
  readAnswer,
  TELLING_BYTES,
  throttleAhead,
} from './answers.ts';
import { APIS, ApiKey } from './api-table.ts';
import type { KafkaClientSession } from './client-session.ts';
import { applyEdits } from './edits.ts';
import { FetchWalker } from './fetch-walker.ts';
import type { Findings } from './findings.ts';
import { FrameCollector } from './frame-collector.ts';
import { Owner } from './in-flight.ts';
import { Ledger } from './ledger.ts';
import { OwnExchange } from './own-exchange.ts';
import type { KafkaRoute } from './route.ts';

const SMALLEST_ANSWER_BYTES = 4;

interface Blocked {
  readonly frame: Buffer;
  readonly findings: Findings;
}

export class KafkaUpstreamSession<T> implements UpstreamSession<T> {
  readonly #route: KafkaRoute;
  readonly #ledger: Ledger<T>;
  readonly #own: OwnExchange;
  readonly #walker = new FetchWalker();
  readonly #collector = new FrameCollector();
  /** The first bytes of an answer, until they tell what it is. */
  readonly #head = Buffer.allocUnsafe(TELLING_BYTES);
  #headLength = 0;
  /** Bytes of a passing answer that are still to come. */
  #left = 0;
  #walking = false;
  #blocked: Blocked | null = null;
  #backlog: Buffer[] = [];
  #hasFailed = false;

  constructor(route: KafkaRoute, target: UpstreamTarget) {
    this.#route = route;
    this.#ledger = new Ledger<T>(route);
    this.#own = new OwnExchange(route, target, this.#ledger.inFlight);
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
    return this.#left > 0 || this.#headLength > 0 || this.#collector.active;
  }
  get blocked(): boolean {
    return this.#blocked !== null;
  }
  get patienceMilliseconds(): number {
    return this.#ledger.inFlight.patienceMilliseconds;
  }

  greeting(): Buffer {
    return this.#own.greeting();
  }
  ping(): Buffer {
    return this.#own.ping();
  }
  refresh(): Buffer | undefined {
    return this.#own.refresh();
  }

  lend(tenant: T): void {
    this.#ledger.tenant = tenant;
  }

  admit(client: KafkaClientSession): CloseReason | undefined {
    if (client.told !== null && !this.#own.covers(client.told)) return 'versions_changed';
    client.admitted();
    this.#ledger.admit(client);
    return undefined;
  }

  read(bytes: Buffer, start: number, end: number, sink: UpstreamSink<T>): void {
    if (this.#blocked !== null) {
      this.#backlog.push(Buffer.from(bytes.subarray(start, end)));
      return;
    }
    let from = start; // what lies before `at` and was not delivered belongs to the tenant
    let at = start;
    while (at < end && !this.#hasFailed) {
      if (this.#left > 0) {
        at += this.#pass(bytes, at, Math.min(this.#left, end - at), sink);
      } else if (this.#collector.active) {
        at += this.#collector.take(bytes, at, end);
        from = at;
        if (this.#collector.complete) this.#conclude(this.#collector.finish(), sink);
      } else if (this.#headLength > 0 || !hasTellingBytes(bytes, at, end)) {
        this.#deliver(bytes, from, at, sink);
        at = this.#takeHead(bytes, at, end, sink);
        from = at;
      } else {
        const size = this.#begin(bytes, at, end, sink);
        if (this.#left > 0 || size === 0) continue;
        // Looked into as a whole.
        this.#deliver(bytes, from, at, sink);
        from = at;
        if (size > end - at) {
          this.#collector.begin(size);
          continue;
        }
        at += size;
        from = this.#inPlace(bytes, at - size, at, sink) ? at - size : at;
      }
      if (this.#blocked !== null) {
        if (at < end) this.#backlog.push(Buffer.from(bytes.subarray(at, end)));
        return;
      }
    }
    if (this.#hasFailed) return;
    this.#deliver(bytes, from, at, sink);
    this.#ledger.settle(sink);
  }

  #deliver(bytes: Buffer, from: number, to: number, sink: UpstreamSink<T>): void {
    const { tenant } = this.#ledger;
    if (to > from && tenant !== null) sink.deliver(tenant, bytes, from, to);
  }

  #pass(bytes: Buffer, at: number, length: number, sink: UpstreamSink<T>): number {
    if (this.#walking) {
      this.#walker.walk(bytes, at, at + length);
      if (this.#walker.broken) this.#fail(sink, 'protocol_error', 'a Fetch answer does not follow its grammar');
    }
    this.#left -= length;
    if (this.#left === 0) {
      this.#walking = false;
      this.#ledger.complete(sink);
    }
    return length;
  }

  /** Gathers the first bytes of an answer that arrived in pieces. Answers where it stopped reading. */
  #takeHead(bytes: Buffer, start: number, end: number, sink: UpstreamSink<T>): number {
    const part = Math.min(TELLING_BYTES - this.#headLength, end - start);
    // Not beyond the frame: what follows is another one.
    const known = this.#headLength + bytes.copy(this.#head, this.#headLength, start, start + part);
    if (known < 4) {
      this.#headLength = known;
      return end;
    }
    const size = 4 + Math.max(0, this.#head.readInt32BE(0));
    const available = Math.min(known, size);
    const taken = start + available - this.#headLength;
    this.#headLength = available;
    if (available < Math.min(TELLING_BYTES, size) && this.#head.readInt32BE(0) >= SMALLEST_ANSWER_BYTES) return taken;
    this.#headLength = 0;
    if (this.#begin(this.#head, 0, available, sink) === 0) return end;
    if (this.#left > 0) {
      this.#pass(this.#head, 0, available, sink);
      this.#deliver(this.#head, 0, available, sink);
    } else {
      this.#collector.begin(size);
      this.#collector.take(this.#head, 0, available);
      if (this.#collector.complete) this.#conclude(this.#collector.finish(), sink);
    }
    return taken;
  }

  /**
   * Decides what becomes of the answer at `at`, of which enough is there to tell. If it passes, `#left` is its size.
   *
   * @returns its size, its length included; 0 if the connection is of no use any more
   */
  #begin(bytes: Buffer, at: number, end: number, sink: UpstreamSink<T>): number {
    const { inFlight } = this.#ledger;
    const length = bytes.readInt32BE(at);
    if (inFlight.size === 0) return this.#fail(sink, 'unsolicited_bytes', 'the broker sent bytes and owed nothing');
    if (length < SMALLEST_ANSWER_BYTES || length > this.#route.maxFrameBytes) {
      return this.#fail(sink, 'protocol_error', `an answer cannot be ${length} bytes long`);
    }
    const correlationId = bytes.readInt32BE(at + 4);
    if (correlationId !== inFlight.correlationId) {
      const detail = `answer ${correlationId} where ${inFlight.correlationId} was owed`;
      return this.#fail(sink, 'wrong_correlation_id', detail);
    }
    const { apiKey, version } = inFlight;
    const size = 4 + length;
    if (inFlight.owner !== Owner.tenant || mustBeWhole(apiKey, version)) return size;
    this.#ledger.throttled(throttleAhead(APIS[apiKey], version, bytes, at, Math.min(end, at + size)));
    this.#left = size;
    if (
      apiKey === ApiKey.fetch &&
      version >= FIRST_FETCH_WITH_ENDPOINTS &&
      version <= (APIS[apiKey]?.maxVersion ?? 0)
    ) {
      this.#walking = true;
      this.#walker.begin(size);
    }
    return size;
  }

  /** True if the answer may be delivered as it lies there. */
  #inPlace(bytes: Buffer, start: number, end: number, sink: UpstreamSink<T>): boolean {
    const { inFlight } = this.#ledger;
    if (inFlight.owner !== Owner.tenant) {
      this.#concludeOwn(bytes, start, end, sink);
      return false;
    }
    const findings = this.#look(bytes, start, end, sink);
    if (findings === null) return false;
    if (findings.topology === null && inFlight.apiKey !== ApiKey.metadata) {
      this.#ledger.throttled(findings.throttleMilliseconds);
      this.#ledger.complete(sink);
      return true;
    }
    this.#concludeRewritten(bytes.subarray(start, end), findings, sink);
    return false;
  }

  /** A collected answer. */
  #conclude(frame: Buffer, sink: UpstreamSink<T>): void {
    if (this.#inPlace(frame, 0, frame.length, sink)) this.#deliver(frame, 0, frame.length, sink);
  }

  #look(bytes: Buffer, start: number, end: number, sink: UpstreamSink<T>): Findings | null {
    const { apiKey, version } = this.#ledger.inFlight;
    try {
      return readAnswer(apiKey, version, bytes, start, end);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#fail(sink, 'protocol_error', `${APIS[apiKey]?.name} answer in version ${version}: ${why}`);
      return null;
    }
  }

  /** Puts our addresses in; waits for listeners that are not bound yet. */
  #concludeRewritten(frame: Buffer, findings: Findings, sink: UpstreamSink<T>): void {
    const { topology } = findings;
    if (topology !== null) sink.named(topology);
    const unbound = topology?.nodes.some(({ node }) => this.#route.addresses.find(node) === undefined) === true;
    if (unbound) {
      this.#blocked = { frame: Buffer.from(frame), findings };
      return;
    }
    const edits = findings.edits(this.#route.addresses);
    const rewritten = edits.length === 0 ? frame : applyEdits(frame, 0, frame.length, edits);
    this.#ledger.throttled(findings.throttleMilliseconds);
    if (this.#ledger.inFlight.apiKey === ApiKey.metadata) {
      this.#ledger.heardMetadata(rewritten.subarray(ANSWER_HEAD_BYTES), findings.clean);
    }
    this.#deliver(rewritten, 0, rewritten.length, sink);
    this.#ledger.complete(sink);
  }

  #concludeOwn(bytes: Buffer, start: number, end: number, sink: UpstreamSink<T>): void {
    try {
      const failure = this.#own.conclude(bytes, start, end, sink);
      if (failure !== null) this.#fail(sink, failure.reason, failure.detail);
      else this.#ledger.fenced();
    } catch (error) {
      this.#fail(
        sink,
        'protocol_error',
        `an answer to our own request: ${error instanceof Error ? error.message : error}`,
      );
    }
  }

  resume(sink: UpstreamSink<T>): void {
    const blocked = this.#blocked;
    if (blocked === null) return;
    const { topology } = blocked.findings;
    if (topology?.nodes.some(({ node }) => this.#route.addresses.find(node) === undefined) === true) return;
    this.#blocked = null;
    this.#concludeRewritten(blocked.frame, blocked.findings, sink);
    const backlog = Buffer.concat(this.#backlog);
    this.#backlog = [];
    this.read(backlog, 0, backlog.length, sink);
  }

  #fail(sink: UpstreamSink<T>, reason: Parameters<UpstreamSink<T>['fail']>[0], detail: string): 0 {
    this.#hasFailed = true;
    sink.fail(reason, detail);
    return 0;
  }
}

/** Enough of the next answer lies there to tell what it is. */
function hasTellingBytes(bytes: Buffer, at: number, end: number): boolean {
  const available = end - at;
  if (available >= TELLING_BYTES) return true;
  if (available < ANSWER_HEAD_BYTES) return false;
  return available >= 4 + bytes.readInt32BE(at);
}
