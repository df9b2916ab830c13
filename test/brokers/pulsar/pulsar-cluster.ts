/** Real Pulsar on loopback for one test file, gone with it: one broker, or two that share a ZooKeeper and a bookie. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Child } from '../child.ts';
import { freePortBlock } from '../free-ports.ts';
import { connectionsAt } from '../listener-sockets.ts';
import { requirePulsarTools } from '../prerequisites.ts';
import { until } from '../until.ts';
import { launchJava } from './jvm.ts';
import { type ProxyOptions, ProxyServer } from './proxy-server.ts';
import { PulsarAdmin } from './pulsar-admin.ts';
import {
  type BrokerPlan,
  type LoadManager,
  PORTS_PER_BROKER,
  type PulsarListener,
  PulsarNode,
  propertyLines,
} from './pulsar-node.ts';
import { PulsarSecurity } from './pulsar-security.ts';

const MAX_BROKERS = 2;
/** Behind those of the brokers: bookie, ZooKeeper, Pulsar's own proxies and their admin interfaces. */
const BOOKIE_OFFSET = MAX_BROKERS * PORTS_PER_BROKER;
const ZOOKEEPER_OFFSET = BOOKIE_OFFSET + 1;
const PROXY_OFFSET = ZOOKEEPER_OFFSET + 1;
const PORTS_PER_PROXY = 2;
const PORTS = PROXY_OFFSET + 2 * PORTS_PER_PROXY;
/** Whether logs and data outlast the test, for whoever wants to know what happened. */
const KEPT = (process.env.SLACKWATER_KEEP_BROKERS ?? '') !== '';

export interface PulsarOptions {
  readonly brokers: 1 | 2;
  /** Of two brokers; one has none. */
  readonly loadManager?: Exclude<LoadManager, 'none'>;
  readonly properties?: BrokerPlan['properties'];
  /** Who one is must be shown by tokens, and the sidecar's listener is behind TLS. */
  readonly secured?: boolean;
  /** See JvmOptions. */
  readonly tuned?: boolean;
}

export class PulsarCluster {
  readonly nodes: readonly PulsarNode[];
  readonly folder: string;
  readonly #security: PulsarSecurity | null;
  readonly #firstPort: number;
  readonly #tuned: boolean;
  readonly #others: { stop(): Promise<unknown> }[] = [];

  private constructor(folder: string, firstPort: number, security: PulsarSecurity | null, options: PulsarOptions) {
    const { brokers, loadManager = 'modular', properties = {}, tuned = false } = options;
    this.folder = folder;
    this.#security = security;
    this.#firstPort = firstPort;
    this.#tuned = tuned;
    this.nodes = Array.from({ length: brokers }, (_, index) => {
      return new PulsarNode({
        id: index + 1,
        firstPort: firstPort + index * PORTS_PER_BROKER,
        bookiePort: firstPort + BOOKIE_OFFSET,
        folder,
        metadata: brokers === 1 ? undefined : `zk:127.0.0.1:${firstPort + ZOOKEEPER_OFFSET}`,
        loadManager: brokers === 1 ? 'none' : loadManager,
        security,
        properties,
        tuned,
      });
    });
  }

  /**
   * Starts a fresh cluster and waits until every broker serves.
   *
   * @throws Error that says what to install, or the log of a broker that does not start
   */
  static async start(options: PulsarOptions): Promise<PulsarCluster> {
    requirePulsarTools();
    const firstPort = await freePortBlock(PORTS);
    const folder = mkdtempSync(join(tmpdir(), 'slackwater-pulsar-'));
    if (!KEPT) process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    const security = options.secured === true ? await PulsarSecurity.make(folder) : null;
    const cluster = new PulsarCluster(folder, firstPort, security, options);
    try {
      if (options.brokers > 1) await cluster.#keepMetadata();
      const [first, ...others] = cluster.nodes;
      await first?.launch();
      if (first !== undefined && others.length > 0) {
        await first.until('the bookie to listen', () => listens(firstPort + BOOKIE_OFFSET));
      }
      for (const node of others) await node.launch();
      for (const node of cluster.nodes) await cluster.#ready(node);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  async #keepMetadata(): Promise<void> {
    const port = this.#firstPort + ZOOKEEPER_OFFSET;
    const data = join(this.folder, 'zookeeper');
    mkdirSync(data);
    const file = join(this.folder, 'zookeeper.cfg');
    writeFileSync(
      file,
      propertyLines({
        tickTime: 500,
        clientPortAddress: '127.0.0.1',
        clientPort: port,
        dataDir: data,
        maxClientCnxns: 0,
      }),
    );
    const main = 'org.apache.zookeeper.server.ZooKeeperServerMain';
    const log = join(this.folder, 'zookeeper.log');
    const child: Child = await launchJava('ZooKeeper', main, [file], { megabytes: 96, log, folder: this.folder });
    this.#others.push({ stop: () => child.stop('SIGKILL') });
    await until('ZooKeeper to listen', 60_000, () => listens(port));
  }

  /** The first broker's set-up ends with the namespace that everybody uses. */
  async #ready(node: PulsarNode): Promise<void> {
    const admin = this.adminAt(node);
    await node.until(`broker ${node.id} to serve`, async () => {
      try {
        await admin.ask('GET', 'namespaces/public/default');
        await admin.ask('GET', 'brokers/health');
        return true;
      } catch (error) {
        return String(error);
      }
    });
  }

