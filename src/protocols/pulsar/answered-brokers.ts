/** Brokers in answers: learnt, and written as the client is to find them. */
import type { UpstreamSink } from '../../contract/protocol.ts';
import { BOOTSTRAP, type BrokerNode } from '../../contract/topology.ts';
import { addressOf, brokerNamedBy } from './broker-url.ts';
import type { LinkContext } from './link.ts';
import { type Field, textIn } from './message.ts';
import type { PulsarRoute } from './route.ts';

export interface AnsweredBroker {
  readonly node: string;
  /** As the broker wrote it. */
  readonly url: string;
}

/** What stands in an answer for clients without and with TLS. */
export interface Urls {
  readonly plain: string;
  readonly secured: string;
}

export class AnsweredBrokers {
  readonly #route: PulsarRoute;
  readonly #context: LinkContext;

  constructor(route: PulsarRoute, context: LinkContext) {
    this.#route = route;
    this.#context = context;
  }

  /**
   * The broker that an answer names in these two fields, the one for TLS second; null if it names none that we could dial.
   *
   * @param isBehind it is reached by way of the one that answered, and not by itself
   */
  learn<T>(
    bytes: Buffer,
    fields: readonly Field[],
    plain: number,
    isBehind: boolean,
    sink: UpstreamSink<T>,
  ): AnsweredBroker | null {
    const { isUpstreamSecured } = this.#route.multiplexing;
    const url = textIn(bytes, fields, isUpstreamSecured ? plain + 1 : plain);
    const broker = url === undefined ? null : brokerNamedBy(url);
    if (url === undefined || broker === null) return null;
    this.#learn(broker, isBehind, sink);
    return { node: broker.node, url };
  }

  #learn<T>(broker: BrokerNode, isBehind: boolean, sink: UpstreamSink<T>): void {
    const { node, host, port } = this.#context;
    const wasBehind = node !== BOOTSTRAP && addressOf(host, port) !== node;
    const dialled = this.#route.brokers.learn(broker, isBehind || wasBehind ? { host, port } : null);
    sink.named({ clusterId: null, nodes: [dialled], complete: false, moves: true });
  }

  /** Undefined: its listener is not bound yet; null: it will not be. */
  urlsOf(broker: AnsweredBroker): Urls | null | undefined {
    if (!this.#route.multiplexing.rewritesLookups) return { plain: broker.url, secured: broker.url };
    const local = this.#route.addresses.find(broker.node);
    if (local === undefined) return undefined;
    if (local === 'unbindable') return null;
    const address = addressOf(local.host, local.port);
    return { plain: `pulsar://${address}`, secured: `pulsar+ssl://${address}` };
  }
}
