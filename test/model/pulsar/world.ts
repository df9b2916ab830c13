/** The sidecar between client processes and brokers that do as a schedule says, and a book of all that passed. */

import type { Clock } from '../../../src/core/clock.ts';
import type { CoreEvent } from '../../../src/core/events.ts';
import { ANONYMOUS, ANONYMOUS_LOGIN, type Login } from '../../../src/core/login.ts';
import { Upstream } from '../../../src/core/upstream.ts';
import type { CredentialSource } from '../../../src/identity/credentials.ts';
import { PassedIdentities } from '../../../src/identity/passed.ts';
import { endingToken } from '../../support/ending-token.ts';
import type { FakePeer } from '../../support/fake-peer.ts';
import type { FakeWire } from '../../support/fake-wire.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import type { BrokerConnection } from '../../support/pulsar/broker-connection.ts';
import { ServerError } from '../../support/pulsar/commands.ts';
import { PulsarSidecar, type SidecarOptions } from '../../support/pulsar/memory.ts';
import { closeFault } from './close-rules.ts';
import { type Connection, Hesitation, type Socket } from './connection.ts';
import type { ModelConsumer } from './consumer.ts';
import { checkInvariants } from './invariants.ts';
import { Ledger } from './ledger.ts';
import { Process, type Surroundings } from './process.ts';
import type { ModelProducer } from './producer.ts';
import type { Setting } from './steps.ts';

/** They end within a schedule, and brokers take them all the same. */
export const TOKENS = ['alice', 'bob'].map((subject) => endingToken(subject, 1_700_001_060));
export const MAX_IDLE_SECONDS = 30;
export const INTERVAL_SECONDS = 10;
export const BROKERS = 2;
const KEEP_ALIVE_MILLISECONDS = 30_000;
const VERSIONS = [21, 21, 19] as const;
export const WHOLE_FRAME_BYTES = 400;

/** Nothing moves but when the schedule says so. */
class HeldSidecar extends PulsarSidecar {
  holds = false;

  override pump(): void {
    if (!this.holds) super.pump();
  }
}

function passing(clock: Clock): PassedIdentities {
  const loginOf = ({ credential }: CredentialSource): Login => ({ ...ANONYMOUS_LOGIN, fingerprint: 'its', credential });
  return new PassedIdentities({ ...ANONYMOUS, loginOf }, clock);
}

export class World implements Surroundings {
  readonly options: Setting;
  readonly sidecar: HeldSidecar;
  readonly identities: PassedIdentities;
  readonly processes: Process[] = [];
  readonly producers: ModelProducer[] = [];
  readonly consumers: ModelConsumer[] = [];
  readonly ledger: Ledger;
  /** Connections to brokers that broke at some time. */
  hasLost = false;
  /** In the middle of a frame, of which a client may have seen a part. */
  hasTorn = false;
  hasFailedDials = false;
  /** When something was last held up that moves by itself otherwise. */
  troubleTime = Number.NEGATIVE_INFINITY;
  /** PRODUCERs that brokers refuse. */
  refusals = 0;
  ending = false;
  trace: (line: string) => void = () => undefined;
  readonly #connections = new Map<string, Connection>();
  readonly #violations: string[] = [];
  /** Clients that were told so before the dial that failed was reported. */
  readonly #unreached: string[] = [];
  #lastClient = '';
  #keepAliveTime = 0;
  readonly #down = new Set<number>();

  constructor(options: Setting) {
    this.options = options;
    const { cap, deduplication, redirects, keepsTopicsAlive } = options;
    const clock = new ManualClock();
    this.identities = passing(clock);
    const sidecar: SidecarOptions = {
      clock,
      brokers: BROKERS,
      cluster: { deduplication, redirects, credentials: new Set(['', ...TOKENS]) },
      identities: this.identities,
      multiplexing: { passed: this.identities, keepsTopicsAlive, rewritesLookups: false },
      options: {
        connectionMaxIdleSeconds: MAX_IDLE_SECONDS,
        connectionIdleDetectionIntervalSeconds: INTERVAL_SECONDS,
      },
      upstream: { dialTimeoutMilliseconds: 1000 },
      pool: { maxConnectionsPerBroker: cap, validateAfterIdleSeconds: 5, maxConnectionAgeSeconds: 120 },
      limits: { wholeFrameBytes: WHOLE_FRAME_BYTES, clientStallSeconds: 20, responseTimeoutSeconds: 30 },
    };
    this.sidecar = new HeldSidecar(sidecar);
    this.sidecar.onEvent = (event) => this.#observe(event);
    this.sidecar.network.bufferBytes = 512;
    this.ledger = new Ledger(this.sidecar.cluster, this.producers, (rule) => this.violated(rule));
    for (const broker of this.sidecar.cluster.brokers) {
      broker.records = false;
      broker.tamper = (connection, { command }) => {
        this.trace(
          `    broker ${connection.number} takes ${command.name} ${'fields' in command ? show(command.fields) : ''}`,
        );
        if (command.name !== 'PRODUCER') return false;
        const { producerId = 0n, requestId = 0n } = command.fields;
        if (connection.producers.has(producerId)) this.violated(`producer ${producerId} is opened twice`);
        if (this.refusals === 0) return false;
        this.refusals -= 1;
        connection.error(requestId, ServerError.producerBusy, 'Producer is busy');
        return true;
      };
    }
  }

  async start(): Promise<void> {
    const { route, network } = this.sidecar;
    await route.start();
    await network.settle();
    this.sidecar.pass(3);
    this.sidecar.events.length = 0;
    this.#keepAliveTime = this.now;
    this.sidecar.holds = true;
  }

