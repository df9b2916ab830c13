import type { Credential } from '../../src/contract/credential.ts';
import type { Tenancy } from '../../src/contract/multiplexing.ts';
import type { ClientSession, UpstreamSession, UpstreamSink } from '../../src/contract/protocol.ts';
import type { CloseReason } from '../../src/contract/reasons.ts';
import { type Frame, formatFrame, parseFrame } from './line-frames.ts';
import { type OpenName, SharedLineClient } from './shared-line-client.ts';
import type { SharedLineRoute } from './shared-line-route.ts';

interface Owed<T> {
  readonly word: string;
  /** Null: our own. */
  readonly tenant: T | null;
  /** The client's id of it. */
  readonly id: string;
  readonly named: OpenName | null;
  /** Who waits for the answer (`prepare`). */
  readonly waiter: T | null;
  readonly isWork: boolean;
}

const NOTHING = Buffer.alloc(0);
const OURS = { tenant: null, named: null, waiter: null, isWork: false };

export class SharedLineUpstream<T> implements UpstreamSession<T> {
  readonly holding = false;
  readonly unfenced = false;
  readonly blocked = false;
  readonly patienceMilliseconds = 0;
  lifetimeMilliseconds = 0;
  readonly tenancy: Tenancy<T>;
  readonly #isExclusive: boolean;
  readonly #route: SharedLineRoute;
  readonly #identity: string;
  readonly #purpose: string;
  readonly #lent = new Set<T>();
  /** By the id that the broker sees. */
  readonly #owed = new Map<string, Owed<T>>();
  readonly #names = new Map<string, { readonly named: OpenName; readonly tenant: T }>();
  #next = 1;
  #partial: Buffer = NOTHING;
  /** Of an answer that is passed on in pieces. */
  #bodyLeft = 0;
  #answered: Owed<T> | null = null;
  #parking = false;
  #over = '';
  #head: Buffer | null = null;
  #replaced = 0;

  constructor(route: SharedLineRoute, identity: string, purpose: string) {
    this.#route = route;
    this.#identity = identity;
    this.#purpose = purpose;
    this.#isExclusive = purpose.startsWith('own');
    this.tenancy = this.#tenancy(this);
  }

