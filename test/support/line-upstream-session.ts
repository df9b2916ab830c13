import type { Credential } from '../../src/contract/credential.ts';
import type { ClientSession, UpstreamSession, UpstreamSink, UpstreamTarget } from '../../src/contract/protocol.ts';
import type { CloseReason, ReleaseReason } from '../../src/contract/reasons.ts';
import { BOOTSTRAP, type BrokerNode, type Topology } from '../../src/contract/topology.ts';
import { LineClientSession } from './line-client-session.ts';
import { type Frame, formatFrame, parseFrame } from './line-frames.ts';
import type { LineRoute } from './line-protocol.ts';

interface Owed<T> {
  /** Null: our own. */
  readonly tenant: T | null;
  readonly session: LineClientSession | null;
  readonly word: string;
  readonly id: string;
  readonly work: boolean;
  readonly topic: string;
  readonly patience: number;
  /** Counts up over all requests of the connection. */
  readonly order: number;
}

const NOTHING = Buffer.alloc(0);

export class LineUpstreamSession<T> implements UpstreamSession<T> {
  readonly #route: LineRoute;
  readonly #target: UpstreamTarget;
  readonly #owed: Owed<T>[] = [];
  #order = 0;
  #lastSilent = -1;
  #version = '';
  #partial: Buffer = NOTHING;
  #body: Owed<T> | null = null;
  #bodyLeft = 0;
  #metaBody: Buffer = NOTHING;
  #blocked = false;
  #refreshing = 0;
  #failed = false;

  lifetimeMilliseconds = 0;
  readonly #identity: string;

  constructor(route: LineRoute, target: UpstreamTarget, identity: string) {
    this.#identity = identity;
    this.#route = route;
    this.#target = target;
  }

  #own(word: string, keys: readonly (readonly [string, string])[] = []): Buffer {
    if (this.#failed) throw new Error('a failed upstream session was used');
    const id = `own-${this.#order}`;
    const topic = new Map(keys).get('topic') ?? '';
    this.#expect({ tenant: null, session: null, word, id, work: false, topic, patience: 0 });
    return formatFrame(word, id, keys);
  }

