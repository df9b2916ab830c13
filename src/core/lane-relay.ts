/**
 * From the application to brokers, where one client's requests go over several connections: looks at one request after the
 * other, in order. The next is looked at once the one before was written, answered or discarded, so what must wait for a
 * connection keeps everything behind it waiting, and no order can be lost.
 */
import { type ClientSession, Verdict } from '../contract/protocol.ts';
import type { CloseReason } from '../contract/reasons.ts';
import { Inbox } from './inbox.ts';
import { invariant } from './invariant.ts';
import { joined } from './joined.ts';
import type { Lane } from './lane.ts';
import type { Wire } from './wire.ts';

/** What a client may send while it waits; more than that is left in the socket. */
const SENT_AHEAD_BYTES = 16 * 1024;
const NOTHING: Buffer = Buffer.alloc(0);

export interface LaneRelayClient {
  readonly session: ClientSession;
  readonly closed: boolean;
  readonly unread: boolean;
  readonly wholeFrameBytes: number;
  /** When its turn began, in the injected clock's milliseconds. */
  readonly now: number;
  /** Connections have not taken all that they were sent: the next read would fill a buffer that is still needed. */
  readonly unsent: boolean;
  /** The broker of the inspected request is reachable as far as we know. */
  mayAnswer(): boolean;
  /** The lane of the inspected request if it may be written there now; null: it waits, or the client was closed. */
  lane(): Lane | null;
  /** The broker is to be reached; false: the client waits. */
  learn(): boolean;
  receive(bytes: Buffer): void;
  /** The inspected request waits for nothing any more. */
  dealtWith(): void;
  giveUp(reason: CloseReason, detail: string, lastWords?: Buffer): void;
}

export class LaneRelay {
  readonly #client: LaneRelayClient;
  readonly #inbox: Inbox;
  /** Requests of the protocol's own, sent before the client's next one. */
  readonly #first: Buffer[] = [];
  /** Bytes of the current request that are still to come, and where they go: null: nowhere. */
  #bodyLeft = 0;
  #bodyLane: Lane | null = null;
  #running = false;
  /** It was told to go on while it ran. */
  #runsAgain = false;
  #over = false;
  #incomplete = false;
  #awaitsReader = false;
  /** What goes to `#runLane` next, in order, and behind it `#last[#lastFrom, #lastTo)`. */
  #run: Buffer[] = [];
  #runBytes = 0;
  #runLane: Lane | null = null;
  #last = NOTHING;
  #lastFrom = 0;
  #lastTo = 0;

  constructor(client: LaneRelayClient, wire: Wire) {
    this.#client = client;
    this.#inbox = new Inbox(wire);
  }

  /** In the middle of a request. */
  get sending(): boolean {
    return this.#bodyLeft > 0;
  }
  /** Something is there that was not dealt with. */
  get holding(): boolean {
    return this.#inbox.length > 0 || this.#first.length > 0;
  }
  /** What is held is the beginning of a request, and the rest has not come. */
  get incomplete(): boolean {
    return this.#incomplete && this.#first.length === 0;
  }
  get paused(): boolean {
    return this.#inbox.paused;
  }
  get awaitsReader(): boolean {
    return this.#awaitsReader;
  }

