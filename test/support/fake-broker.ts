/** Brokers that speak the line protocol and do what a test tells them; each answers at once unless it is `manual`. */
import type { FakeNetwork } from './fake-network.ts';
import type { FakePeer } from './fake-peer.ts';
import { type Frame, FrameReader, formatFrame } from './line-frames.ts';

export interface Received {
  readonly word: string;
  readonly id: string;
  readonly keys: ReadonlyMap<string, string>;
  readonly body: Buffer;
  readonly connection: FakeConnection;
  /** Who the broker takes the connection for. */
  readonly principal: string;
}

export interface AnswerOptions {
  /** Instead of the right one. */
  readonly id?: string;
  readonly mute?: number;
  readonly body?: string | Buffer;
  /** Other keys of the answer. */
  readonly keys?: Iterable<readonly [string, string]>;
}

/** What the brokers of one cluster say about it. */
export class FakeCluster {
  id = 'lake';
  version = '1';
  /** Passwords by name; null: everybody is anonymous. */
  users: Map<string, string> | null = null;
  /** For how many milliseconds a connection is served; a request behind that ends it. 0: without end. */
  sessionMilliseconds = 0;
  /** Logins that were refused. */
  refusals = 0;
  /** Requests that came behind the end of a session. */
  late = 0;
  now: () => number = () => 0;
  readonly brokers = new Map<string, FakeBroker>();

  /** As answers name them. */
  get nodes(): string {
    return [...this.brokers.values()].map(({ node, address }) => `${node}@${address}`).join(',');
  }
}

export class FakeBroker {
  readonly node: string;
  readonly network: FakeNetwork;
  readonly cluster: FakeCluster;
  address: string;
  /** Requests of clients wait for `answer`. */
  manual = false;
  /** Our own requests are answered. */
  greets = true;
  answersPings = true;
  readonly connections: FakeConnection[] = [];
  /** Requests of clients, over all connections, in the order of their arrival. */
  readonly received: Received[] = [];

  constructor(node: string, address: string, network: FakeNetwork, cluster: FakeCluster) {
    this.node = node;
    this.address = address;
    this.network = network;
    this.cluster = cluster;
    cluster.brokers.set(node, this);
    this.start();
  }

  start(): void {
    this.network.serve(this.address, (peer) => this.accept(peer));
  }

  accept(peer: FakePeer): void {
    this.connections.push(new FakeConnection(this, peer));
  }

  /** Dead: connections end, dials are refused. */
  stop(how: 'fin' | 'rst' = 'fin'): void {
    this.network.refuse(this.address);
    for (const connection of this.open) connection.peer[how === 'fin' ? 'close' : 'rst']();
  }

  /** It reads and says nothing any more, and dials are never answered. */
  vanish(): void {
    this.network.silence(this.address);
    for (const connection of this.connections) connection.deaf = true;
  }

  moveTo(address: string): void {
    this.network.refuse(this.address);
    this.address = address;
    this.start();
  }

  /** Not closed by either side. */
  get open(): FakeConnection[] {
    return this.connections.filter(({ peer }) => !peer.over && !peer.gone);
  }

  get words(): string[] {
    return this.received.map(({ word }) => word);
  }
  get ids(): string[] {
    return this.received.map(({ id }) => id);
  }
}

export class FakeConnection {
  readonly broker: FakeBroker;
  readonly peer: FakePeer;
  /** Everything that came, our own requests included. */
  readonly received: Received[] = [];
  /** What waits for `answer`, in order. */
  readonly waiting: Received[] = [];
  readonly #reader = new FrameReader();
  principal = '';
  sessionEnd = Number.POSITIVE_INFINITY;
  deaf = false;

  constructor(broker: FakeBroker, peer: FakePeer) {
    this.broker = broker;
    this.peer = peer;
    peer.onBytes = (bytes) => this.#read(bytes);
    peer.onEnd = () => peer.close();
  }

  /** Bytes of a request that is not complete. */
  get partial(): number {
    return this.#reader.partial;
  }

  #read(bytes: Buffer): void {
    if (this.deaf || this.peer.gone) return;
    for (const { frame, body } of this.#reader.push(bytes)) this.#take(frame, body);
  }

  #take(frame: Frame, body: Buffer): void {
    const { word, id, keys } = frame;
    const { cluster } = this.broker;
    if (cluster.now() >= this.sessionEnd) {
      cluster.late += 1;
      this.deaf = true;
      this.peer.close();
      return;
    }
    if (word === 'login') this.#logIn(keys);
    else if (cluster.users !== null && this.principal === '') throw new Error(`${word} of nobody`);
    const request: Received = { word, id, keys, body, connection: this, principal: this.principal };
    this.received.push(request);
    this.waiting.push(request);
    if (!isOurs(request)) this.broker.received.push(request);
    this.#answerWhatMay();
  }

  #logIn(keys: ReadonlyMap<string, string>): void {
    const { cluster } = this.broker;
    const user = keys.get('user') ?? '';
    if (cluster.users?.get(user) !== keys.get('secret')) {
      cluster.refusals += 1;
      return;
    }
    this.principal = user;
    if (cluster.sessionMilliseconds > 0) this.sessionEnd = cluster.now() + cluster.sessionMilliseconds;
  }

  /** A broker answers in order: what waits behind something else waits too. */
  #answerWhatMay(): void {
    for (let first = this.waiting[0]; first !== undefined; first = this.waiting[0]) {
      const { word } = first;
      const { greets, answersPings, manual } = this.broker;
      const mayAnswer = word === 'hello' || word === 'login' ? greets : isOurs(first) ? answersPings : !manual;
      if (!mayAnswer) return;
      this.#answer({});
    }
  }

  /** Answers the first that waits; what needs no telling behind it is answered as well. */
  answer(options: AnswerOptions = {}): void {
    this.#answer(options);
    this.#answerWhatMay();
  }

  #answer(options: AnswerOptions): void {
    const request = this.waiting.shift();
    if (request === undefined) throw new Error('nothing waits for an answer');
    if (request.word !== 'shot') this.peer.send(answerTo(request, options));
  }

  /** The answer, for those who send it in pieces. */
  takeAnswer(options: AnswerOptions = {}): Buffer {
    const request = this.waiting.shift();
    if (request === undefined) throw new Error('nothing waits for an answer');
    return answerTo(request, options);
  }
}

function isOurs({ word }: Received): boolean {
  return word === 'hello' || word === 'login' || word === 'ping' || word === 'refresh';
}

function answerTo(request: Received, { id, mute, body, keys }: AnswerOptions): Buffer {
  const { cluster } = request.connection.broker;
  const all = new Map<string, string>(keys);
  if (request.word === 'hello') all.set('version', cluster.version);
  if (request.word === 'login') {
    if (request.connection.principal === '') all.set('refused', 'yes');
    else all.set('lifetime', `${cluster.sessionMilliseconds}`);
  }
  if (request.word === 'hello' || request.word === 'meta') all.set('cluster', cluster.id).set('nodes', cluster.nodes);
  if (mute !== undefined) all.set('mute', `${mute}`);
  const echo = request.keys.get('answer');
  const content = body ?? (echo === undefined ? '' : Buffer.alloc(Number(echo), request.id));
  return formatFrame('ok', id ?? request.id, all, content);
}
