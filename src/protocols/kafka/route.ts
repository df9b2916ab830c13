/** What all Kafka sessions of one route share: what brokers can, which cluster it is, and what sleepers were told. */
import type { ProtocolRoute, RequestCounts, RouteContext, UpstreamTarget } from '../../contract/protocol.ts';
import { BOOTSTRAP, type BrokerNode, type LocalAddresses } from '../../contract/topology.ts';
import { APIS } from './api-table.ts';
import type { SaslOffer, Versions } from './api-versions.ts';
import { KafkaClientSession } from './client-session.ts';
import { type CacheBudget, HousekeepingCache, type MetadataKey, nameOf } from './housekeeping-cache.ts';
import { localPortOf } from './local-port.ts';
import { LocalLogin } from './sasl/local-login.ts';
import { PasswordCheck } from './sasl/password-check.ts';
import { ScramKeyCache } from './sasl/scram-keys.ts';
import { KafkaUpstreamSession } from './upstream-session.ts';

/** Of requests, in one batch. */
const MOST_QUESTION_BYTES = 1024 * 1024;
const UNKNOWN = 'unknown';

export class KafkaRoute implements ProtocolRoute {
  readonly dialsAtAccept = false;
  readonly multiplexes = false;
  readonly listensPerBroker = true;
  readonly asksForTopology: boolean;
  readonly addresses: LocalAddresses;
  readonly maxFrameBytes: number;
  readonly offersSasl: SaslOffer;
  readonly scramKeys = new ScramKeyCache();
  readonly #context: RouteContext;
  /** By identity. */
  readonly #caches = new Map<string, HousekeepingCache>();
  readonly #cacheBudget: CacheBudget = { bytes: 0 };
  /** Null: clients do not authenticate themselves to us. */
  readonly #passwords: PasswordCheck | null;
  readonly #clients = new Set<KafkaClientSession>();
  readonly #versions = new Map<string, Versions>();
  /** What all listed brokers share; made anew when one of them changes. */
  #shared: Versions | null = null;
  /** The brokers that the last greeting named. */
  #listed: ReadonlySet<string> = new Set();
  #clusterId: string | null = null;
  readonly #forwarded = new Array<number>(APIS.length + 1).fill(0);
  readonly #absorbed = new Array<number>(APIS.length + 1).fill(0);

  constructor(context: RouteContext) {
    this.#context = context;
    this.addresses = context.addresses;
    this.maxFrameBytes = context.maxFrameBytes;
    this.asksForTopology = !context.saslPassThrough;
    this.#passwords = context.users === null ? null : new PasswordCheck(context.users, this.scramKeys);
    this.offersSasl = context.users !== null ? 'ours' : context.saslPassThrough ? 'brokers' : 'no';
  }

  /** Clients authenticate themselves to the broker, each over a connection of its own. */
  get passesSasl(): boolean {
    return this.#context.saslPassThrough;
  }

  client(node: string, user: string | null): KafkaClientSession {
    const login = this.#passwords === null ? null : new LocalLogin(this.#passwords, user);
    const session = new KafkaClientSession(this, node, login);
    this.#clients.add(session);
    return session;
  }

  clientGone(session: KafkaClientSession): void {
    this.#clients.delete(session);
  }

  upstream<T>(target: UpstreamTarget, identity: string): KafkaUpstreamSession<T> {
    return new KafkaUpstreamSession<T>(this, target, identity);
  }

  localPort(node: string): number | { readonly fault: string } {
    return localPortOf(node, this.#context.portBase, this.#context.ports);
  }

  invalidate(): void {
    for (const cache of this.#caches.values()) cache.clear();
  }

  // --- the cluster ----------------------------------------------------------------------------------------------

  get clusterId(): string | null {
    return this.#clusterId;
  }

  /** False if it is another cluster than the one learnt first. */
  learnCluster(clusterId: string | null): boolean {
    this.#clusterId ??= clusterId;
    return clusterId === null || clusterId === this.#clusterId;
  }

  /** Keeps what a broker can; answers the same object as before if nothing changed. */
  learnVersions(node: string, versions: Versions): Versions {
    for (const known of this.#versions.values()) {
      if (!known.equals(versions)) continue;
      this.#setVersions(node, known);
      return known;
    }
    this.#setVersions(node, versions);
    return versions;
  }

  #setVersions(node: string, versions: Versions): void {
    if (this.#versions.get(node) === versions) return;
    this.#versions.set(node, versions);
    this.#shared = null;
  }

  /** A broker that is not listed any more limits nobody. */
  learnListed(nodes: readonly BrokerNode[]): void {
    if (nodes.length === this.#listed.size && nodes.every(({ node }) => this.#listed.has(node))) return;
    this.#listed = new Set(nodes.map(({ node }) => node));
    this.#shared = null;
  }

  /** What a client of this listener may be told; null before any broker was asked. */
  versionsFor(node: string): Versions | null {
    if (node !== BOOTSTRAP) return this.#versions.get(node) ?? null;
    if (this.#shared !== null) return this.#shared;
    const listed = [...this.#versions].filter(([name]) => this.#listed.has(name));
    // Before any of them was greeted there is but what a bootstrap address said.
    for (const [, versions] of listed.length > 0 ? listed : this.#versions) {
      if (this.#shared === null || this.#shared === versions) this.#shared = versions;
      else this.#shared = this.#shared.intersect(versions);
    }
    return this.#shared;
  }

  // --- sleepers -------------------------------------------------------------------------------------------------

  /** What brokers told those who are this for them. */
  cacheOf(identity: string): HousekeepingCache {
    const known = this.#caches.get(identity);
    if (known !== undefined) return known;
    const cache = new HousekeepingCache(this.#cacheBudget);
    this.#caches.set(identity, cache);
    return cache;
  }

  /** What the sleepers of this identity, at all listeners, will ask next, each question once. */
  questions(identity: string): MetadataKey[] {
    const questions = new Map<string, MetadataKey>();
    let bytes = 0;
    for (const { sleeper, identity: asked } of this.#clients) {
      if (asked !== identity) continue;
      for (const key of sleeper.questions()) {
        if (bytes > MOST_QUESTION_BYTES) return [...questions.values()];
        if (!questions.has(nameOf(key))) bytes += key.rest.length;
        questions.set(nameOf(key), key);
      }
    }
    return [...questions.values()];
  }

  // --- counting -------------------------------------------------------------------------------------------------

  countForwarded(apiKey: number): void {
    const index = apiKey >= 0 && apiKey < APIS.length ? apiKey : APIS.length;
    this.#forwarded[index] = (this.#forwarded[index] ?? 0) + 1;
  }

  countAbsorbed(apiKey: number): void {
    this.#absorbed[apiKey] = (this.#absorbed[apiKey] ?? 0) + 1;
  }

  counts(): RequestCounts {
    return { forwarded: named(this.#forwarded), absorbed: named(this.#absorbed) };
  }
}

function named(counts: readonly number[]): Map<string, number> {
  const byName = new Map<string, number>();
  for (const [key, count] of counts.entries()) if (count > 0) byName.set(APIS[key]?.name ?? UNKNOWN, count);
  return byName;
}
