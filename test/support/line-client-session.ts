import { type ClientSession, Demand, Verdict } from '../../src/contract/protocol.ts';
import type { CloseReason, PinReason } from '../../src/contract/reasons.ts';
import { formatFrame, parseFrame } from './line-frames.ts';
import type { LineRoute } from './line-protocol.ts';

interface Kind {
  readonly demand: Demand;
  readonly pin?: PinReason;
  readonly work: boolean;
  /** No answer comes. */
  readonly silent?: boolean;
}

/** `hi` and `meta` may be answered locally; `bad` closes the client; everything else is malformed. */
export const KINDS: Readonly<Record<string, Kind>> = {
  hi: { demand: Demand.pool, work: false },
  meta: { demand: Demand.pool, work: false },
  /** Housekeeping that is always forwarded. */
  house: { demand: Demand.pool, work: false },
  pool: { demand: Demand.pool, work: true },
  /** The broker may keep the answer back; `wait=MS` says for how long. */
  hold: { demand: Demand.hold, work: true },
  shot: { demand: Demand.pin, pin: 'acks_zero', work: true, silent: true },
  odd: { demand: Demand.pin, pin: 'unknown_api', work: true },
  share: { demand: Demand.pinHard, pin: 'share_session', work: true },
};

export class LineClientSession implements ClientSession {
  closeReason: CloseReason = 'protocol_error';
  closeDetail = '';
  readonly identity: string;
  /** Topics asked for on this connection, and the version of the answer that it got last. */
  readonly seen = new Map<string, number>();
  /** No work since the last housekeeping answer. */
  sleeping = true;
  toldVersion: string | undefined;
  readonly #route: LineRoute;
  readonly #node: string;
  #size = 0;
  #id = '';
  #word = '';
  #topic = '';
  #patience = 0;
  #pinned = false;
  #pin: PinReason | undefined;
  #closed = false;

  constructor(route: LineRoute, node: string, identity: string) {
    this.#route = route;
    this.identity = identity;
    this.#node = node;
  }

  #alive(): void {
    if (this.#closed) throw new Error('a closed client session was used');
  }

  get #kind(): Kind {
    return KINDS[this.#word] ?? { demand: Demand.pool, work: false };
  }

  inspect(bytes: Buffer, start: number, end: number, mayAnswer: boolean, owing: boolean): Verdict {
    this.#alive();
    this.#size = 0;
    const frame = parseFrame(bytes, start, end);
    if (frame === 'incomplete') return Verdict.incomplete;
    if (frame === 'malformed') return this.#close('protocol_error', 'no frame');
    if (frame.bodyBytes < 0) return this.#close('protocol_error', 'a negative length');
    this.#size = frame.headerBytes + frame.bodyBytes;
    if (this.#size > this.#route.context.maxFrameBytes) return this.#close('frame_too_large', 'too large');
    this.#word = frame.word;
    this.#id = frame.id;
    this.#topic = frame.keys.get('topic') ?? '';
    this.#patience = Number(frame.keys.get('wait') ?? 0);
    if (frame.word === 'bad') return this.#close('refused_api', 'bad is refused');
    if (KINDS[frame.word] === undefined) return this.#close('protocol_error', 'an unknown word');
    this.#pin = this.#kind.pin ?? this.#pin;
    if (frame.word !== 'hi' && !(frame.word === 'meta' && mayAnswer && this.#isFresh(owing))) return Verdict.forward;
    if (end - start < this.#size) return Verdict.incomplete;
    if (frame.word === 'meta') return Verdict.answer;
    return mayAnswer && this.#route.versionFor(this.#node) !== undefined ? Verdict.answer : Verdict.learn;
  }

  #isFresh(owing: boolean): boolean {
    const seen = this.seen.get(this.#topic);
    const cached = this.#route.cached(this.identity, this.#topic);
    return !owing && this.sleeping && seen !== undefined && cached !== undefined && cached.version > seen;
  }

  #close(reason: CloseReason, detail: string): Verdict {
    this.closeReason = reason;
    this.closeDetail = detail;
    return Verdict.close;
  }

  get size(): number {
    return this.#size;
  }
  get id(): string {
    return this.#id;
  }
  get word(): string {
    return this.#word;
  }
  get topic(): string {
    return this.#topic;
  }
  get patience(): number {
    return this.#patience;
  }
  get silent(): boolean {
    return this.#kind.silent === true;
  }
  get demand(): Demand {
    this.#alive();
    return this.#kind.demand;
  }
  get pin(): PinReason | undefined {
    return this.#pin;
  }
  get pinned(): boolean {
    this.#alive();
    return this.#pinned;
  }
  get work(): boolean {
    this.#alive();
    return this.#kind.work;
  }

  answer(): Buffer {
    this.#alive();
    this.#count(this.#route.absorbed);
    if (this.#word === 'hi') {
      this.toldVersion = this.#route.versionFor(this.#node) ?? '';
      return formatFrame('hello', this.#id, [['version', this.toldVersion]]);
    }
    const cached = this.#route.cached(this.identity, this.#topic);
    if (cached === undefined) throw new Error('nothing cached to answer with');
    this.seen.set(this.#topic, cached.version);
    return formatFrame('meta', this.#id, [['local', 'yes']], cached.body);
  }

  /** The inspected request goes to a broker. */
  admitted(): void {
    this.#count(this.#route.forwarded);
    if (this.#kind.work) this.sleeping = false;
    if (this.#word === 'odd' || this.#word === 'share') this.#pinned = true;
  }

  #count(counts: Map<string, number>): void {
    counts.set(this.#word, (counts.get(this.#word) ?? 0) + 1);
  }

  close(): void {
    this.#alive();
    this.#closed = true;
    this.#route.sessions.delete(this);
  }
}
