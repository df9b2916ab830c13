/**
 * Brokers of one Pulsar cluster, played by tests: what they know in common, and what happens to topics. Where bytes come
 * from is not theirs: `sockets.ts` serves them on loopback, and a network in memory does as well.
 */
import type { FakeBroker } from './broker.ts';
import type { FLAGS } from './commands.ts';
import type { Values } from './protobuf.ts';
import { Topic } from './topic.ts';

export interface ClusterOptions {
  /** Who may connect, by what is shown; undefined: anybody. */
  readonly credentials?: ReadonlySet<string>;
  readonly deduplication?: boolean;
  readonly maxMessageSize?: number;
  readonly protocolVersion?: number;
  readonly flags?: Values<typeof FLAGS>;
  /** Whoever does not serve a topic names who does as one to ask again, not as one to connect to. */
  readonly redirects?: boolean;
  readonly autoTopicCreation?: boolean;
  /** Every answer to a lookup says to go through the service URL, as Pulsar's standalone does. */
  readonly standaloneLookups?: boolean;
}

export class FakeCluster {
  readonly options: Required<Omit<ClusterOptions, 'credentials'>>;
  credentials: ReadonlySet<string> | undefined;
  readonly brokers: FakeBroker[] = [];
  readonly topics = new Map<string, Topic>();
  #names = 0;
  #ledgers = 0n;
  #connections = 0;

  constructor({ credentials, ...options }: ClusterOptions = {}) {
    this.credentials = credentials;
    this.options = {
      ...{ deduplication: false, maxMessageSize: 5 * 1024 * 1024, protocolVersion: 21, redirects: false },
      ...{ flags: { authRefresh: true, brokerEntryMetadata: true, partialProducer: true, topicWatchers: true } },
      ...{ autoTopicCreation: true, standaloneLookups: false },
      ...options,
    };
  }

  broker(index = 0): FakeBroker {
    const broker = this.brokers[index];
    if (broker === undefined) throw new Error(`there is no broker ${index}`);
    return broker;
  }

  nextConnection(): number {
    this.#connections += 1;
    return this.#connections;
  }

  nextName(): string {
    this.#names += 1;
    return `fake-0-${this.#names}`;
  }

  /** Unknown ones are made, by the first broker unless told otherwise. */
  topic(name: string, owner = 0): Topic {
    const known = this.topics.get(name);
    if (known !== undefined) return known;
    this.#ledgers += 1n;
    const topic = new Topic(name, owner, this.#ledgers);
    this.topics.set(name, topic);
    return topic;
  }

  find(name: string): Topic | undefined {
    return this.topics.get(name) ?? (this.options.autoTopicCreation ? this.topic(name) : undefined);
  }

  /** The topic moves: who is connected to it hears so, and where to if `tells`. */
  unload(name: string, to: number, tells = false): void {
    const topic = this.topic(name);
    const from = this.broker(topic.owner);
    topic.owner = to;
    from.drop(topic, tells ? this.broker(to) : null);
  }

  delete(name: string): void {
    const topic = this.topic(name);
    this.broker(topic.owner).drop(topic, null);
    this.topics.delete(name);
  }

  /** What a broker does to topics that nobody produces to and nobody subscribed to. Answers their names. */
  deleteInactive(): readonly string[] {
    const inactive = [...this.topics.values()].filter(
      ({ producers, subscriptions }) => producers.size === 0 && subscriptions.size === 0,
    );
    for (const { name } of inactive) this.topics.delete(name);
    return inactive.map(({ name }) => name);
  }

  /** Of all brokers. */
  get open(): number {
    return this.brokers.reduce((sum, { open }) => sum + open.length, 0);
  }
  get faults(): readonly string[] {
    return this.brokers.flatMap(({ connections }) => connections.flatMap(({ fault }) => fault ?? []));
  }
}
