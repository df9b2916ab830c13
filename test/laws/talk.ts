/** What the core does between one client and its connection. */
import { type ClientSession, type Demand, Verdict } from '../../src/contract/protocol.ts';
import type { CloseReason, PinReason } from '../../src/contract/reasons.ts';
import type { Lab, Link } from './lab.ts';

export interface Sent {
  bytes: number;
  readonly demand: Demand;
  readonly pin: PinReason | undefined;
  readonly work: boolean;
}

/** One client, its link, and what the core does between them. */
export class Talk {
  /** What went to the server, request by request. */
  readonly requests: Sent[] = [];
  closeReason: CloseReason | null = null;
  closeDetail = '';
  /** The purpose of a request that goes over another connection than the exchanges; what follows is not looked at. */
  elsewhere: string | undefined;
  readonly client: ClientSession;
  readonly link: Link;
  readonly #framed: boolean;
  readonly #purpose: string | undefined;
  readonly #wholeFrameBytes: number;
  readonly #sent: Buffer[] = [];
  /** Local answers, each with what had been delivered before it. */
  readonly #local: { readonly at: number; readonly bytes: Buffer }[] = [];
  #held: Buffer = Buffer.alloc(0);
  #bodyLeft = 0;
  /** A part of the request was written. */
  #isBegun = false;

  constructor(lab: Lab, link: Link, wholeFrameBytes: number, client: ClientSession = lab.client()) {
    this.client = client;
    this.link = link;
    this.#framed = lab.specimen.framed;
    this.#purpose = lab.specimen.multiplexing?.purpose;
    this.#wholeFrameBytes = wholeFrameBytes;
  }

  feed(piece: Buffer): void {
    const bytes = this.#held.length > 0 ? Buffer.concat([this.#held, piece]) : piece;
    let at = 0;
    while (at < bytes.length && this.closeReason === null && this.elsewhere === undefined) {
      if (this.#bodyLeft === 0 && !this.#take(bytes, at)) break;
      const part = Math.min(this.#bodyLeft, bytes.length - at);
      if (part > 0) this.#send(this.#isBegun ? bytes.subarray(at, at + part) : this.#begin(bytes, at));
      this.#bodyLeft -= part;
      at += part > 0 ? part : this.client.size;
    }
    this.#held = Buffer.from(bytes.subarray(at));
  }

  #begin(bytes: Buffer, at: number): Buffer {
    this.#isBegun = true;
    return this.link.written(this.client, bytes, at);
  }

  /** True: the request was dealt with, or its bytes go out now. */
  #take(bytes: Buffer, at: number): boolean {
    const { client, link } = this;
    // Of clients that use several connections, local answers wait for nothing.
    const owing = link.session.owed > 0 && link.session.tenancy === undefined;
    switch (client.inspect(bytes, at, bytes.length, true, owing)) {
      case Verdict.forward:
        return this.#admit(bytes, at);
      case Verdict.answer: {
        if (owing) return false; // it waits for what is owed before it
        if (client.size > bytes.length - at) throw new Error('answered here before it was complete');
        this.#local.push({ at: link.observer.delivered.length, bytes: client.answer() });
        return true;
      }
      case Verdict.dismiss:
        if (!owing) this.#local.push({ at: link.observer.delivered.length, bytes: client.answer() });
        this.closeReason = client.closeReason;
        this.closeDetail = client.closeDetail;
        return false;
      case Verdict.close:
        this.closeReason = client.closeReason;
        this.closeDetail = client.closeDetail;
        return false;
      case Verdict.discard:
        return client.size <= bytes.length - at;
      case Verdict.learn:
        throw new Error('a server was greeted, so there is nothing to learn');
      default:
        return false;
    }
  }

  #admit(bytes: Buffer, at: number): boolean {
    const { client, link } = this;
    const { size, demand, pin, work } = client;
    const isShared = link.session.tenancy?.exclusive === false;
    if (size > bytes.length - at && (size <= this.#wholeFrameBytes || isShared)) return false;
    const { purpose } = client.routing ?? {};
    if (purpose !== this.#purpose) {
      this.elsewhere = purpose;
      return false;
    }
    const refusal = link.admit(client, bytes, at);
    if (refusal !== undefined) {
      this.closeReason = refusal;
      return false;
    }
    const last = this.requests.at(-1);
    if (!this.#framed && last !== undefined) last.bytes += size;
    else this.requests.push({ bytes: size, demand, pin, work });
    this.#bodyLeft = size;
    this.#isBegun = false;
    return true;
  }

  #send(bytes: Buffer): void {
    this.#sent.push(Buffer.from(bytes));
    this.link.send(bytes);
  }

  get sent(): Buffer {
    return Buffer.concat(this.#sent);
  }

  /** Everything that the client hears, in order. */
  get heard(): Buffer {
    const { delivered } = this.link.observer;
    let from = 0;
    const parts = this.#local.flatMap(({ at, bytes }) => {
      const before = delivered.subarray(from, at);
      from = at;
      return [before, bytes];
    });
    return Buffer.concat([...parts, delivered.subarray(from)]);
  }

  /** All of it, to be compared. */
  get summary(): string {
    const { requests, closeReason, elsewhere } = this;
    return JSON.stringify({
      requests,
      closeReason,
      elsewhere,
      sent: this.sent.toString('hex'),
      heard: this.heard.toString('hex'),
    });
  }
}