  /** @throws Error if there is no such broker */
  node(id: number): PulsarNode {
    const node = this.nodes.find((each) => each.id === id);
    if (node === undefined) throw new Error(`no broker ${id}`);
    return node;
  }

  get admin(): PulsarAdmin {
    return this.adminAt(this.node(1));
  }

  adminAt(node: PulsarNode): PulsarAdmin {
    return new PulsarAdmin(node.web, this.#security?.adminToken);
  }

  /** @throws Error if brokers ask nobody who he is */
  get security(): PulsarSecurity {
    if (this.#security === null) throw new Error('the cluster is not secured');
    return this.#security;
  }

  get isSecured(): boolean {
    return this.#security !== null;
  }

  /** `pulsar://` with every broker, as clients are told. */
  url(listener: PulsarListener): string {
    return `${this.node(1).scheme(listener)}://${this.nodes.map((node) => node.address(listener)).join(',')}`;
  }

  /** Where each name that nobody can resolve leads. */
  hiddenAddresses(): Record<string, string> {
    return Object.fromEntries(this.nodes.map((node) => [node.advertised('HIDDEN'), node.address('HIDDEN')]));
  }

  /** Connections that clients hold now at each broker, by its id. */
  connections(listener: PulsarListener): Map<number, number> {
    const counts = connectionsAt(this.nodes.map((node) => node.port(listener)));
    return new Map(this.nodes.map((node) => [node.id, counts.get(node.port(listener)) ?? 0]));
  }

  /** The broker that owns a topic. */
  async owner(topic: string): Promise<PulsarNode> {
    const address = await this.admin.owner(topic);
    const node = this.nodes.find((each) => each.address('INTERNAL') === address);
    if (node === undefined) throw new Error(`${address} owns ${topic}, and is none of ours`);
    return node;
  }

  /** Has another broker own the bundle that a topic is in, or where there is one broker, the same again. */
  async move(topic: string): Promise<void> {
    const owner = await this.owner(topic);
    const other = this.nodes.find((node) => node.running && node !== owner);
    const admin = this.adminAt(owner);
    const port = other?.web.split(':')[1];
    const destination = (await admin.brokers()).find((name) => name.endsWith(`:${port}`));
    await admin.unload('public/default', await admin.bundle(topic), destination);
  }

  /** Ends a broker at once, as a crash would. */
  async kill(id: number): Promise<void> {
    this.node(id).signal('SIGKILL');
    await this.node(id).gone();
  }

  /** Starts a broker again that was ended. */
  async revive(id: number): Promise<void> {
    await this.node(id).launch();
    await this.#ready(this.node(id));
  }

  /** Pulsar's own proxy, in front of these brokers, one of each kind. */
  async proxy({ copies }: Pick<ProxyOptions, 'copies'>): Promise<ProxyServer> {
    const proxy = await ProxyServer.start(
      this.folder,
      this.#firstPort + PROXY_OFFSET + (copies ? PORTS_PER_PROXY : 0),
      this.nodes.map((node) => node.port('INTERNAL')),
      { web: this.node(1).web, tuned: this.#tuned, copies },
    );
    this.#others.push(proxy);
    return proxy;
  }

  async stop(): Promise<void> {
    for (const node of [...this.nodes].reverse()) await node.stop();
    for (const other of this.#others.reverse()) await other.stop();
    if (!KEPT) rmSync(this.folder, { recursive: true, force: true });
  }
}

function listens(port: number): Promise<true | string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => resolve(error.message));
  });
}
