/** Real Kafka (KRaft) on loopback for one test file, gone with it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrapCheckpoint, javaClasses } from './cache.ts';
import { ClusterCertificates } from './certificates.ts';
import { freePortBlock } from './free-ports.ts';
import {
  type Authorization,
  controllerAddress,
  KafkaNode,
  type Listener,
  type ListenerFigures,
  type NodePlan,
  PORTS_PER_NODE,
  uuid,
} from './kafka-node.ts';
import { connectionsAt } from './listener-sockets.ts';
import { requireTools } from './prerequisites.ts';
import type { Security } from './security.ts';
import type { KafkaVersion } from './versions.ts';

/** Room for brokers that join later. */
const SPARE_NODES = 2;
/** Whether logs and data of brokers outlast the test, for whoever wants to know what happened. */
const KEPT = (process.env.SLACKWATER_KEEP_BROKERS ?? '') !== '';

export interface ClusterOptions {
  readonly version: KafkaVersion;
  readonly brokers: 1 | 3;
  /** Server properties for every broker. */
  readonly properties?: Readonly<Record<string, string | number>>;
  /** Of the listeners that clients and sidecars use; default: plaintext. */
  readonly security?: Security;
}

export class KafkaCluster {
  readonly version: KafkaVersion;
  readonly #plan: Omit<NodePlan, 'id' | 'firstPort' | 'controller'>;
  readonly #firstPort: number;
  readonly #nodes = new Map<number, KafkaNode>();

  private constructor(plan: Omit<NodePlan, 'id' | 'firstPort' | 'controller'>, firstPort: number) {
    this.version = plan.version;
    this.#plan = plan;
    this.#firstPort = firstPort;
  }

  /**
   * Starts a fresh cluster and waits until every broker is ready. Brokers 1 to 3 are controllers too.
   *
   * @throws Error that says what to install, or the log of a broker that does not start
   */
  static async start(options: ClusterOptions): Promise<KafkaCluster> {
    requireTools();
    // Prepared one after the other: all brokers need the same.
    await javaClasses();
    const { version, properties = {}, security = {} } = options;
    await bootstrapCheckpoint(version, security.sasl);
    const firstPort = await freePortBlock((options.brokers + SPARE_NODES) * PORTS_PER_NODE);
    const ids = Array.from({ length: options.brokers }, (_, index) => index + 1);
    const folder = mkdtempSync(join(tmpdir(), 'slackwater-kafka-'));
    if (!KEPT) process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    const voters = ids.map((id) => `${id}@${controllerAddress(portOf(firstPort, id))}`).join(',');
    const everyId = Array.from({ length: options.brokers + SPARE_NODES }, (_, index) => index + 1);
    const certificates = security.tls ? await ClusterCertificates.make(join(folder, 'tls'), everyId) : undefined;
    const plan = { folder, version, clusterId: uuid(), voters, properties, security, certificates };
    const cluster = new KafkaCluster(plan, firstPort);
    try {
      const nodes = ids.map((id) => cluster.#node(id, true));
      for (const node of nodes) await node.format();
      await Promise.all(nodes.map((node) => node.launch()));
      await Promise.all(nodes.map((node) => node.ready()));
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  #node(id: number, controller: boolean): KafkaNode {
    const node = new KafkaNode({ ...this.#plan, id, firstPort: portOf(this.#firstPort, id), controller });
    this.#nodes.set(id, node);
    return node;
  }

  get nodes(): KafkaNode[] {
    return [...this.#nodes.values()];
  }

  get clusterId(): string {
    return this.#plan.clusterId;
  }

  get security(): Security {
    return this.#plan.security;
  }

  /** @throws Error if the cluster has no TLS */
  get certificates(): ClusterCertificates {
    if (this.#plan.certificates === undefined) throw new Error('a cluster without TLS has no certificates');
    return this.#plan.certificates;
  }

  node(id: number): KafkaNode {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`no broker ${id}`);
    return node;
  }

  bootstrap(listener: Listener): string {
    return this.nodes.map((node) => node.address(listener)).join(',');
  }

  /**
   * Where each name that nobody can resolve leads, with those of brokers that may join later:
   * `broker-1.invalid:port` to `127.0.0.1:port`.
   */
  hiddenAddresses(listener: Listener = 'HIDDEN'): Record<string, string> {
    const ids = Array.from({ length: this.#plan.voters.split(',').length + SPARE_NODES }, (_, index) => index + 1);
    return Object.fromEntries(
      ids.map((id) => {
        const known = new KafkaNode({ ...this.#plan, id, firstPort: portOf(this.#firstPort, id), controller: false });
        return [known.advertised(listener), known.address(listener)];
      }),
    );
  }

  /** Ends a broker at once, as a crash would. */
  async kill(id: number): Promise<void> {
    this.node(id).signal('SIGKILL');
    await this.node(id).gone();
  }

  /** Starts a broker again that was ended. */
  async revive(id: number): Promise<void> {
    await this.node(id).launch();
    await this.node(id).ready();
  }

  /** One more broker, which is no controller, joins. */
  async add(): Promise<KafkaNode> {
    const node = this.#node(this.#nodes.size + 1, false);
    await node.format();
    await node.launch();
    await node.ready();
    return node;
  }

  /** Connections that clients hold now at each broker, by node id. */
  connections(listener: Listener): Map<number, number> {
    const counts = connectionsAt(this.nodes.map((node) => node.port(listener)));
    return new Map(this.nodes.map((node) => [node.id, counts.get(node.port(listener)) ?? 0]));
  }

  /** What one listener of every broker counted, in all; a broker that was started again counts from 0. */
  async figures(listener: Listener): Promise<ListenerFigures> {
    const each = await Promise.all(this.nodes.map((node) => node.figures()));
    const sum = (field: keyof ListenerFigures) => each.reduce((total, all) => total + (all[listener]?.[field] ?? 0), 0);
    return {
      open: sum('open'),
      created: sum('created'),
      bytesIn: sum('bytesIn'),
      bytesOut: sum('bytesOut'),
      requests: sum('requests'),
      authentications: sum('authentications'),
      failedAuthentications: sum('failedAuthentications'),
      expired: sum('expired'),
    };
  }

  /** What the authorizers of all brokers decided. */
  authorizations(): Authorization[] {
    return this.nodes.flatMap((node) => node.authorizations());
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    if (!KEPT) rmSync(this.#plan.folder, { recursive: true, force: true });
  }
}

function portOf(firstPort: number, id: number): number {
  return firstPort + (id - 1) * PORTS_PER_NODE;
}
