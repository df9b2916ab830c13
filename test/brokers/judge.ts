/** Who looks at the brokers from outside of every way: over the listener that brokers use among themselves. */
import type { Certificate } from './certificates.ts';
import { Driver } from './clients/driver.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import type { Listener } from './kafka-node.ts';
import { type Held, type Verdict, verdict } from './ledger.ts';
import type { User } from './security.ts';
import { untilShown } from './shown-certificate.ts';
import { untilKnown } from './topic-view.ts';
import { until } from './until.ts';

export interface PartitionState {
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

export class Judge {
  readonly #cluster: KafkaCluster;
  readonly #driver: Driver;

  private constructor(cluster: KafkaCluster, driver: Driver) {
    this.#cluster = cluster;
    this.#driver = driver;
  }

  static async start(cluster: KafkaCluster): Promise<Judge> {
    return new Judge(cluster, await Driver.start('java', cluster.version));
  }

  #ask<T>(op: string, args: Readonly<Record<string, unknown>>, withinMilliseconds?: number): Promise<T> {
    return this.#driver.request<T>(op, { bootstrap: this.#cluster.bootstrap('BROKERS'), ...args }, withinMilliseconds);
  }

  /** Makes topics, and waits until every partition has its leader and all its replicas, and every broker knows. */
  async createTopics(
    topics: readonly string[],
    partitions: number,
    configs: Readonly<Record<string, string | number>> = {},
  ): Promise<void> {
    const replicas = Math.min(3, this.#cluster.nodes.length);
    await this.#ask('topics', { topics, partitions, replicas, configs });
    await this.whole(topics);
    await Promise.all(this.#cluster.nodes.map((node) => untilKnown(node.port('BROKERS'), topics, partitions)));
  }

  partitions(topics: readonly string[]): Promise<Record<string, PartitionState>> {
    return this.#ask('describe', { topics });
  }

  /** Waits until every replica of these topics is in sync. */
  async whole(topics: readonly string[], withinMilliseconds = 60_000): Promise<void> {
    await until(`all replicas of ${topics.length} topics to be in sync`, withinMilliseconds, async () => {
      const states = Object.entries(await this.#describedOrNone(topics));
      const behind = states.filter(([, { leader, replicas, inSync }]) => leader < 0 || inSync.length < replicas.length);
      return states.length > 0 && behind.length === 0 ? true : `behind: ${JSON.stringify(behind.slice(0, 5))}`;
    });
  }

  async #describedOrNone(topics: readonly string[]): Promise<Record<string, PartitionState>> {
    try {
      return await this.partitions(topics);
    } catch (error) {
      // A topic that was made a moment ago is not known to every broker yet.
      if (String(error).includes('UnknownTopicOrPartition')) return {};
      throw error;
    }
  }

  /** Puts partitions on brokers and has the first of each list lead: `{"topic-0": [1, 2, 3]}`. */
  async place(topic: string, placement: Readonly<Record<string, readonly number[]>>): Promise<void> {
    await this.#ask('place', { placement });
    await until(`the replicas of ${topic} to be moved`, 60_000, async () => {
      const states = await this.partitions([topic]);
      const wrong = Object.entries(placement).filter(([name, ids]) => {
        const { replicas = [], inSync = [] } = states[name] ?? {};
        return replicas.join() !== ids.join() || !ids.every((id) => inSync.includes(id));
      });
      return wrong.length === 0 ? true : `not there yet: ${JSON.stringify(wrong)}`;
    });
    await this.#ask('lead', { partitions: Object.keys(placement) });
    await until(`the leaders of ${topic} to change`, 30_000, async () => {
      const states = await this.partitions([topic]);
      const wrong = Object.entries(placement).filter(([name, ids]) => states[name]?.leader !== ids[0]);
      return wrong.length === 0 ? true : `not led there yet: ${JSON.stringify(wrong)}`;
    });
  }

  /** Every partition of a topic is led by another broker than before. */
  async moveLeaders(topic: string): Promise<void> {
    const states = Object.entries(await this.partitions([topic]));
    await this.place(
      topic,
      Object.fromEntries(
        states.map(([name, { leader, replicas }]) => {
          const others = replicas.filter((id) => id !== leader);
          return [name, [...others, leader]];
        }),
      ),
    );
  }

  /** The broker that coordinates a group. */
  coordinator(group: string): Promise<number> {
    return this.#ask('coordinator', { group });
  }

  /** Gives a user of SCRAM another password; brokers hear of it in their own time. */
  async changePassword(user: User, password: string): Promise<void> {
    await this.#ask('password', { user, password });
  }

  /** Lets a user write and read these topics, in any group. */
  async allow(user: string, topics: readonly string[]): Promise<void> {
    await this.#ask('allow', { user, topics });
  }

  /** Has every broker show another certificate at a listener, and waits until it does. */
  async showCertificate(listener: Listener, { storeFile, certificateFile }: Certificate): Promise<void> {
    for (const { id } of this.#cluster.nodes) {
      const properties = { [`listener.name.${listener.toLowerCase()}.ssl.keystore.location`]: storeFile };
      await this.#ask('alter', { broker: id, properties });
    }
    await Promise.all(this.#cluster.nodes.map((node) => untilShown(node.port(listener), certificateFile)));
  }

  read(topics: readonly string[], isolation: 'read_uncommitted' | 'read_committed' = 'read_committed'): Promise<Held> {
    return this.#ask('read', { topics, isolation, withinMs: 60_000 }, 70_000);
  }

  /** Whether the brokers hold what was sent: every message once, in order within each partition. */
  async verdict(topics: readonly string[], sent: Readonly<Record<string, number>>): Promise<Verdict> {
    return verdict(sent, await this.read(topics));
  }

  async stop(): Promise<void> {
    await this.#driver.stop();
  }
}
