/** Who looks at the topics from outside of every way: over the listener that brokers use among themselves. */
import { type Held, type Verdict, verdict } from '../ledger.ts';
import type { PulsarCluster } from './pulsar-cluster.ts';
import { PulsarDriver } from './pulsar-driver.ts';

const READ_MILLISECONDS = 120_000;

export class PulsarJudge {
  readonly #cluster: PulsarCluster;
  readonly #driver: PulsarDriver;

  private constructor(cluster: PulsarCluster, driver: PulsarDriver) {
    this.#cluster = cluster;
    this.#driver = driver;
  }

  static async start(cluster: PulsarCluster): Promise<PulsarJudge> {
    return new PulsarJudge(cluster, await PulsarDriver.start('python'));
  }

  /** What topics hold, partition by partition. */
  read(topics: readonly string[]): Promise<Held> {
    const url = this.#cluster.url('INTERNAL');
    const token = this.#cluster.isSecured ? { token: this.#cluster.security.adminToken } : {};
    return this.#driver.request('read', { url, topics, ...token }, READ_MILLISECONDS);
  }

  /** Whether the topics hold what was sent: every message once, in order. */
  async verdict(topics: readonly string[], sent: Readonly<Record<string, number>>): Promise<Verdict> {
    return verdict(sent, await this.read(topics));
  }

  async stop(): Promise<void> {
    await this.#driver.stop();
  }
}
