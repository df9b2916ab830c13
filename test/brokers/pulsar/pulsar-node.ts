/** One broker of Pulsar: its configuration, its process, its life. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Child } from '../child.ts';
import { until } from '../until.ts';
import { launchJava } from './jvm.ts';
import type { PulsarSecurity } from './pulsar-security.ts';

/**
 * Every broker listens apart for each kind of peer, so that each can be counted alone: INTERNAL for the brokers among
 * themselves and for those who judge a test, DIRECT for clients that connect directly, HIDDEN for the sidecar (it
 * advertises a name that nobody can resolve).
 */
const LISTENERS = ['INTERNAL', 'DIRECT', 'HIDDEN'] as const;
export type PulsarListener = (typeof LISTENERS)[number];

const WEB_OFFSET = LISTENERS.length;
export const PORTS_PER_BROKER = WEB_OFFSET + 1;

export const LOAD_MANAGERS = {
  none: 'org.apache.pulsar.broker.loadbalance.NoopLoadManager',
  modular: 'org.apache.pulsar.broker.loadbalance.impl.ModularLoadManagerImpl',
  extensible: 'org.apache.pulsar.broker.loadbalance.extensions.ExtensibleLoadManagerImpl',
} as const;
export type LoadManager = keyof typeof LOAD_MANAGERS;

export interface BrokerPlan {
  readonly id: number;
  readonly firstPort: number;
  readonly bookiePort: number;
  readonly folder: string;
  /** `zk:host:port`; undefined where the only broker keeps the metadata itself. */
  readonly metadata: string | undefined;
  readonly loadManager: LoadManager;
  /** Null: everybody may do everything, in plaintext. */
  readonly security: PulsarSecurity | null;
  /** Of broker.conf; they go before ours. */
  readonly properties: Readonly<Record<string, string | number | boolean>>;
  /** See JvmOptions. */
  readonly tuned: boolean;
}

const MEGABYTES = 512;
const READY_MILLISECONDS = 120_000;

