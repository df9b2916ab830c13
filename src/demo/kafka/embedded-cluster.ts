/**
 * A Kafka cluster inside this process: real sockets, real protocol, messages in memory, and every fault at a script's
 * command. Good for demonstrations and tests, for nothing else: what one broker knows all know at once.
 */
import { Broker, Switchboard } from './net/broker.ts';
import type { ReceivedRequest, RequestHook } from './net/requests.ts';
import type { Tally } from './net/tally.ts';
import { ClusterState, type Endpoint } from './state/cluster-state.ts';
import type { Group } from './state/group.ts';
import { type Message, messagesOf } from './state/record.ts';
import { NO_LEADER, type Partition, Topic } from './state/topic.ts';

export interface ClusterOptions {
  readonly brokers?: number;
  readonly host?: string;
  /** Of the brokers in turn; what is missing or 0 is any free port. */
  readonly ports?: readonly number[];
  /** What brokers tell clients to connect to; by default where they listen. */
  readonly advertise?: (node: number) => Endpoint;
  readonly clusterId?: string;
  /** Metadata requests create what they ask for. */
  readonly autoCreateTopics?: boolean;
  /** Partitions of topics that are created without a number. */
  readonly defaultPartitions?: number;
  /** How long an empty group waits for more members. */
  readonly groupInitialDelayMilliseconds?: number;
  /** How many received requests are remembered at least half of. */
  readonly mostRequests?: number;
}

export interface CreateTopicOptions {
  readonly partitions?: number;
  /** Replicas of each partition, leaders first; by default every broker. */
  readonly replicas?: readonly (readonly number[])[];
}

export class EmbeddedCluster {
  /** Asked about every request that a broker's own hook has no opinion on. */
  onRequest: RequestHook | undefined;
  /** What brokers advertise; a change shows in the next answer. */
  advertise: ((node: number) => Endpoint) | undefined;
  readonly #host: string;
  readonly #state: ClusterState;
  readonly #shared: Switchboard;
  readonly #brokers = new Map<number, Broker>();