  #expect(owed: Omit<Owed<T>, 'order'>): void {
    this.#owed.push({ ...owed, order: this.#order });
    this.#order += 1;
  }

  /** Who was lent this connection last: only its requests may be admitted. */
  #lentTo: T | null = null;

  lend(tenant: T): void {
    this.#lentTo = tenant;
  }

  /** `login` first, if there is somebody to be; the greeting proper is its second step. */
  greeting(credential: Credential | null): Buffer {
    if (credential === null) return this.#own('hello');
    if (!('username' in credential)) throw new Error('the line protocol knows names and passwords');
    const keys: [string, string][] = [
      ['user', credential.username],
      ['secret', credential.password.reveal()],
    ];
    return this.#own('login', keys);
  }

  ping(): Buffer {
    return this.#own('ping');
  }

  refresh(): Buffer | undefined {
    const topics = [...this.#route.topicsOfSleepers(this.#identity)];
    this.#refreshing = topics.length;
    return topics.length === 0
      ? undefined
      : Buffer.concat(topics.map((topic) => this.#own('refresh', [['topic', topic]])));
  }

  admit(client: ClientSession, tenant: T): CloseReason | undefined {
    if (this.#failed) throw new Error('a failed upstream session was used');
    if (!(client instanceof LineClientSession)) throw new Error('a foreign session');
    if (client.identity !== this.#identity)
      throw new Error(`a request of ${client.identity} on a connection of ${this.#identity}`);
    if (client.toldVersion !== undefined && client.toldVersion !== this.#version) return 'versions_changed';
    if (tenant !== this.#lentTo) throw new Error('a request of somebody to whom the connection was not lent');
    const { word, id, topic, patience } = client;
    client.admitted();
    if (client.silent) {
      this.#lastSilent = this.#order;
      this.#order += 1;
    } else {
      this.#expect({ tenant, session: client, word, id, work: client.work, topic, patience });
    }
    return undefined;
  }

  get owed(): number {
    return this.#owed.length;
  }
  get holding(): boolean {
    return this.#owed.some((owed) => owed.word === 'hold');
  }
  get unfenced(): boolean {
    return this.#lastSilent >= 0;
  }
  get blocked(): boolean {
    return this.#blocked;
  }
  get inAnswer(): boolean {
    return this.#bodyLeft > 0 || this.#partial.length > 0;
  }
  get patienceMilliseconds(): number {
    return this.#owed.reduce((sum, owed) => sum + owed.patience, 0);
  }

  read(bytes: Buffer, start: number, end: number, sink: UpstreamSink<T>): void {
    if (this.#failed) throw new Error('a failed upstream session was used');
    if (this.#partial.length === 0 && !this.#blocked) {
      this.#read(bytes, start, end, sink);
      return;
    }
    const all = Buffer.concat([this.#partial, bytes.subarray(start, end)]);
    this.#partial = NOTHING;
    if (this.#blocked) this.#partial = all;
    else this.#read(all, 0, all.length, sink);
  }

  resume(sink: UpstreamSink<T>): void {
    if (!this.#blocked) return;
    const held = this.#partial;
    this.#partial = NOTHING;
    this.#blocked = false;
    this.#read(held, 0, held.length, sink);
  }

  #read(bytes: Buffer, start: number, end: number, sink: UpstreamSink<T>): void {
    let at = start;
    while (at < end && !this.#failed) {
      if (this.#owed.length === 0) {
        this.#fail(sink, 'unsolicited_bytes', 'nothing is owed');
        return;
      }
      if (this.#body !== null) {
        at += this.#readBody(this.#body, bytes, at, end, sink);
        continue;
      }
      const frame = parseFrame(bytes, at, end);
      if (frame === 'malformed') {
        this.#fail(sink, 'protocol_error', 'no frame');
        return;
      }
      if (frame === 'incomplete' || !this.#readHeader(frame, bytes, at, sink)) {
        if (!this.#failed) this.#partial = Buffer.from(bytes.subarray(at, end));
        return;
      }
      at += frame.headerBytes;
    }
  }

  #readBody(owed: Owed<T>, bytes: Buffer, at: number, end: number, sink: UpstreamSink<T>): number {
    const part = Math.min(this.#bodyLeft, end - at);
    if (owed.tenant !== null) sink.deliver(owed.tenant, bytes, at, at + part);
    if (owed.topic !== '') this.#metaBody = Buffer.concat([this.#metaBody, bytes.subarray(at, at + part)]);
    this.#bodyLeft -= part;
    if (this.#bodyLeft === 0) this.#complete(owed, sink);
    return part;
  }

  /** False: not taken, because it failed or waits for listeners. */
  #readHeader(frame: Frame, bytes: Buffer, at: number, sink: UpstreamSink<T>): boolean {
    const [owed] = this.#owed;
    if (owed === undefined) return false;
    if (frame.bodyBytes < 0) return this.#fail(sink, 'protocol_error', 'a negative length');
    if (frame.headerBytes + frame.bodyBytes > this.#route.context.maxFrameBytes)
      return this.#fail(sink, 'protocol_error', 'too large');
    if (frame.id !== owed.id) return this.#fail(sink, 'wrong_correlation_id', `${frame.id} is not ${owed.id}`);
    const topology = topologyOf(frame);
    if (topology !== null) {
      sink.named(topology);
      if (owed.word === 'hello' && !this.#isRightBroker(topology))
        return this.#fail(sink, 'cluster_changed', 'another cluster, or another place');
      if (owed.tenant !== null && topology.nodes.some(({ node }) => this.#local(node) === undefined)) {
        this.#blocked = true;
        return false;
      }
    }
    this.#deliverHeader(owed, frame, topology, bytes, at, sink);
    if (owed.word === 'login') {
      if (frame.keys.get('refused') === 'yes') {
        this.#failed = true;
        sink.fail('dial_failed', 'the broker refuses the login', 'authentication_failed');
        return false;
      }
      this.lifetimeMilliseconds = Number(frame.keys.get('lifetime') ?? 0);
    }
    if (owed.word === 'hello') this.#version = frame.keys.get('version') ?? '';
    const mute = Number(frame.keys.get('mute') ?? 0);
    if (mute > 0) sink.muted(mute);
    this.#metaBody = NOTHING;
    this.#bodyLeft = frame.bodyBytes;
    if (frame.bodyBytes === 0) this.#complete(owed, sink);
    else this.#body = owed;
    return true;
  }

  #local(node: string): 'unbindable' | { host: string; port: number } | undefined {
    return this.#route.context.addresses.find(node);
  }

  #isRightBroker(topology: Topology): boolean {
    this.#route.clusterId ??= topology.clusterId;
    if (topology.clusterId !== this.#route.clusterId) return false;
    const { node, host, port } = this.#target;
    if (node === BOOTSTRAP) return true;
    return topology.nodes.some((known) => known.node === node && known.host === host && known.port === port);
  }

  #deliverHeader(
    owed: Owed<T>,
    frame: Frame,
    topology: Topology | null,
    bytes: Buffer,
    at: number,
    sink: UpstreamSink<T>,
  ): void {
    if (owed.tenant === null) return;
    if (topology === null) {
      sink.deliver(owed.tenant, bytes, at, at + frame.headerBytes);
      return;
    }
    const nodes = topology.nodes.flatMap(({ node }) => {
      const local = this.#local(node);
      return local === undefined || local === 'unbindable' ? [] : [`${node}@${local.host}:${local.port}`];
    });
    const keys = new Map(frame.keys).set('nodes', nodes.join(','));
    const pairs = [...keys].map(([key, value]) => ` ${key}=${value}`).join('');
    const header = Buffer.from(`${frame.word} ${frame.id} ${frame.bodyBytes}${pairs}\n`, 'latin1');
    sink.deliver(owed.tenant, header, 0, header.length);
  }

  #complete(owed: Owed<T>, sink: UpstreamSink<T>): void {
    this.#body = null;
    this.#owed.shift();
    if (owed.order > this.#lastSilent) this.#lastSilent = -1;
    if (owed.work) sink.worked();
    if (owed.word === 'meta' || owed.word === 'refresh') {
      const version = this.#route.keep(this.#identity, owed.topic, this.#metaBody);
      owed.session?.seen.set(owed.topic, version);
    }
    if (owed.session !== null && !owed.work) owed.session.sleeping = true;
    if (owed.word === 'hello') {
      this.#route.versions.set(this.#target.node, this.#version);
      sink.ready();
    } else if (owed.word === 'login') {
      sink.reply(this.#own('hello'));
    } else if (owed.word === 'ping') {
      sink.ponged();
    } else if (owed.word === 'refresh') {
      this.#refreshing -= 1;
      if (this.#refreshing === 0) sink.refreshed();
    } else if (owed.tenant !== null && !this.#owed.some((other) => other.tenant === owed.tenant)) {
      sink.settled(owed.tenant);
    }
  }

  #fail(sink: UpstreamSink<T>, reason: ReleaseReason, detail: string): false {
    this.#failed = true;
    sink.fail(reason, detail);
    return false;
  }
}

function topologyOf(frame: Frame): Topology | null {
  const text = frame.keys.get('nodes');
  if (text === undefined) return null;
  const nodes = text === '' ? [] : text.split(',').map(nodeOf);
  return { clusterId: frame.keys.get('cluster') ?? null, nodes, complete: frame.keys.get('partial') === undefined };
}

function nodeOf(text: string): BrokerNode {
  const [node = '', address = ''] = text.split('@');
  const [host = '', port = '0'] = address.split(':');
  return { node, host, port: Number(port) };
}
