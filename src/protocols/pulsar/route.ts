/** What all Pulsar sessions of one route share: the brokers that were named, what they said of themselves, and who asks. */
import type { MultiplexingContext } from '../../contract/multiplexing.ts';
import type { ProtocolRoute, RequestCounts, RouteContext, UpstreamTarget } from '../../contract/protocol.ts';
import type { LocalAddresses } from '../../contract/topology.ts';
import { brokerAt } from './broker-url.ts';
import { PulsarClientSession } from './client-session.ts';
import { ClosingNames } from './closing-names.ts';
import { REQUEST_OF, ServerError } from './commands.ts';
import { type Connect, type Connected, FRAME_PADDING_BYTES, NEWEST_PROTOCOL } from './connect.ts';
import { KnownBrokers } from './known-brokers.ts';
import { LearntBrokers } from './learnt-brokers.ts';
import { LocalPorts } from './local-ports.ts';
import { ProducerNames } from './producer-names.ts';
import type { Refusal } from './refusal.ts';
import { PulsarUpstreamSession } from './upstream-session.ts';

/** Of a name that a client made up, in the log. */
const MOST_SHOWN = 100;

export class PulsarRoute implements ProtocolRoute {
  readonly dialsAtAccept = false;
  readonly asksForTopology = false;
  readonly multiplexes = true;
  readonly listensPerBroker: boolean;
  readonly addresses: LocalAddresses;
  readonly maxFrameBytes: number;
  readonly multiplexing: MultiplexingContext;
  readonly brokers = new KnownBrokers();
  readonly closingNames = new ClosingNames();
  readonly producerNames = new ProducerNames();
  readonly #learnt = new LearntBrokers();
  readonly #ports: LocalPorts;
  readonly #clients = new Map<number, PulsarClientSession>();
  #nextClient = 1;
  /** How many clients are this identity's. */
  readonly #identities = new Map<string, number>();
  readonly #forwarded = new Map<string, number>();
  readonly #absorbed = new Map<string, number>();

  constructor(context: RouteContext) {
    const { multiplexing } = context;
    if (multiplexing === undefined) throw new Error('a route for Pulsar needs what protocols that multiplex need');
    this.multiplexing = multiplexing;
    this.listensPerBroker = multiplexing.rewritesLookups;
    this.addresses = context.addresses;
    this.maxFrameBytes = context.maxFrameBytes;
    this.#ports = new LocalPorts(context.portBase, context.ports);
    multiplexing.passed?.onEnded((identity) => this.#askAnew(identity));
  }

  localPort(node: string): number | { readonly fault: string } {
    return this.#ports.of(node);
  }

  client(node: string): PulsarClientSession {
    const session = new PulsarClientSession(this, this.#nextClient, node);
    this.#clients.set(this.#nextClient, session);
    this.#nextClient += 1;
    return session;
  }

  clientGone(session: PulsarClientSession): void {
    this.#clients.delete(session.number);
  }

  /** Undefined: it is gone. */
  clientNumbered(number: number): PulsarClientSession | undefined {
    return this.#clients.get(number);
  }

  upstream<T>(target: UpstreamTarget, identity: string, purpose = ''): PulsarUpstreamSession<T> {
    return new PulsarUpstreamSession<T>(this, target, identity, purpose);
  }

  invalidate(): void {
    this.brokers.forgetWays();
  }

  // --- who may go where -----------------------------------------------------------------------------------------

  /** The node of `host:port`, which was checked before. */
  nodeOf(address: string): string {
    return brokerAt(address)?.node ?? address;
  }

  /** Null: it may be connected. */
  refusalOf(connect: Connect): Refusal | null {
    if (connect.isProxy) {
      return {
        error: ServerError.notAllowed,
        reason: 'refused_api',
        detail: 'a proxy that speaks for its clients cannot share connections with others',
      };
    }
    if (connect.proxyToBroker === '') return null;
    const broker = brokerAt(connect.proxyToBroker);
    const isAllowed =
      broker !== null && (this.brokers.has(broker.node) || this.multiplexing.isAllowedBroker(broker.host, broker.port));
    if (isAllowed) return null;
    const wanted = JSON.stringify(connect.proxyToBroker.slice(0, MOST_SHOWN));
    const detail = `no lookup has named ${wanted}, which the client wants, and upstream.allowedBrokers does not allow it`;
    return { error: ServerError.notAllowed, reason: 'broker_not_allowed', detail };
  }

  // --- what brokers said ----------------------------------------------------------------------------------------

  identityHeld(identity: string): void {
    this.#identities.set(identity, (this.#identities.get(identity) ?? 0) + 1);
  }

  identityLetGo(identity: string): void {
    const left = (this.#identities.get(identity) ?? 0) - 1;
    if (left > 0) {
      this.#identities.set(identity, left);
    } else {
      this.#identities.delete(identity);
      if (identity !== '') this.#learnt.forget(identity);
    }
  }

  /** What clients of that identity show has ended: one of them is asked for another. */
  #askAnew(identity: string): void {
    for (const session of this.#clients.values()) if (session.identity === identity && session.renewals.ask()) return;
  }

  learn(identity: string, node: string, said: Connected): void {
    if (identity === '' || this.#identities.has(identity)) this.#learnt.learn(identity, node, said);
  }

  /** What a client is told that connects now; null: that broker was not asked yet. */
  wouldTell(identity: string, node: string, version: number): Connected | null {
    const said = this.#learnt.find(identity, node, Math.min(version, NEWEST_PROTOCOL));
    if (said === null) return null;
    return { ...said, maxMessageBytes: Math.min(said.maxMessageBytes, this.maxFrameBytes - FRAME_PADDING_BYTES) };
  }

  // --- counting -------------------------------------------------------------------------------------------------

  countForwarded(type: number): void {
    count(this.#forwarded, type);
  }

  countAbsorbed(type: number): void {
    count(this.#absorbed, type);
  }

  counts(): RequestCounts {
    return { forwarded: this.#forwarded, absorbed: this.#absorbed };
  }
}

function count(counts: Map<string, number>, type: number): void {
  const name = REQUEST_OF[type]?.name ?? 'unknown';
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
