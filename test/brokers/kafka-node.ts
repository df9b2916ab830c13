/** One broker: its properties, its process, its life. */
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrapCheckpoint, javaClasses, kafkaJars } from './cache.ts';
import type { ClusterCertificates } from './certificates.ts';
import { Child, run } from './child.ts';
import { type Security, securityProperties, securityProtocol } from './security.ts';
import { until } from './until.ts';
import type { KafkaVersion } from './versions.ts';
import { warmUp } from './warm-up.ts';

/**
 * Every broker listens apart for each kind of peer, so that each can be counted alone: DIRECT for clients that
 * connect directly, HIDDEN for the sidecar (it advertises a name that nobody can resolve), BROKERS for the brokers
 * among themselves and for those who judge a test. Where a cluster has SASL and TLS, DIRECT_CLEAR and HIDDEN_CLEAR are
 * the same without TLS.
 */
const ALWAYS = ['DIRECT', 'HIDDEN', 'BROKERS'] as const;
const CLEAR = ['DIRECT_CLEAR', 'HIDDEN_CLEAR'] as const;
const LISTENERS = [...ALWAYS, ...CLEAR] as const;
export type Listener = (typeof LISTENERS)[number];

/** Ports of a node in a block of its own: its listeners, the controller's, the meter's. */
const CONTROLLER_OFFSET = LISTENERS.length;
const METER_OFFSET = CONTROLLER_OFFSET + 1;
export const PORTS_PER_NODE = METER_OFFSET + 1;

/** What one listener of a broker has counted since the broker started. */
export interface ListenerFigures {
  readonly open: number;
  readonly created: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly requests: number;
  /** SASL exchanges, or TLS handshakes that showed a certificate. */
  readonly authentications: number;
  readonly failedAuthentications: number;
  /** KIP-368: requests on connections whose time was over, which the broker closed for that. */
  readonly expired: number;
}

/** One decision of the authorizer. */
export interface Authorization {
  /** `User:alice` */
  readonly principal: string;
  readonly allowed: boolean;
  readonly operation: string;
  /** `Topic:LITERAL:orders` */
  readonly resource: string;
}

export interface BrokerMemory {
  /** What is in use on the heap right after a collection. */
  readonly heapBytes: number;
  /** What the process holds of the machine's memory. */
  readonly residentBytes: number;
}

export interface NodePlan {
  readonly id: number;
  readonly firstPort: number;
  readonly folder: string;
  readonly version: KafkaVersion;
  readonly clusterId: string;
  /** `id@host:port` of every controller. */
  readonly voters: string;
  readonly controller: boolean;
  /** Server properties that go before the default ones. */
  readonly properties: Readonly<Record<string, string | number>>;
  readonly security: Security;
  /** Of clusters with TLS. */
  readonly certificates: ClusterCertificates | undefined;
}

export function controllerAddress(firstPort: number): string {
  return `127.0.0.1:${firstPort + CONTROLLER_OFFSET}`;
}

const READY_MILLISECONDS = 90_000;

export class KafkaNode {
  readonly id: number;
  readonly #plan: NodePlan;
  readonly #folder: string;
  #child: Child | undefined;
  #launches = 0;

  constructor(plan: NodePlan) {
    this.id = plan.id;
    this.#plan = plan;
    this.#folder = join(plan.folder, `node-${plan.id}`);
  }

  port(listener: Listener): number {
    return this.#plan.firstPort + LISTENERS.indexOf(listener);
  }

  /** Where this machine reaches that listener. */
  address(listener: Listener): string {
    return `127.0.0.1:${this.port(listener)}`;
  }

  /** What the broker tells its clients there. */
  advertised(listener: Listener): string {
    return listener.startsWith('HIDDEN') ? `broker-${this.id}.invalid:${this.port(listener)}` : this.address(listener);
  }

  get #listeners(): readonly Listener[] {
    const { tls = false, sasl = false } = this.#plan.security;
    return tls !== false && sasl ? LISTENERS : ALWAYS;
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
    return join(this.#folder, `broker.${this.#launches}.log`);
  }

