/** A route of a protocol, without the core: its sessions, driven as the contract says that the core drives them. */
import {
  type ClientSession,
  type Demand,
  type ProtocolRoute,
  type UpstreamSession,
  Verdict,
} from '../../src/contract/protocol.ts';
import type { CloseReason, PinReason } from '../../src/contract/reasons.ts';
import type { LocalAddress } from '../../src/contract/topology.ts';
import { protocolNamed } from '../../src/protocols/registry.ts';
import { Observer } from './observer.ts';
import type { ProtocolSpecimen } from './specimen.ts';

export const MAX_FRAME_BYTES = 100 * 1024 * 1024;
/** The limit from which requests stream; one that all exchanges stay below, and one that none does. */
export const WHOLE = 64 * 1024;
export const STREAMING = 0;
/** Where brokers are served: this port and their node id. */
export const FIRST_PORT = 30_000;
export const LOCAL_HOST = 'localhost';
export const TENANT = 'tenant';

/** The pieces of `bytes` that end at `cuts`, each in a buffer of its own that is spoilt after its use. */
export function inPieces(bytes: Buffer, cuts: readonly number[], use: (piece: Buffer) => void): void {
  const ends = [...new Set(cuts.filter((cut) => cut > 0 && cut < bytes.length))].sort((one, other) => one - other);
  let from = 0;
  for (const to of [...ends, bytes.length]) {
    const piece = Buffer.from(bytes.subarray(from, to));
    use(piece);
    piece.fill(0xee);
    from = to;
  }
}

/** A connection to a server, and the server. */
export class Link {
  readonly session: UpstreamSession<string>;
  readonly observer = new Observer();
  readonly #serve: (written: Buffer) => Buffer;

  constructor(session: UpstreamSession<string>, serve: (written: Buffer) => Buffer) {
    this.session = session;
    this.#serve = serve;
  }

  /** Sends bytes to the server, and hears what it says to them. */
  send(bytes: Buffer): void {
    const answers = this.#serve(bytes);
    if (answers.length > 0) this.read(answers);
  }

  read(bytes: Buffer, cuts: readonly number[] = []): void {
    inPieces(bytes, cuts, (piece) => {
      if (this.observer.failure !== null || piece.length === 0) return;
      this.session.read(piece, 0, piece.length, this.observer);
      this.observer.endRead();
    });
  }
}

export class Lab {
  readonly specimen: ProtocolSpecimen;
  readonly route: ProtocolRoute;

  constructor(specimen: ProtocolSpecimen) {
    this.specimen = specimen;
    const { brokers } = specimen;
    const table = new Map<string, LocalAddress>(
      brokers.map(({ node }) => [node, { host: LOCAL_HOST, port: FIRST_PORT + Number(node) }]),
    );
    this.route = protocolNamed(specimen.protocol).createRoute({
      addresses: { find: (node) => table.get(node) },
      maxFrameBytes: MAX_FRAME_BYTES,
      portBase: FIRST_PORT,
      ports: {},
      saslPassThrough: specimen.security?.passThrough ?? false,
      users: specimen.security?.users ?? null,
    });
  }

  #node(): { readonly node: string; readonly host: string; readonly port: number } {
    const [broker] = this.specimen.brokers;
    if (broker === undefined) throw new Error(`${this.specimen.name}: a specimen has one broker at least`);
    return broker;
  }

  client(): ClientSession {
    return this.route.client(this.#node().node, this.specimen.security?.user ?? null);
  }

  /** A connection that was greeted, lent to the tenant. */
  link(): Link {
    const { user = '', credential = null } = this.specimen.security ?? {};
    const link = new Link(this.route.upstream<string>(this.#node(), user), this.specimen.serve());
    const greeting = link.session.greeting(credential);
    if (greeting !== undefined) link.send(greeting);
    for (let reply = link.observer.replies.shift(); reply !== undefined; reply = link.observer.replies.shift())
      link.send(reply);
    if (greeting !== undefined && link.observer.all('ready').length !== 1)
      throw new Error(`${this.specimen.name}: the greeting came to nothing: ${link.observer.failure?.detail}`);
    link.observer.forget();
    link.session.lend(TENANT);
    return link;
  }
}

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
  readonly client: ClientSession;
  readonly link: Link;
  readonly #framed: boolean;
  readonly #wholeFrameBytes: number;
  readonly #sent: Buffer[] = [];
  /** Local answers, each with what had been delivered before it. */
  readonly #local: { readonly at: number; readonly bytes: Buffer }[] = [];
  #held: Buffer = Buffer.alloc(0);
  #bodyLeft = 0;

  constructor(lab: Lab, link: Link, wholeFrameBytes: number) {
    this.client = lab.client();
    this.link = link;
    this.#framed = lab.specimen.framed;
    this.#wholeFrameBytes = wholeFrameBytes;
  }

  feed(piece: Buffer): void {
    const bytes = this.#held.length > 0 ? Buffer.concat([this.#held, piece]) : piece;
    let at = 0;
    while (at < bytes.length && this.closeReason === null) {
      if (this.#bodyLeft === 0 && !this.#take(bytes, at)) break;
      const part = Math.min(this.#bodyLeft, bytes.length - at);
      if (part > 0) this.#send(bytes.subarray(at, at + part));
      this.#bodyLeft -= part;
      at += part > 0 ? part : this.client.size;
    }
    this.#held = Buffer.from(bytes.subarray(at));
  }

  /** True: the request was dealt with, or its bytes go out now. */
  #take(bytes: Buffer, at: number): boolean {
    const { client, link } = this;
    const owing = link.session.owed > 0;
    switch (client.inspect(bytes, at, bytes.length, true, owing)) {
      case Verdict.forward:
        return this.#admit(bytes.length - at);
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
      case Verdict.learn:
        throw new Error('a server was greeted, so there is nothing to learn');
      default:
        return false;
    }
  }

  #admit(available: number): boolean {
    const { client, link } = this;
    const { size, demand, pin, work } = client;
    if (size > available && size <= this.#wholeFrameBytes) return false;
    const refusal = link.session.admit(client, TENANT);
    if (refusal !== undefined) {
      this.closeReason = refusal;
      return false;
    }
    const last = this.requests.at(-1);
    if (!this.#framed && last !== undefined) last.bytes += size;
    else this.requests.push({ bytes: size, demand, pin, work });
    this.#bodyLeft = size;
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
    const { requests, closeReason } = this;
    return JSON.stringify({
      requests,
      closeReason,
      sent: this.sent.toString('hex'),
      heard: this.heard.toString('hex'),
    });
  }
}
