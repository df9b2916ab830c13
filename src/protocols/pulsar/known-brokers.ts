/**
 * The brokers that brokers have named. Clients say themselves which broker they want (`proxy_to_broker_url`), and are
 * taken there only if it is one of these, or allowed by the configuration: else the sidecar were a way to any host.
 */
import type { BrokerNode } from '../../contract/topology.ts';
import { addressOf } from './broker-url.ts';

/** Far more than a cluster has; those named longest ago are forgotten. */
const MOST_BROKERS = 4096;

export class KnownBrokers {
  readonly #brokers = new Map<string, BrokerNode>();

  /**
   * A broker was named at its own address, or (`through`) is reached only by way of another one, which is told in CONNECT
   * whom it is for: that is a proxy. It stays with the first such way until `forgetWays`, so that its address is steady.
   *
   * @returns where it is dialled
   */
  learn(broker: BrokerNode, through: { readonly host: string; readonly port: number } | null): BrokerNode {
    const { node } = broker;
    const known = this.#brokers.get(node);
    const keepsWay = through !== null && known !== undefined && isReachedThrough(known);
    const learnt = keepsWay ? known : through === null ? broker : { node, host: through.host, port: through.port };
    this.#brokers.delete(node);
    this.#brokers.set(node, learnt);
    if (this.#brokers.size > MOST_BROKERS) {
      const [oldest] = this.#brokers.keys();
      if (oldest !== undefined) this.#brokers.delete(oldest);
    }
    return learnt;
  }

  has(node: string): boolean {
    return this.#brokers.has(node);
  }

  /** Ways may be closed: the next answer says which is open. */
  forgetWays(): void {
    for (const [node, broker] of this.#brokers) {
      if (isReachedThrough(broker)) this.#brokers.set(node, { node, host: '', port: 0 });
    }
  }
}

/** It is not dialled at the address that is its name. */
function isReachedThrough({ node, host, port }: BrokerNode): boolean {
  return port !== 0 && addressOf(host, port) !== node;
}
