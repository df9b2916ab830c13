/**
 * A protocol of text frames with one request for every rule of the core, so that the core can be tested without any
 * broker's protocol. It keeps the contract strictly: what must not be called after the end throws.
 */
import type {
  ClientSession,
  Protocol,
  ProtocolRoute,
  RequestCounts,
  RouteContext,
  UpstreamSession,
  UpstreamTarget,
} from '../../src/contract/protocol.ts';
import { BOOTSTRAP } from '../../src/contract/topology.ts';
import { LineClientSession } from './line-client-session.ts';
import { LineUpstreamSession } from './line-upstream-session.ts';

/** A cached answer to `meta`; a later one has a larger version. */
export interface CachedMeta {
  readonly version: number;
  readonly body: Buffer;
}

export class LineRoute implements ProtocolRoute {
  readonly dialsAtAccept = false;
  readonly asksForTopology = true;
  readonly multiplexes: boolean = false;
  readonly listensPerBroker = true;
  readonly context: RouteContext;
  readonly sessions = new Set<LineClientSession>();
  readonly cache = new Map<string, CachedMeta>();
  /** Nodes that were greeted, with the version that they speak. */
  readonly versions = new Map<string, string>();
  readonly forwarded = new Map<string, number>();
  readonly absorbed = new Map<string, number>();
  clusterId: string | null = null;
  invalidations = 0;
  #nextVersion = 1;

  constructor(context: RouteContext) {
    this.context = context;
  }

  localPort(node: string): number | { readonly fault: string } {
    const { portBase, ports } = this.context;
    const port = ports[node];
    if (port !== undefined) return port;
    if (portBase === undefined) return { fault: 'brokers.portBase is not set' };
    return portBase + Number(node);
  }

  client(node: string, user: string | null): ClientSession {
    const session = new LineClientSession(this, node, user ?? '');
    this.sessions.add(session);
    return session;
  }

  upstream<T>(target: UpstreamTarget, identity: string): UpstreamSession<T> {
    return new LineUpstreamSession<T>(this, target, identity);
  }

  invalidate(): void {
    this.invalidations += 1;
    this.cache.clear();
  }

  counts(): RequestCounts {
    return { forwarded: this.forwarded, absorbed: this.absorbed };
  }

  /** The version that a client of this listener would be told; undefined before any broker was greeted. */
  versionFor(node: string): string | undefined {
    return node === BOOTSTRAP ? [...this.versions.values()][0] : this.versions.get(node);
  }

  cached(identity: string, topic: string): CachedMeta | undefined {
    return this.cache.get(`${identity} ${topic}`);
  }

  keep(identity: string, topic: string, body: Buffer): number {
    const version = this.#nextVersion;
    this.#nextVersion += 1;
    this.cache.set(`${identity} ${topic}`, { version, body });
    return version;
  }

  /** What idle clients will ask for next. */
  topicsOfSleepers(identity: string): Set<string> {
    const topics = new Set<string>();
    for (const session of this.sessions) {
      if (session.sleeping && session.identity === identity) for (const topic of session.seen.keys()) topics.add(topic);
    }
    return topics;
  }
}

export const lineProtocol: Protocol = { name: 'line', createRoute: (context) => new LineRoute(context) };