  #tenancy(self: SharedLineUpstream<T>): Tenancy<T> {
    return {
      exclusive: self.#isExclusive,
      get pinned(): boolean {
        return [...self.#names.values()].some(({ named }) => named.kept);
      },
      get head(): Buffer | null {
        return self.#head;
      },
      get replaced(): number {
        return self.#replaced;
      },
      owes: (tenant) => [...self.#owed.values()].some((owed) => owed.tenant === tenant),
      keeps: (tenant) => [...self.#names.values()].some((open) => open.tenant === tenant && open.named.kept),
      prepare: (client, tenant) => self.#prepare(self.#enter(client, tenant), tenant),
      admit: (client, tenant, bytes, start) => self.#admit(self.#enter(client, tenant), tenant, bytes, start),
      leave: (tenant) => self.#leave(tenant),
      park: () => self.#park(),
      renewal: (credential) =>
        formatFrame('renew', this.#expect({ ...OURS, word: 'renew', id: '' }), userOf(credential)),
      gone: () => self.#gone(),
    };
  }

  #check(): void {
    if (this.#over !== '') throw new Error(`a session was used that ${this.#over}`);
  }

  #expect(owed: Owed<T>, id = `own-${this.#next}`): string {
    this.#check();
    this.#next += 1;
    this.#owed.set(id, owed);
    return id;
  }

  // --- the connection -------------------------------------------------------------------------------------------

  greeting(credential: Credential | null): Buffer {
    const word = credential === null ? 'hello' : 'login';
    return formatFrame(word, this.#expect({ ...OURS, word, id: '' }), userOf(credential));
  }

  ping(): Buffer {
    return formatFrame('ping', this.#expect({ ...OURS, word: 'ping', id: '' }));
  }

  refresh(): undefined {
    return undefined;
  }

  resume(): void {
    throw new Error('nothing waits for listeners');
  }

  admit(): never {
    throw new Error('a request was admitted past its tenancy');
  }

  /** How many it is lent to. */
  get tenants(): number {
    return this.#lent.size;
  }
  get owed(): number {
    return this.#owed.size;
  }
  get inAnswer(): boolean {
    return this.#bodyLeft > 0 || this.#partial.length > 0;
  }

  // --- tenants --------------------------------------------------------------------------------------------------

  lend(tenant: T): void {
    this.#check();
    if (this.#lent.has(tenant)) throw new Error('a connection was lent twice to the same tenant');
    if (this.#isExclusive && this.#lent.size > 0) throw new Error('an exclusive connection was lent to two tenants');
    this.#lent.add(tenant);
  }

  #enter(client: ClientSession, tenant: T): SharedLineClient {
    this.#check();
    if (this.#parking) throw new Error('a request came while the connection is being parked');
    for (const { word } of this.#owed.values()) if (word === 'ping') throw new Error('a request came during a check');
    if (!(client instanceof SharedLineClient)) throw new Error('a foreign session');
    if (!this.#lent.has(tenant)) throw new Error('a request of somebody to whom the connection was not lent');
    if (client.purpose !== this.#purpose) throw new Error(`${client.purpose} on a connection for ${this.#purpose}`);
    if (client.identity !== this.#identity) throw new Error(`${client.identity} on a connection of ${this.#identity}`);
    return client;
  }

  #prepare(client: SharedLineClient, tenant: T): Buffer | null | undefined {
    const { word, keys } = client.frame;
    const name = keys.get('name') ?? '';
    const named = client.names.get(name);
    if (word !== 'data' && word !== 'open' && word !== 'keep') return null;
    if (named?.link === this) return named.state === 'opening' ? undefined : null;
    const waiters = this.#route.closing.get(name);
    if (waiters !== undefined) {
      waiters.add(tenant);
      return undefined;
    }
    if (word !== 'data') return null;
    if (named === undefined) throw new Error('a name that nobody knows');
    if (named.link !== null) throw new Error('a name is open over two connections');
    named.state = 'opening';
    named.link = this;
    this.#names.set(name, { named, tenant });
    const id = this.#expect({ ...OURS, word: 'open', id: '', named, waiter: tenant });
    return formatFrame('open', id, [['name', name]]);
  }

  /** Where others share it a request gets an id of the connection's own. */
  #admit(client: SharedLineClient, tenant: T, bytes: Buffer, start: number): CloseReason | undefined {
    const { word, id, headerBytes, bodyBytes, keys } = client.frame;
    if (keys.has('stale')) return 'versions_changed';
    const name = keys.get('name') ?? '';
    let named = client.names.get(name) ?? null;
    if (word === 'open' || word === 'keep') {
      named = { name, kept: word === 'keep', state: 'opening', link: this };
      client.names.set(name, named);
      this.#names.set(name, { named, tenant });
    }
    const own = this.#isExclusive ? id : `u${this.#next}`;
    this.#expect({ word, tenant, id, named, waiter: null, isWork: client.work }, own);
    this.#head = null;
    this.#replaced = 0;
    if (own.length === id.length) {
      bytes.write(own, start + word.length + 1, 'latin1');
    } else {
      const pairs = [...keys].map(([key, value]) => ` ${key}=${value}`).join('');
      this.#head = Buffer.from(`${word} ${own} ${bodyBytes}${pairs}\n`, 'latin1');
      this.#replaced = headerBytes;
    }
    return undefined;
  }

  #close({ named }: { readonly named: OpenName }): Buffer {
    const id = this.#expect({ ...OURS, word: 'close', id: '', named });
    return formatFrame('close', id, [['name', named.name]]);
  }

  #leave(tenant: T): Buffer | undefined {
    this.#check();
    if (!this.#lent.delete(tenant)) throw new Error('somebody leaves who was no tenant');
    const its = [...this.#names.values()].filter((open) => open.tenant === tenant);
    if (its.length === 0 || this.#isExclusive || this.#parking) return undefined;
    for (const { named } of its) this.#route.closing.set(named.name, new Set());
    return Buffer.concat(its.map((open) => this.#close(open)));
  }

  #park(): Buffer | undefined {
    this.#check();
    if (this.#owed.size > 0 || this.inAnswer) throw new Error('a connection that owes answers is parked');
    if (this.#names.size === 0) return undefined;
    this.#parking = true;
    return Buffer.concat([...this.#names.values()].map((open) => this.#close(open)));
  }

  #gone(): T[] {
    if (this.#over === 'is gone') throw new Error('a session went twice');
    this.#over = 'is gone';
    this.#lent.clear();
    const waiters: T[] = [];
    for (const { waiter } of this.#owed.values()) if (waiter !== null) waiters.push(waiter);
    for (const { named } of this.#names.values()) waiters.push(...this.#closed(named));
    return waiters;
  }

  /** It is known to nobody. Who waited for that is returned. */
  #closed(named: OpenName): T[] {
    named.state = 'parked';
    named.link = null;
    this.#names.delete(named.name);
    const waiters = this.#route.closing.get(named.name) ?? new Set();
    this.#route.closing.delete(named.name);
    return [...waiters] as T[];
  }

  // --- what the broker says -------------------------------------------------------------------------------------

  read(bytes: Buffer, start: number, end: number, sink: UpstreamSink<T>): void {
    this.#check();
    const isJoined = this.#partial.length > 0;
    const all = isJoined ? Buffer.concat([this.#partial, bytes.subarray(start, end)]) : bytes;
    const to = isJoined ? all.length : end;
    this.#partial = NOTHING;
    for (let at = isJoined ? 0 : start; at < to && this.#over === ''; ) {
      const taken = this.#bodyLeft > 0 ? this.#pass(all, at, to, sink) : this.#readFrame(all, at, to, sink);
      if (taken === 0) {
        this.#partial = Buffer.from(all.subarray(at, to));
        return;
      }
      at += taken;
    }
  }

  /** More of an answer that comes in pieces. */
  #pass(bytes: Buffer, at: number, end: number, sink: UpstreamSink<T>): number {
    const part = Math.min(this.#bodyLeft, end - at);
    const tenant = this.#answered === null ? [...this.#lent][0] : this.#answered.tenant;
    if (tenant != null) sink.deliver(tenant, bytes, at, at + part);
    this.#bodyLeft -= part;
    if (this.#bodyLeft === 0 && this.#answered !== null) this.#complete(this.#answered, sink);
    return part;
  }

  /** Bytes that were dealt with; 0: more must come. */
  #readFrame(bytes: Buffer, at: number, end: number, sink: UpstreamSink<T>): number {
    const frame = parseFrame(bytes, at, end);
    if (frame === 'incomplete') return 0;
    if (frame === 'malformed') throw new Error('the broker of the test sends no frames');
    const size = frame.headerBytes + frame.bodyBytes;
    const owed = frame.word === 'push' || frame.word === 'auth' ? null : this.#owed.get(frame.id);
    if (owed === undefined) throw new Error(`nobody asked for ${frame.id}`);
    if (this.#isExclusive && frame.word !== 'auth' && owed?.tenant !== null) {
      if (owed !== null) this.#owed.delete(frame.id);
      this.#answered = owed;
      this.#bodyLeft = size;
      if (owed !== null) this.#owed.set(frame.id, owed); // until its last byte
      return this.#pass(bytes, at, end, sink);
    }
    if (at + size > end) return 0;
    if (owed === null) {
      if (frame.word === 'auth') sink.authenticate();
      const open = this.#names.get(frame.keys.get('name') ?? '');
      if (frame.word === 'push' && open !== undefined) sink.deliver(open.tenant, bytes, at, at + size);
      return size;
    }
    this.#answer(owed, frame, bytes, at, sink);
    if (this.#over === '') this.#complete(owed, sink, frame);
    return size;
  }

  #answer(owed: Owed<T>, frame: Frame, bytes: Buffer, at: number, sink: UpstreamSink<T>): void {
    const { headerBytes, bodyBytes, word, keys } = frame;
    const { tenant, id } = owed;
    if (keys.has('fail')) {
      this.#over = 'has failed';
      sink.fail('protocol_error', 'told to fail');
    }
    if (tenant === null || this.#over !== '') return;
    const node = keys.get('again');
    if (node !== undefined) {
      const pairs = [...keys].map(([key, value]): [string, string] => [key === 'again' ? 'node' : key, value]);
      sink.again(tenant, formatFrame('ask', id, pairs));
    } else if (keys.has('expel')) {
      sink.close(tenant, 'refused_api', 'told to go');
    } else {
      const body = bytes.subarray(at + headerBytes, at + headerBytes + bodyBytes);
      const answer = formatFrame(word, id, keys, body);
      sink.deliver(tenant, answer, 0, answer.length);
    }
  }

  #complete(owed: Owed<T>, sink: UpstreamSink<T>, frame?: Frame): void {
    for (const [id, other] of this.#owed) if (other === owed) this.#owed.delete(id);
    this.#answered = null;
    const { named, word, waiter, tenant } = owed;
    if (owed.isWork) sink.worked();
    if (tenant !== null) sink.settled(tenant);
    if (named !== null && word === 'close') for (const other of this.#closed(named)) sink.prepared(other);
    else if (named !== null && named.link === this) named.state = 'open';
    if (waiter !== null) sink.prepared(waiter);
    if (word === 'ping') sink.ponged();
    if (word === 'hello') sink.ready();
    if (word !== 'login') return;
    if (frame?.keys.get('refused') === 'yes') {
      sink.fail('dial_failed', 'the broker refuses the login', 'authentication_failed');
      return;
    }
    this.lifetimeMilliseconds = Number(frame?.keys.get('lifetime') ?? 0);
    sink.reply(formatFrame('hello', this.#expect({ ...OURS, word: 'hello', id: '' })));
  }
}

function userOf(credential: Credential | null): [string, string][] {
  if (credential === null) return [];
  if (!('username' in credential)) throw new Error('the shared line protocol knows names and passwords');
  return [
    ['user', credential.username],
    ['secret', credential.password.reveal()],
  ];
}