export function propertyLines(entries: object): string {
  return Object.entries(entries)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

export class PulsarNode {
  readonly id: number;
  readonly #plan: BrokerPlan;
  #child: Child | undefined;
  #launches = 0;

  constructor(plan: BrokerPlan) {
    this.id = plan.id;
    this.#plan = plan;
  }

  port(listener: PulsarListener): number {
    return this.#plan.firstPort + LISTENERS.indexOf(listener);
  }

  /** Where this machine reaches that listener. */
  address(listener: PulsarListener): string {
    return `127.0.0.1:${this.port(listener)}`;
  }

  scheme(listener: PulsarListener): 'pulsar' | 'pulsar+ssl' {
    return this.#plan.security?.secured === listener ? 'pulsar+ssl' : 'pulsar';
  }

  /** What the broker tells its clients there. */
  advertised(listener: PulsarListener): string {
    return listener === 'HIDDEN' ? `broker-${this.id}.invalid:${this.port(listener)}` : this.address(listener);
  }

  /** Of its admin interface. */
  get web(): string {
    return `127.0.0.1:${this.#plan.firstPort + WEB_OFFSET}`;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.ending === undefined;
  }

  /** @throws Error if it does not run */
  get pid(): number {
    if (this.#child === undefined || !this.running) throw new Error(`broker ${this.id} does not run`);
    return this.#child.pid;
  }

  get #log(): string {
    return join(this.#plan.folder, `broker-${this.id}.${this.#launches}.log`);
  }

  #configuration(): Record<string, string | number | boolean> {
    const { metadata, loadManager, folder } = this.#plan;
    const each = (write: (name: PulsarListener) => string) => LISTENERS.map(write).join(',');
    const bound = LISTENERS.filter((name) => name !== 'INTERNAL').map(
      (name) => `${name}:${this.scheme(name)}://${this.address(name)}`,
    );
    return {
      clusterName: 'slackwater',
      bindAddress: '127.0.0.1',
      brokerServicePort: this.port('INTERNAL'),
      webServicePort: this.#plan.firstPort + WEB_OFFSET,
      // PIP-95: whoever comes to an address is told the addresses of that name.
      bindAddresses: bound.join(','),
      advertisedListeners: each((name) => `${name}:${this.scheme(name)}://${this.advertised(name)}`),
      internalListenerName: 'INTERNAL',
      ...(metadata === undefined ? {} : { metadataStoreUrl: metadata }),
      // A killed broker is missed sooner than after the usual 30 s.
      metadataStoreSessionTimeoutMillis: 4_000,
      managedLedgerDefaultEnsembleSize: 1,
      managedLedgerDefaultWriteQuorum: 1,
      managedLedgerDefaultAckQuorum: 1,
      managedLedgerCacheSizeMB: 64,
      bookkeeperNumberOfChannelsPerBookie: 1,
      defaultNumberOfNamespaceBundles: 4,
      loadBalancerEnabled: loadManager !== 'none',
      loadManagerClassName: LOAD_MANAGERS[loadManager],
      // Topics move when a test moves them.
      loadBalancerSheddingEnabled: false,
      loadBalancerAutoBundleSplitEnabled: false,
      webSocketServiceEnabled: false,
      brokerShutdownTimeoutMs: 3_000,
      transactionCoordinatorEnabled: true,
      systemTopicEnabled: true,
      // What was sent must be there when it is read back, with or without a subscription.
      brokerDeleteInactiveTopicsEnabled: false,
      defaultRetentionTimeInMinutes: -1,
      defaultRetentionSizeInMB: -1,
      narExtractionDirectory: folder,
      listeningInterface: 'lo',
      allowLoopback: true,
      allowEphemeralPorts: true,
      ledgerStorageClass: 'org.apache.bookkeeper.bookie.storage.ldb.DbLedgerStorage',
      nettyMaxFrameSizeBytes: 5_253_120,
      dbStorage_writeCacheMaxSizeMb: 16,
      dbStorage_readAheadCacheMaxSizeMb: 16,
      dbStorage_rocksDB_blockCacheSize: 8_388_608,
      journalSyncData: false,
      journalMaxGroupWaitMSec: 1,
      diskUsageThreshold: 0.99,
      diskUsageWarnThreshold: 0.99,
      ...this.#plan.security?.properties,
      ...this.#plan.properties,
    };
  }

  /** The first broker brings the bookie, and metadata where nobody else keeps it. */
  async launch(): Promise<void> {
    if (this.running) throw new Error(`broker ${this.id} runs already`);
    this.#launches += 1;
    const { folder, metadata, bookiePort, tuned } = this.#plan;
    mkdirSync(join(folder, 'bookkeeper'), { recursive: true });
    const file = join(folder, `broker-${this.id}.conf`);
    writeFileSync(file, propertyLines(this.#configuration()));
    const alone = [
      '-nfw',
      '-nss',
      '--bookkeeper-dir',
      join(folder, 'bookkeeper'),
      '--bookkeeper-port',
      `${bookiePort}`,
    ];
    const kept = metadata === undefined ? ['--metadata-dir', join(folder, 'metadata')] : ['--metadata-url', metadata];
    const first = this.id === 1;
    this.#child = await launchJava(
      `broker ${this.id}`,
      first ? 'slackwater.test.LoneBroker' : 'org.apache.pulsar.PulsarBrokerStarter',
      ['-c', file, ...(first ? [...alone, ...kept] : [])],
      { megabytes: MEGABYTES, tuned, log: this.#log, folder },
    );
  }

  /** Waits until `probe` answers true, or tells how the log ends. */
  async until(what: string, probe: () => Promise<true | string>): Promise<void> {
    await until(what, READY_MILLISECONDS, async () => {
      if (!this.running) throw new Error(`${what}: broker ${this.id} has ended:\n${this.#last()}`);
      const seen = await probe();
      return seen === true ? true : `${seen}; its log ends with\n${this.#last()}`;
    });
  }

  #last(): string {
    return readFileSync(this.#log, 'utf8').split('\n').slice(-20).join('\n');
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.signal(signal);
  }

  async gone(): Promise<void> {
    await this.#child?.exited;
  }

  async stop(): Promise<void> {
    await this.#child?.stop('SIGKILL');
  }
}
