/** What the brokers of one cluster know in common: with everything in one process they always agree. */
import { randomBytes } from 'node:crypto';
import { Group } from './group.ts';
import { Timers } from './timers.ts';
import { NO_LEADER } from './topic.ts';
import { Topics } from './topics.ts';
import { type TransactionEnd, Transactions } from './transactions.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface NodeEndpoint extends Endpoint {
  readonly nodeId: number;
}

export interface StateOptions {
  readonly clusterId: string | undefined;
  readonly autoCreateTopics: boolean;
  /** Of topics that are created without a number. */
  readonly defaultPartitions: number;
  readonly groupInitialDelayMilliseconds: number;
}

export class ClusterState {
  readonly timers = new Timers();
  readonly topics = new Topics();
  readonly groups = new Map<string, Group>();
  readonly transactions: Transactions;
  readonly options: StateOptions;
  /** Level 2 of `transaction.version` lets producers leave AddPartitionsToTxn out (KIP-890). */
  readonly features = new Map([['transaction.version', 2]]);
  clusterId: string;
  readonly #nodes = new Map<number, () => Endpoint>();
  readonly #coordinators = new Map<string, number>();

  constructor(options: StateOptions) {
    this.options = options;
    this.clusterId = options.clusterId ?? randomBytes(16).toString('base64url');
    this.transactions = new Transactions(this.timers, (end) => this.#endTransaction(end));
  }

  /** Registered nodes, in the order of their ids. */
  get nodes(): readonly number[] {
    return [...this.#nodes.keys()].sort((one, other) => one - other);
  }

  get endpoints(): readonly NodeEndpoint[] {
    return this.nodes.map((nodeId) => ({ nodeId, ...this.endpoint(nodeId) }));
  }

  get controller(): number {
    return this.nodes[0] ?? NO_LEADER;
  }

  /** As advertised; an empty host for a node that is not registered. */
  endpoint(node: number): Endpoint {
    return this.#nodes.get(node)?.() ?? { host: '', port: -1 };
  }

  register(node: number, endpoint: () => Endpoint): void {
    this.#nodes.set(node, endpoint);
    this.topics.elect(new Set(this.nodes));
  }

  /** The cluster has noticed that the node is gone: others lead and coordinate in its place. */
  fence(node: number): void {
    this.#nodes.delete(node);
    for (const [key, coordinator] of this.#coordinators) if (coordinator === node) this.#coordinators.delete(key);
    this.topics.elect(new Set(this.nodes));
  }

  /** The coordinator of a group or of a transactional id; it stays until it is gone or moved. */
  coordinator(kind: 'group' | 'transaction', key: string): number {
    const name = `${kind}/${key}`;
    const known = this.#coordinators.get(name);
    if (known !== undefined) return known;
    const { nodes } = this;
    const sum = [...key].reduce((total, letter) => total + (letter.codePointAt(0) ?? 0), 0);
    const node = nodes[sum % nodes.length] ?? NO_LEADER;
    if (node !== NO_LEADER) this.#coordinators.set(name, node);
    return node;
  }

  moveCoordinator(kind: 'group' | 'transaction', key: string, node: number): void {
    this.#coordinators.set(`${kind}/${key}`, node);
  }

  group(id: string): Group {
    let group = this.groups.get(id);
    if (group === undefined) {
      const initialDelayMilliseconds = this.options.groupInitialDelayMilliseconds;
      group = new Group(id, { timers: this.timers, initialDelayMilliseconds });
      this.groups.set(id, group);
    }
    return group;
  }

  #endTransaction({ producerId, producerEpoch, committed, partitions, groups }: TransactionEnd): void {
    for (const { topic, partition: index } of partitions) {
      const partition = this.topics.partition(topic, index);
      partition?.log.endTransaction(producerId, producerEpoch, committed, partition.leaderEpoch);
      partition?.changed();
    }
    for (const id of groups) this.group(id).offsets.endTransaction(producerId, committed);
  }
}
