/** One broker of a cluster: its connections, and what it is told to do wrong. */
import { BrokerConnection, type Transport } from './broker-connection.ts';
import type { FakeCluster } from './cluster.ts';
import type { CommandName } from './commands.ts';
import type { Frame } from './frames.ts';
import type { Topic } from './topic.ts';

export class FakeBroker {
  readonly cluster: FakeCluster;
  readonly index: number;
  /** `host:port`, as it is advertised. */
  readonly address: string;
  /** All that there ever were. */
  readonly connections: BrokerConnection[] = [];
  /** Commands that are left alone for now. */
  readonly #held = new Set<CommandName>();
  /** Commands that are dealt with, and whose answers are kept back. */
  readonly #unanswered = new Set<CommandName>();
  readonly #waiting: (() => void)[] = [];
  /** Frames are kept, for tests to look at. */
  records = true;
  /** Sees every frame first; true: it is dealt with. */
  tamper: (connection: BrokerConnection, frame: Frame) => boolean = () => false;
  /** Connects and then says nothing of it: `PRODUCER_SUCCESS` comes twice, first as not ready. */
  keepsProducersWaiting = false;
  #ready: (() => void)[] = [];

  constructor(cluster: FakeCluster, address: string) {
    this.cluster = cluster;
    this.index = cluster.brokers.length;
    this.address = address;
    cluster.brokers.push(this);
  }

  get url(): string {
    return `pulsar://${this.address}`;
  }
  get urlTls(): string {
    return `pulsar+ssl://${this.address}`;
  }

  accept(transport: Transport): BrokerConnection {
    const connection = new BrokerConnection(this, transport);
    this.connections.push(connection);
    return connection;
  }

  get open(): readonly BrokerConnection[] {
    return this.connections.filter(({ isOpen }) => isOpen);
  }
  /** The one that is open, if there is one alone. */
  get only(): BrokerConnection {
    const [first, ...others] = this.open;
    if (first === undefined || others.length > 0) throw new Error(`${this.open.length} connections are open`);
    return first;
  }
  /** Frames of such a command, over all connections, in the order of their coming to each. */
  count(name: CommandName): number {
    return this.connections.reduce((sum, each) => sum + each.commands(name).length, 0);
  }

  hold(...names: readonly CommandName[]): void {
    for (const name of names) this.#held.add(name);
  }

  holdAnswers(...names: readonly CommandName[]): void {
    for (const name of names) this.#unanswered.add(name);
  }

  /** All that was held is dealt with now, in order, and nothing is held any more. */
  release(): void {
    // What is answered leads to more at once, which waits behind the others.
    for (let run = this.#waiting.shift(); run !== undefined; run = this.#waiting.shift()) run();
    this.#held.clear();
    this.#unanswered.clear();
  }

  /** Something is left alone, or kept back. */
  get isHolding(): boolean {
    return this.#held.size + this.#unanswered.size > 0;
  }

  holds(name: CommandName, run: () => void): boolean {
    const holds = this.#held.has(name);
    if (holds) this.#waiting.push(run);
    return holds;
  }

  holdsAnswers(name: CommandName, run: () => void): boolean {
    const holds = this.#unanswered.has(name);
    if (holds) this.#waiting.push(run);
    return holds;
  }

  whenReady(tell: () => void): void {
    this.#ready.push(tell);
  }
  /** Producers that wait become ready. */
  makeReady(): void {
    const ready = this.#ready;
    this.#ready = [];
    for (const tell of ready) tell();
  }

  /** What comes every 30 seconds: PING, and who did not answer the last one with anything at all is closed. */
  keepAlive(): void {
    for (const connection of this.open) connection.keepAlive();
  }

  /** This broker does not serve the topic any more. */
  drop(topic: Topic, assigned: FakeBroker | null): void {
    topic.producers.clear();
    for (const { consumers } of topic.subscriptions.values()) consumers.clear();
    for (const connection of this.open) connection.drop(topic, assigned);
  }

  /** The process is killed. */
  kill(): void {
    for (const connection of this.open) connection.reset();
  }
}
