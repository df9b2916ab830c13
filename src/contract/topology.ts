/** The node name of the listener and of the dials that know no broker yet. */
export const BOOTSTRAP = 'bootstrap';

/**
 * A broker as its cluster advertises it. `node` is the decimal node id where the protocol has one,
 * else the advertised `host:port`; it is also the metric label `broker`.
 */
export interface BrokerNode {
  readonly node: string;
  readonly host: string;
  readonly port: number;
}

/** What one answer of a broker said about its cluster. */
export interface Topology {
  readonly clusterId: string | null;
  readonly nodes: readonly BrokerNode[];
  /** True if the answer lists every live broker, so that absence means something. */
  readonly complete: boolean;
  /** True if it says of each broker where that is dialled from now on, although it does not list all. */
  readonly moves?: boolean;
}

/** Where applications reach a broker: the listener that the core bound for it. */
export interface LocalAddress {
  readonly host: string;
  readonly port: number;
}

/** The core's table of listeners, read by a protocol while it rewrites an answer. */
export interface LocalAddresses {
  /** `undefined`: no listener yet; `unbindable`: there will be none, treat the broker as if it were down. */
  find(node: string): LocalAddress | 'unbindable' | undefined;
}
