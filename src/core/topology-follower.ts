/** What follows from an answer that names brokers: listeners are bound, pools of brokers that moved or left are replaced. */
import type { UpstreamTarget } from '../contract/protocol.ts';
import { BOOTSTRAP, type Topology } from '../contract/topology.ts';
import type { ClusterChange } from './cluster-map.ts';
import { addressOf, type HostPort } from './options.ts';
import type { Route } from './route.ts';

/** A port that could not be bound is tried again after so long. */
export const BIND_RETRY_MILLISECONDS = 10_000;

export class TopologyFollower {
  readonly #route: Route;

  constructor(route: Route) {
    this.#route = route;
  }

  named(topology: Topology): void {
    const { cluster, listeners, clock } = this.#route;
    const now = clock.now();
    const changes = cluster.apply(topology, now);
    for (const change of changes) this.#apply(change, topology.complete);
    if (changes.length > 0) {
      this.#route.remember({ clusterId: topology.clusterId, nodes: cluster.nodes, complete: true });
    }
    if (!this.#route.protocol.listensPerBroker) return;
    for (const { node } of topology.nodes) {
      listeners.ensure(node, this.#localAddress(node), now, BIND_RETRY_MILLISECONDS);
    }
  }

  #localAddress(node: string): HostPort | { readonly fault: string } {
    const { protocol, options } = this.#route;
    const port = protocol.localPort(node);
    return typeof port === 'number' ? { host: options.brokers.listenHost, port } : port;
  }

  #apply({ kind, node }: ClusterChange, complete: boolean): void {
    const { protocol, listeners, pools, name: route } = this.#route;
    // What moves a broker by itself is what the protocol has found last.
    if (complete && kind !== 'added') protocol.invalidate();
    const local = listeners.addressOf(node.node) ?? '';
    const address = addressOf(node);
    this.#route.emit({ type: 'broker.changed', route, broker: node.node, change: kind, address, local });
    if (kind === 'removed') listeners.remove(node.node);
    if (kind !== 'added') pools.replace(node.node);
  }

  /** Where a pool's dials go. */
  targets(node: string): readonly UpstreamTarget[] {
    const { cluster, options } = this.#route;
    if (node !== BOOTSTRAP) {
      const known = cluster.find(node);
      if (known !== undefined) return [known];
      return this.#route.protocol.multiplexes ? namedAddress(node) : [];
    }
    const configured = options.upstream.bootstrap.map(({ host, port }) => ({ node: BOOTSTRAP, host, port }));
    // Without complete answers nobody knows which of the others are still there.
    if (!this.#route.protocol.asksForTopology) return configured;
    const learnt = cluster.nodes.map(({ host, port }) => ({ node: BOOTSTRAP, host, port }));
    const isNew = ({ host, port }: UpstreamTarget): boolean =>
      !configured.some((target) => target.host === host && target.port === port);
    return [...configured, ...learnt.filter(isNew)];
  }
}

/** A broker that is known by its address alone: `host:port`, an IPv6 address in brackets. */
function namedAddress(node: string): readonly UpstreamTarget[] {
  const { v6, host = v6, port } = /^(?:\[(?<v6>[^\]]+)\]|(?<host>[^:]+)):(?<port>\d+)$/.exec(node)?.groups ?? {};
  return host === undefined || port === undefined ? [] : [{ node, host, port: Number(port) }];
}