  get now(): number {
    return this.sidecar.clock.now();
  }
  get live(): readonly Process[] {
    return this.processes.filter(({ isAlive }) => isAlive);
  }
  get connections(): readonly Connection[] {
    return this.live.flatMap(({ openConnections }) => openConnections);
  }
  get liveProducers(): readonly ModelProducer[] {
    return this.producers.filter(({ isLive }) => isLive);
  }
  get brokerConnections(): readonly BrokerConnection[] {
    return this.sidecar.cluster.brokers.flatMap(({ open }) => open);
  }
  /** Ours to brokers. */
  get upstreamWires(): readonly FakeWire[] {
    return this.sidecar.network.wires.filter(({ handler }) => handler instanceof Upstream);
  }

  // --- for the processes ------------------------------------------------------------------------------------------

  violated(rule: string): void {
    this.#violations.push(rule);
  }
  acknowledged(producer: ModelProducer, index: number): void {
    this.ledger.acknowledged(producer, index);
  }
  consumed({ number, topic }: ModelConsumer, text: string): void {
    const producer = this.producers[Number(text.split(' ')[0])];
    if (producer?.topic !== topic) this.violated(`consumer ${number} of ${topic} got ${text.slice(0, 20)}`);
  }

  open(): Socket | null {
    const made: { hesitation?: Hesitation; peer?: FakePeer } = {};
    const { events, isListening } = this.sidecar;
    if (!isListening) return null;
    const client = this.sidecar.open(undefined, (transport, peer) => {
      made.peer = peer;
      made.hesitation = new Hesitation(transport);
      return made.hesitation;
    });
    const connected = events.findLast(({ type }) => type === 'client.connected');
    this.#lastClient = connected?.type === 'client.connected' ? connected.client : '';
    const { hesitation, peer } = made;
    if (hesitation === undefined || peer === undefined) return null;
    return { client, hesitation, peer, id: this.#lastClient };
  }

  startProcess(which: number): Process | null {
    const token = TOKENS[which % TOKENS.length] ?? '';
    const protocolVersion = VERSIONS[(which >> 1) % VERSIONS.length] ?? 21;
    const flags = (which >> 4) % 3 === 0 ? { authRefresh: true } : { authRefresh: true, brokerEntryMetadata: true };
    // Some count from where floats end.
    const firstId = (which >> 6) % 3 === 0 ? 2n ** 53n + 1n : 0n;
    const process = new Process(this, { token, protocolVersion, flags }, firstId);
    this.processes.push(process);
    return process;
  }

  connectionOf(client: string): Connection | undefined {
    const known = this.#connections.get(client);
    if (known !== undefined) return known;
    for (const { connections } of this.processes)
      for (const each of connections) this.#connections.set(each.socket.id, each);
    return this.#connections.get(client);
  }

  // --- the brokers --------------------------------------------------------------------------------------------------

  brokerDies(index: number): void {
    this.#down.add(index);
    this.hasLost = true;
    this.sidecar.kill(index);
  }

  brokerUp(index: number): void {
    this.#down.delete(index);
    this.sidecar.serve(index);
  }

  get hasBrokersDown(): boolean {
    return this.#down.size > 0;
  }

  /** Whoever was asked and has not answered by the next time is closed; not who is not read. */
  keepAlive(): void {
    if (this.now - this.#keepAliveTime < KEEP_ALIVE_MILLISECONDS) return;
    this.#keepAliveTime = this.now;
    for (const connection of this.brokerConnections) {
      const peer = this.sidecar.peers.get(connection);
      if (peer !== undefined && peer.room === Number.POSITIVE_INFINITY) connection.keepAlive();
      if (!connection.isOpen) this.hasLost = true;
    }
  }

  /** Something stands still that does not by itself. */
  get isTroubled(): boolean {
    const { sidecar } = this;
    return (
      this.hasBrokersDown ||
      this.refusals > 0 ||
      sidecar.cluster.brokers.some(({ keepsProducersWaiting, isHolding }) => keepsProducersWaiting || isHolding) ||
      this.connections.some(({ isClogged, socket }) => isClogged || socket.hesitation.unsent > 0) ||
      this.upstreamWires.some(({ peer }) => peer.room !== Number.POSITIVE_INFINITY)
    );
  }

  noteTrouble(): void {
    if (this.isTroubled) this.troubleTime = this.now;
  }

  #observe(event: CoreEvent): void {
    this.trace(`    ${JSON.stringify(event)}`);
    if (event.type === 'upstream.dial_failed') this.hasFailedDials = true;
    else if (event.type === 'invariant.violated') this.violated(event.detail);
    else if (event.type !== 'client.disconnected') return;
    else if (event.reason === 'upstream_unavailable') this.#unreached.push(event.client);
    else {
      const fault = closeFault(this, event);
      if (fault !== undefined) this.violated(fault);
    }
  }

  // --- what must hold -----------------------------------------------------------------------------------------------

  check(): void {
    const { network, cluster } = this.sidecar;
    for (const client of this.#unreached.splice(0))
      if (!this.hasFailedDials) this.violated(`${client} was told that its broker cannot be reached, and it can`);
    this.ledger.look();
    const faults = cluster.faults.filter((fault) => !/no answer to a PING|no handshake in time/.test(fault));
    this.#violations.push(...faults, ...network.faults, ...checkInvariants(this));
    const [first] = this.#violations;
    if (first !== undefined) throw new Error(this.#violations.join('; '));
  }
}

function show(fields: object): string {
  return JSON.stringify(fields, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)).slice(
    0,
    150,
  );
}