  feed(bytes: Buffer): void {
    if (this.#over) return;
    this.#relay(this.#inbox.join(bytes));
  }

  /** What was kept back may go on. */
  goOn(): void {
    if (this.#over || this.#client.closed) return;
    if (this.#running) this.#runsAgain = true;
    else if (this.holding) this.#relay(this.#inbox.take());
    else this.resume(); // the connection that had not taken everything may be gone
  }

  sendFirst(request: Buffer): void {
    this.#first.push(request);
    this.goOn();
  }

  /** Connections took what they were sent. */
  resume(): void {
    if (!this.#client.closed && !this.#client.unsent) this.#inbox.resume();
  }

  drop(): void {
    this.#over = true;
    this.#first.length = 0;
    this.#inbox.take();
    this.#end();
  }

  #end(): void {
    if (this.#bodyLane !== null) this.#bodyLane.sending = false;
    this.#bodyLane = null;
    this.#bodyLeft = 0;
  }

  #relay(bytes: Buffer): void {
    invariant(!this.#running, 'a client relays one chunk at a time');
    this.#running = true;
    this.#runsAgain = false;
    this.#awaitsReader = false;
    this.#incomplete = false;
    try {
      const at = this.#take(bytes);
      this.flush();
      this.#keep(bytes, at);
    } finally {
      this.#running = false;
    }
    if (this.#runsAgain) this.goOn();
    this.resume();
  }

  #keep(bytes: Buffer, at: number): void {
    if (this.#over || this.#client.closed || at === bytes.length) return;
    if (!this.#incomplete && bytes.length - at > SENT_AHEAD_BYTES) this.#inbox.hold(bytes, at);
    else this.#inbox.keep(bytes, at);
  }

  /** How many bytes were dealt with. */
  #take(bytes: Buffer): number {
    if (this.#bodyLeft > 0) this.#bodyLane?.upstream?.sentPart(this.#bodyLeft <= bytes.length);
    let at = this.#body(bytes, 0);
    for (;;) {
      while (this.#bodyLeft === 0 && this.#first.length > 0) {
        const [request] = this.#first;
        if (request === undefined || this.#request(request, 0, true) === null) return at;
        this.#first.shift();
      }
      if (this.#over || this.#client.closed || at === bytes.length) return at;
      const taken = this.#request(bytes, at, false);
      if (taken === null) return at;
      at = taken;
    }
  }

  /** More of the current request. */
  #body(bytes: Buffer, at: number): number {
    if (this.#bodyLeft === 0) return at;
    const part = Math.min(this.#bodyLeft, bytes.length - at);
    this.#bodyLeft -= part;
    if (this.#bodyLane !== null) this.#write(this.#bodyLane, bytes, at, at + part);
    if (this.#bodyLeft === 0) this.#end();
    return at + part;
  }

  /** Where the next request begins; null: this one waits, or is not complete. */
  #request(bytes: Buffer, at: number, isOurs: boolean): number | null {
    const client = this.#client;
    const { session } = client;
    let verdict = session.inspect(bytes, at, bytes.length, false, false);
    // Which broker it is about is known only now.
    if (verdict === Verdict.learn && client.mayAnswer())
      verdict = session.inspect(bytes, at, bytes.length, true, false);
    if (verdict === Verdict.learn) {
      if (!client.learn()) return null;
      verdict = session.inspect(bytes, at, bytes.length, true, false);
    }
    switch (verdict) {
      case Verdict.forward:
        return this.#forward(bytes, at);
      case Verdict.answer:
        if (client.unread) {
          this.#awaitsReader = true;
          return null;
        }
        this.flush();
        client.receive(session.answer());
        client.dealtWith();
        return at + session.size;
      case Verdict.discard:
        this.#bodyLeft = session.size;
        client.dealtWith();
        return this.#body(bytes, at);
      case Verdict.close:
      case Verdict.dismiss:
        this.#giveUp(
          session.closeReason,
          session.closeDetail,
          verdict === Verdict.dismiss ? session.answer() : undefined,
        );
        return null;
      case Verdict.learn:
        // That broker is there, and has not told what this client needs: there is nothing to wait for.
        this.#giveUp('versions_changed', 'the broker was asked, and said nothing that this client can be told');
        return null;
      default:
        this.#incomplete = verdict === Verdict.incomplete && !isOurs;
        return null;
    }
  }

  #giveUp(reason: CloseReason, detail: string, lastWords?: Buffer): void {
    this.flush();
    this.#over = true;
    this.#client.giveUp(reason, detail, lastWords);
  }

  #forward(bytes: Buffer, at: number): number | null {
    const client = this.#client;
    const { session } = client;
    if (session.size > bytes.length - at && session.size <= client.wholeFrameBytes) {
      this.#incomplete = true;
      return null;
    }
    const lane = client.lane();
    if (lane === null) return null;
    const upstream = lane.rouse();
    const { tenants } = upstream;
    invariant(tenants !== null, 'a lane is a tenant of a connection that may be shared');
    const streams = session.size > bytes.length - at;
    invariant(!streams || tenants.tenancy.exclusive, 'half a request never goes over a connection that others use');
    if (upstream.transport.holdsBack) {
      this.flush();
      upstream.transport.sendHeld();
    }
    const refusal = upstream.admitLane(session, lane, bytes, at, client.now);
    if (refusal !== undefined) {
      this.#giveUp(refusal, 'what it was told is no longer right for the broker');
      return null;
    }
    this.#bodyLeft = session.size;
    this.#bodyLane = lane;
    lane.sending = true;
    const { head, replaced } = tenants.tenancy;
    if (head === null) return this.#body(bytes, at);
    this.#write(lane, head, 0, head.length);
    this.#bodyLeft -= replaced;
    if (this.#bodyLeft === 0) this.#end();
    return this.#body(bytes, at + replaced);
  }

  #write(lane: Lane, bytes: Buffer, from: number, to: number): void {
    if (this.#runLane !== lane) this.flush();
    this.#runLane = lane;
    if (from === to) return;
    lane.sentBytes += to - from;
    this.#runBytes += to - from;
    if (this.#last === bytes && this.#lastTo === from) {
      this.#lastTo = to;
      return;
    }
    this.#finishRun();
    this.#last = bytes;
    this.#lastFrom = from;
    this.#lastTo = to;
  }

  #finishRun(): void {
    if (this.#lastTo > this.#lastFrom) this.#run.push(this.#last.subarray(this.#lastFrom, this.#lastTo));
    this.#last = NOTHING;
    this.#lastFrom = 0;
    this.#lastTo = 0;
  }

  /** Writes what was gathered: before anything else is written to the same connection. */
  flush(): void {
    const lane = this.#runLane;
    if (lane === null) return;
    this.#finishRun();
    const run = this.#run;
    const pieces = joined(run, this.#runBytes);
    this.#run = [];
    this.#runBytes = 0;
    this.#runLane = null;
    const { upstream } = lane;
    for (const piece of pieces) if (upstream?.send(piece) === false) this.#inbox.pause();
    if (lane.sending) return;
    upstream?.transport.sendHeld();
    if (upstream?.session.owed === 0) upstream.settle(); // no answer comes
  }
}