  private constructor(options: ClusterOptions) {
    this.#host = options.host ?? '127.0.0.1';
    this.advertise = options.advertise;
    this.#state = new ClusterState({
      clusterId: options.clusterId,
      autoCreateTopics: options.autoCreateTopics ?? true,
      defaultPartitions: options.defaultPartitions ?? 3,
      groupInitialDelayMilliseconds: options.groupInitialDelayMilliseconds ?? 200,
    });
    this.#shared = new Switchboard(options.mostRequests ?? 20_000);
    this.#shared.onRequest = (connection, request) => this.onRequest?.(connection, request);
  }

  /** Nodes are numbered from 1. */
  static async start(options: ClusterOptions = {}): Promise<EmbeddedCluster> {
    const cluster = new EmbeddedCluster(options);
    try {
      for (let index = 0; index < (options.brokers ?? 3); index += 1)
        await cluster.addBroker({ port: options.ports?.[index] ?? 0 });
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  get id(): string {
    return this.#state.clusterId;
  }
  /** Another cluster has taken the addresses over. */
  set id(id: string) {
    this.#state.clusterId = id;
  }

  /** All that were ever added and not removed, dead ones too. */
  get brokers(): readonly Broker[] {
    return [...this.#brokers.values()];
  }
  /** Where they listen: for `bootstrap.servers`. */
  get bootstrap(): string[] {
    return this.brokers.map(({ address }) => address);
  }
  /** Connections to all brokers together. */
  get tally(): Tally {
    return this.#shared.connections;
  }
  /** In the order in which their turn came, over all brokers. */
  get requests(): readonly ReceivedRequest[] {
    return this.#shared.requests.entries;
  }
  /** What brokers could not make sense of, and faults of their own; empty if all is well. */
  get complaints(): readonly string[] {
    return this.#shared.complaints;
  }
  get bytesIn(): number {
    return this.brokers.reduce((sum, { bytesIn }) => sum + bytesIn, 0);
  }
  get bytesOut(): number {
    return this.brokers.reduce((sum, { bytesOut }) => sum + bytesOut, 0);
  }
  get groups(): readonly Group[] {
    return [...this.#state.groups.values()];
  }
  /** Finalized features and their levels, as ApiVersions tells them. */
  get features(): Map<string, number> {
    return this.#state.features;
  }

  forgetRequests(): void {
    this.#shared.requests.clear();
  }

  broker(node: number): Broker {
    const broker = this.#brokers.get(node);
    if (broker === undefined) throw new Error(`there is no broker ${node}`);
    return broker;
  }

  createTopic(name: string, { partitions, replicas }: CreateTopicOptions = {}): Topic {
    const count = replicas?.length ?? partitions ?? this.#state.options.defaultPartitions;
    const topic = this.#state.topics.create(name, count, this.#state.nodes, replicas);
    if (topic instanceof Topic) return topic;
    throw new Error(`topic ${name} cannot be created: error ${topic.error}`);
  }

  partition(topic: string, index: number): Partition {
    const partition = this.#state.topics.partition(topic, index);
    if (partition === undefined) throw new Error(`there is no partition ${index} of ${topic}`);
    return partition;
  }

  moveLeader(topic: string, partition: number, node: number): void {
    this.partition(topic, partition).lead(node);
  }

  /** Of a group, or with `transaction` of a transactional id. */
  coordinator(key: string, kind: 'group' | 'transaction' = 'group'): number {
    return this.#state.coordinator(kind, key);
  }

  moveCoordinator(key: string, node: number, kind: 'group' | 'transaction' = 'group'): void {
    this.#state.moveCoordinator(kind, key, node);
  }

  /** What a topic holds, partition by partition, in their order; aborted messages too. */
  messages(topic: string): Message[] {
    const partitions = this.#state.topics.named(topic)?.partitions ?? [];
    return partitions.flatMap(({ index, log }) => log.batches.flatMap((batch) => messagesOf(index, batch)));
  }

  /** @param node the next number if absent */
  async addBroker({ node, port = 0 }: { readonly node?: number; readonly port?: number } = {}): Promise<Broker> {
    const id = node ?? Math.max(0, ...this.#brokers.keys()) + 1;
    if (this.#brokers.has(id)) throw new Error(`there is a broker ${id} already`);
    const broker = new Broker(id, this.#host, port, this.#state, this.#shared);
    await broker.startAccepting();
    this.#brokers.set(id, broker);
    this.#register(broker);
    return broker;
  }

  /** An orderly shutdown for good: others take over first, then FIN. */
  removeBroker(node: number): void {
    const broker = this.broker(node);
    this.#state.fence(node);
    this.#brokers.delete(node);
    broker.retire();
  }

  /**
   * SIGKILL: RST, and nobody listens.
   *
   * @param noticed false: metadata names it and its partitions stay with it until `notice`
   */
  kill(node: number, { noticed = true }: { readonly noticed?: boolean } = {}): void {
    this.broker(node).die();
    if (noticed) this.notice(node);
  }

  /** The cluster finds out that a node is dead. */
  notice(node: number): void {
    this.#state.fence(node);
  }

  /** @param port the same as before if absent */
  async revive(node: number, port?: number): Promise<void> {
    const broker = this.broker(node);
    broker.thaw();
    if (!broker.isListening) await broker.startAccepting(port);
    this.#register(broker);
  }

  async stop(): Promise<void> {
    this.#state.timers.stop();
    await Promise.all(this.brokers.map((broker) => broker.stop()));
  }

  /** Timers that run; 0 after `stop`. */
  get pendingTimers(): number {
    return this.#state.timers.pending;
  }

  /** Partitions that nobody leads. */
  get leaderless(): readonly Partition[] {
    const partitions = this.#state.topics.all.flatMap((topic) => topic.partitions);
    return partitions.filter(({ leader }) => leader === NO_LEADER);
  }

  #register(broker: Broker): void {
    this.#state.register(broker.node, () => this.advertise?.(broker.node) ?? { host: broker.host, port: broker.port });
  }
}