  /** Lays an empty log folder out, as `StorageTool format` would. */
  async format(): Promise<void> {
    const data = join(this.#folder, 'data');
    mkdirSync(data, { recursive: true });
    const identity = { version: 1, 'cluster.id': this.#plan.clusterId, 'node.id': this.id, 'directory.id': uuid() };
    writeFileSync(join(data, 'meta.properties'), lines(identity));
    const checkpoint = await bootstrapCheckpoint(this.#plan.version, this.#plan.security.sasl);
    copyFileSync(checkpoint, join(data, 'bootstrap.checkpoint'));
    writeFileSync(
      join(this.#folder, 'server.properties'),
      lines({ ...this.#defaults(data), ...this.#plan.properties }),
    );
  }

  #defaults(data: string): Record<string, string | number> {
    const controller = this.#plan.controller;
    const { security, certificates } = this.#plan;
    const names = this.#listeners;
    const listeners = names.map((name) => `${name}://${this.address(name)}`);
    if (controller) listeners.push(`CONTROLLER://${controllerAddress(this.#plan.firstPort)}`);
    const replicas = Math.min(3, this.#plan.voters.split(',').length);
    return {
      'process.roles': controller ? 'broker,controller' : 'broker',
      'node.id': this.id,
      'controller.quorum.voters': this.#plan.voters,
      listeners: listeners.join(','),
      'advertised.listeners': names.map((name) => `${name}://${this.advertised(name)}`).join(','),
      'controller.listener.names': 'CONTROLLER',
      'inter.broker.listener.name': 'BROKERS',
      'listener.security.protocol.map': [
        'CONTROLLER:PLAINTEXT',
        ...names.map((name) => `${name}:${securityProtocol(name, security)}`),
      ].join(','),
      'metric.reporters': 'slackwater.test.ListenerMeter',
      'log.dirs': data,
      'default.replication.factor': replicas,
      'num.partitions': 3,
      'offsets.topic.num.partitions': 3,
      'offsets.topic.replication.factor': replicas,
      'transaction.state.log.num.partitions': 3,
      'transaction.state.log.replication.factor': replicas,
      'transaction.state.log.min.isr': Math.min(2, replicas),
      'share.coordinator.state.topic.num.partitions': 3,
      'share.coordinator.state.topic.replication.factor': replicas,
      'share.coordinator.state.topic.min.isr': Math.min(2, replicas),
      'group.initial.rebalance.delay.ms': 0,
      'num.network.threads': 2,
      'num.io.threads': 4,
      'log.segment.bytes': 64 * 1024 * 1024,
      // A killed broker is missed sooner than after the usual 9 s.
      'broker.heartbeat.interval.ms': 500,
      'broker.session.timeout.ms': 5_000,
      ...securityProperties(
        names,
        security,
        certificates && {
          keyStoreFile: certificates.brokers.storeFile,
          trustStoreFile: certificates.authority.caFile,
        },
      ),
    };
  }

  async launch(): Promise<void> {
    if (this.running) throw new Error(`broker ${this.id} runs already`);
    const jars = await kafkaJars(this.#plan.version);
    const classes = await javaClasses();
    this.#launches += 1;
    const log = openSync(this.#log, 'a');
    const simple = 'org.slf4j.simpleLogger';
    this.#child = new Child(
      `broker ${this.id}`,
      'java',
      [
        ...['-Xms128m', '-Xmx320m', '-Xss512k', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'],
        ...[`-D${simple}.defaultLogLevel=warn`, `-D${simple}.log.kafka.server.KafkaRaftServer=info`],
        ...[`-D${simple}.showDateTime=true`, `-D${simple}.dateTimeFormat=HH:mm:ss.SSS`],
        ...(this.#plan.security.acls ? [`-D${simple}.log.kafka.authorizer.logger=debug`] : []),
        `-Dslackwater.meter.port=${this.#plan.firstPort + METER_OFFSET}`,
        ...['-cp', `${join(jars, '*')}:${classes}`, 'kafka.Kafka', join(this.#folder, 'server.properties')],
      ],
      { stdio: ['ignore', log, log] },
    );
  }

  async ready(): Promise<void> {
    await until(`broker ${this.id} to start`, READY_MILLISECONDS, () => {
      const text = readFileSync(this.#log, 'utf8');
      if (text.includes('Kafka Server started')) return true;
      const last = text.trimEnd().split('\n').slice(-12).join('\n');
      if (!this.running) throw new Error(`broker ${this.id} died while starting:\n${last}`);
      return `its log ends with\n${last}`;
    });
    await warmUp(this.port('BROKERS'));
  }

  /** SIGKILL, SIGSTOP, SIGCONT, SIGTERM, ... After one that ends it, wait for `gone()`. */
  signal(signal: NodeJS.Signals): void {
    if (!this.running) throw new Error(`broker ${this.id} does not run`);
    this.#child?.signal(signal);
  }

  async gone(): Promise<void> {
    await this.#child?.exited;
  }

  async stop(): Promise<void> {
    await this.#child?.stop('SIGKILL');
  }

  /** @throws Error if the broker does not answer within two seconds, as when it is stopped */
  async figures(): Promise<Record<Listener, ListenerFigures>> {
    const url = `http://127.0.0.1:${this.#plan.firstPort + METER_OFFSET}/`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    return (await answer.json()) as Record<Listener, ListenerFigures>;
  }

  /** Lines of its log since it was launched. */
  get log(): readonly string[] {
    return readFileSync(this.#log, 'utf8').split('\n');
  }

  /** Warnings and errors of its log since it was launched. */
  complaints(): string[] {
    return this.log.filter((line) => / (WARN|ERROR) /.test(line));
  }

  /** What its authorizer decided since it was launched, in order; empty without ACLs. */
  authorizations(): Authorization[] {
    return this.log.flatMap((line) => {
      const found = /Principal = (\S+) is (Allowed|Denied) operation = (\S+) .*on resource = (\S+)/.exec(line);
      if (found === null) return [];
      const [, principal = '', decision, operation = '', resource = ''] = found;
      return [{ principal, allowed: decision === 'Allowed', operation, resource }];
    });
  }

  /** What the broker's process holds now; collects its garbage first. */
  async memory(): Promise<BrokerMemory> {
    const { pid } = this;
    await run('jcmd', [`${pid}`, 'GC.run']);
    const heap = await run('jcmd', [`${pid}`, 'GC.heap_info']);
    // `total 131072K, used 41234K` of each generation; metaspace is no part of the heap.
    const used = [...heap.matchAll(/generation\s+total \d+K, used (\d+)K/g)].map(([, kib]) => Number(kib) * 1024);
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return { heapBytes: used.reduce((sum, bytes) => sum + bytes, 0), residentBytes: Number(resident) * 1024 };
  }
}

/** A Kafka uuid: 16 bytes in URL-safe base64; one that begins with a dash is never made, since tools misread it. */
export function uuid(): string {
  const text = randomBytes(16).toString('base64url');
  return text.startsWith('-') ? uuid() : text;
}

function lines(properties: Readonly<Record<string, string | number>>): string {
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
