/** A route of a protocol, without the core: its sessions, driven as the contract says that the core drives them. */
import type { MultiplexingContext } from '../../src/contract/multiplexing.ts';
import {
  type ClientSession,
  type ProtocolRoute,
  type UpstreamSession,
  type UpstreamTarget,
  Verdict,
} from '../../src/contract/protocol.ts';
import type { CloseReason } from '../../src/contract/reasons.ts';
import { BOOTSTRAP, type LocalAddress } from '../../src/contract/topology.ts';
import { protocolNamed } from '../../src/protocols/registry.ts';
import { Observer } from './observer.ts';
import type { Exchange, ProtocolSpecimen } from './specimen.ts';
import { Talk } from './talk.ts';

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

const tenants = new WeakMap<ClientSession, string>();
let nextTenant = 1;

/** The name of a client on connections that serve several. */
function tenantOf(client: ClientSession): string {
  const known = tenants.get(client);
  if (known !== undefined) return known;
  const tenant = `${TENANT} ${nextTenant}`;
  nextTenant += 1;
  tenants.set(client, tenant);
  return tenant;
}

/** What routes of protocols that multiplex are made with. */
export const MULTIPLEXING: MultiplexingContext = {
  wholeFrameBytes: WHOLE,
  passed: null,
  isUpstreamSecured: false,
  isAllowedBroker: () => true,
  rewritesLookups: false,
  keepsTopicsAlive: false,
};

/** A connection to a server, and the server. */
export class Link {
  readonly session: UpstreamSession<string>;
  readonly observer = new Observer();
  readonly #serve: (written: Buffer) => Buffer;
  readonly #tenants = new Set<string>();

  constructor(session: UpstreamSession<string>, serve: (written: Buffer) => Buffer) {
    this.session = session;
    this.#serve = serve;
  }

  /** Sends bytes to the server, and hears what it says to them. */
  send(bytes: Buffer): void {
    const answers = this.ask(bytes);
    if (answers.length > 0) this.read(answers);
  }

  /** Sends bytes to the server; what it says to them has not arrived yet. */
  ask(bytes: Buffer): Buffer {
    return this.#serve(bytes);
  }

  /** Registers what the client asked last, and what has to be asked before: the core does so before it writes. */
  admit(client: ClientSession, bytes: Buffer, start: number): CloseReason | undefined {
    const { session } = this;
    const { tenancy } = session;
    if (tenancy === undefined) return session.admit(client, TENANT);
    const tenant = tenantOf(client);
    if (!this.#tenants.has(tenant)) session.lend(tenant);
    this.#tenants.add(tenant);
    const preparation = tenancy.prepare(client, tenant);
    if (preparation === null) return tenancy.admit(client, tenant, bytes, start);
    if (preparation === undefined) throw new Error('it waits for what was asked before');
    this.send(preparation);
    client.inspect(bytes, start, bytes.length, true, false);
    return this.admit(client, bytes, start);
  }

  /** What is written of an admitted request that lies in `bytes` from `start` on, as far as it is there. */
  written(client: ClientSession, bytes: Buffer, start: number): Buffer {
    const { tenancy } = this.session;
    const end = Math.min(bytes.length, start + client.size);
    if (tenancy === undefined || tenancy.head === null) return bytes.subarray(start, end);
    return Buffer.concat([tenancy.head, bytes.subarray(start + tenancy.replaced, end)]);
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
  #link: Link | null = null;

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
      ...(specimen.multiplexing === undefined ? {} : { multiplexing: MULTIPLEXING }),
    });
  }

  #node(): { readonly node: string; readonly host: string; readonly port: number } {
    const [broker] = this.specimen.brokers;
    if (broker === undefined) throw new Error(`${this.specimen.name}: a specimen has one broker at least`);
    return broker;
  }

  /** One that has said what all of them say first, to the connection made last. */
  client(): ClientSession {
    const { multiplexing, security } = this.specimen;
    const node = multiplexing === undefined ? this.#node().node : BOOTSTRAP;
    const client = this.route.client(node, security?.user ?? null);
    if (multiplexing === undefined) return client;
    const opening = Buffer.from(multiplexing.opening);
    if (client.inspect(opening, 0, opening.length, true, false) === Verdict.learn && client.routing !== undefined)
      this.#greet({ ...this.#node(), node: client.routing.node }, client.routing.purpose);
    const talk = new Talk(this, this.#link ?? this.link(), WHOLE, client);
    talk.feed(opening);
    talk.link.observer.forget();
    if (talk.closeReason !== null) throw new Error(`the opening ended in ${talk.closeReason}: ${talk.closeDetail}`);
    return client;
  }

  /** Registers an exchange's request with a link, as written; its answer, which has not arrived yet. */
  ask(link: Link, client: ClientSession, { name, request, answer }: Exchange, id: number): Buffer {
    const bytes = request(id);
    const verdict = client.inspect(bytes, 0, bytes.length, false, true);
    if (verdict !== Verdict.forward || link.admit(client, bytes, 0) !== undefined)
      throw new Error(`${name} did not go to a server`);
    if (this.specimen.multiplexing === undefined) return answer(id);
    return link.ask(link.written(client, bytes, 0)); // only the server knows who asked
  }

  /** As if nobody had renumbered anything. */
  plain(written: Buffer): Buffer {
    return this.specimen.multiplexing?.plain(written) ?? written;
  }

  /** A connection that was greeted, lent to the tenant. */
  link(): Link {
    const purpose = this.specimen.multiplexing?.purpose;
    const link = this.#greet(this.#node(), purpose);
    if (purpose === undefined) link.session.lend(TENANT);
    this.#link = link;
    return link;
  }

  #greet(target: UpstreamTarget, purpose: string | undefined): Link {
    const { user = '', credential = null } = this.specimen.security ?? {};
    const link = new Link(this.route.upstream<string>(target, user, purpose), this.specimen.serve());
    const greeting = link.session.greeting(credential);
    if (greeting !== undefined) link.send(greeting);
    for (let reply = link.observer.replies.shift(); reply !== undefined; reply = link.observer.replies.shift())
      link.send(reply);
    if (greeting !== undefined && link.observer.all('ready').length !== 1)
      throw new Error(`${this.specimen.name}: the greeting came to nothing: ${link.observer.failure?.detail}`);
    link.observer.forget();
    return link;
  }
}
