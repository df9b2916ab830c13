/** What one client has under way and open on a connection of its own. */
import type { Registration } from '../../contract/multiplexing.ts';
import type { PinReason } from '../../contract/reasons.ts';
import { REQUEST_ID_OF_ANSWER, type Request, Type } from './commands.ts';
import { type Command, commandIn, type Field, fieldsOf, numberIn, textIn } from './message.ts';
import { producerKeptBy } from './producer-pins.ts';

type Kind = 'producer' | 'consumer' | 'watcher';

interface Open {
  readonly kind: Kind;
  readonly topic: string;
  name: string;
  state: 'opening' | 'open' | 'closing';
  readonly keptBy: PinReason;
  /** Messages without a receipt. */
  unacknowledged: number;
}

interface Asked {
  readonly type: number;
  readonly resource: bigint | null;
  /** What it is about: of the same number there may be another one by the time of the answer. */
  readonly open: Open | undefined;
}

/** The request that is inspected. */
export interface Inspected {
  readonly type: number;
  readonly request: Request;
  readonly requestId: bigint | null;
  readonly resource: bigint | null;
}

export class OwnLedger {
  readonly node: string;
  readonly #asked = new Map<bigint, Asked>();
  readonly #open: Record<Kind, Map<bigint, Open>> = { producer: new Map(), consumer: new Map(), watcher: new Map() };
  /** What keeps the connection until it goes: there is no telling when it is over. */
  #keptBy: PinReason | null = null;
  #unacknowledged = 0;
  readonly #refused: (producer: bigint) => void;

  /** @param refused a producer was not opened */
  constructor(node: string, refused: (producer: bigint) => void) {
    this.node = node;
    this.#refused = refused;
  }

  get owed(): number {
    return this.#asked.size + this.#unacknowledged;
  }
  get pinned(): boolean {
    return this.keptBy !== undefined;
  }
  /** Why the connection is kept, one reason of perhaps several. */
  get keptBy(): PinReason | undefined {
    if (this.#keptBy !== null) return this.#keptBy;
    for (const { keptBy } of this.#all()) return keptBy;
    return undefined;
  }

  /** It has a producer of that id, which the broker takes messages for. */
  hasProducer(id: bigint): boolean {
    return this.#open.producer.has(id);
  }

  registrations(purpose: string): Registration[] {
    const open = [...this.#all()].map(({ kind, topic, name, state, keptBy }) => {
      return { kind, topic, name, broker: this.node, state, purpose, isShared: false, keptBy };
    });
    if (this.#keptBy === null) return open;
    const session = { kind: 'session', topic: '', name: '', broker: this.node, state: 'open' as const };
    return [...open, { ...session, purpose, isShared: false, keptBy: this.#keptBy }];
  }

  *#all(): Iterable<Open> {
    for (const kind of ['consumer', 'watcher', 'producer'] as const) yield* this.#open[kind].values();
  }

  // --- from the client ------------------------------------------------------------------------------------------

  admit(asked: Inspected, bytes: Buffer, start: number): void {
    const { type, request, requestId, resource } = asked;
    if (request.pin === 'transaction' || request.pin === 'unknown_api') this.#keptBy ??= request.pin;
    const isOpening = type === Type.producer || type === Type.subscribe || type === Type.watchTopicList;
    if (resource !== null && isOpening) this.#opens(type, resource, bytes, commandIn(bytes, start));
    const about = resource === null ? undefined : this.#open[kindOf(type)].get(resource);
    // Brokers answer no ACK of a consumer that they do not have.
    if (requestId !== null && (type !== Type.ack || about !== undefined))
      this.#asked.set(requestId, { type, resource, open: about });
    if (resource === null) return;
    switch (type) {
      case Type.send:
        this.#sent(resource);
        break;
      case Type.closeProducer:
      case Type.closeConsumer:
      case Type.unsubscribe:
      case Type.watchTopicListClose:
        if (about !== undefined) about.state = 'closing';
        break;
      default:
    }
  }

  #opens(type: number, resource: bigint, bytes: Buffer, command: Command): void {
    const fields = fieldsOf(bytes, command.at, command.end);
    const kind = kindOf(type);
    this.#close(kind, resource);
    const topic = textIn(bytes, fields, kind === 'watcher' ? 3 : 1) ?? '';
    const name = textIn(bytes, fields, kind === 'consumer' ? 2 : 4) ?? '';
    const keptBy = kind === 'producer' ? producerKeptBy(topic, fields) : kind;
    this.#open[kind].set(resource, { kind, topic, name, state: 'opening', keptBy, unacknowledged: 0 });
  }

  #sent(producer: bigint): void {
    const open = this.#open.producer.get(producer);
    if (open === undefined) return; // nothing is answered to that
    open.unacknowledged += 1;
    this.#unacknowledged += 1;
  }

  // --- from the broker ------------------------------------------------------------------------------------------

  /** A frame of the broker's, that goes to the client. True if it completes work. */
  take(bytes: Buffer, command: Command): boolean {
    const { type } = command;
    const fields = fieldsOf(bytes, command.at, command.end);
    const idField = REQUEST_ID_OF_ANSWER.get(type);
    if (idField !== undefined) this.#answered(type, numberIn(fields, idField), bytes, fields);
    const resource = numberIn(fields, 1);
    if (resource === undefined) return false;
    switch (type) {
      case Type.sendReceipt:
      case Type.sendError:
        this.receipt(resource);
        return true;
      case Type.closeProducer:
      case Type.closeConsumer:
        this.#close(kindOf(type), resource);
        return false;
      default:
        return type === Type.message || type === Type.ackResponse;
    }
  }

  /** A message was acknowledged. */
  receipt(producer: bigint): void {
    const open = this.#open.producer.get(producer);
    if (open === undefined || open.unacknowledged === 0) return;
    open.unacknowledged -= 1;
    this.#unacknowledged -= 1;
  }

  #answered(type: number, id: bigint | undefined, bytes: Buffer, fields: readonly Field[]): void {
    const asked = id === undefined ? undefined : this.#asked.get(id);
    if (id === undefined || asked === undefined) return;
    const isReady = type !== Type.producerSuccess || numberIn(fields, 6) !== 0n;
    if (isReady) this.#asked.delete(id);
    const { open, resource } = asked;
    if (resource === null || open === undefined) return;
    if (asked.type === Type.closeProducer || asked.type === Type.closeConsumer) this.#abandon(open);
    const kind = kindOf(asked.type);
    if (this.#open[kind].get(resource) !== open) return;
    switch (asked.type) {
      case Type.producer:
      case Type.subscribe:
      case Type.watchTopicList:
        if (type === Type.error) {
          this.#close(kind, resource);
          if (kind === 'producer') this.#refused(resource);
        } else if (isReady && open.state === 'opening') {
          open.state = 'open';
        }
        if (type === Type.producerSuccess) open.name = textIn(bytes, fields, 2) ?? open.name;
        break;
      case Type.unsubscribe:
        if (type === Type.error) open.state = 'open';
        else this.#close(kind, resource);
        break;
      case Type.closeProducer:
      case Type.closeConsumer:
      case Type.watchTopicListClose:
        this.#close(kind, resource);
        break;
      default:
    }
  }

  /** Brokers may leave the opening unanswered of what was closed before it was open. */
  #abandon(open: Open): void {
    for (const [id, asked] of this.#asked)
      if (asked.open === open && (asked.type === Type.producer || asked.type === Type.subscribe))
        this.#asked.delete(id);
  }

  /** It is not open any more, and what it waited for does not come. */
  #close(kind: Kind, resource: bigint): void {
    const open = this.#open[kind].get(resource);
    if (open === undefined) return;
    this.#open[kind].delete(resource);
    this.#unacknowledged -= open.unacknowledged;
    if (kind !== 'consumer') return;
    // Brokers answer no ACK of a consumer that they have closed.
    for (const [id, asked] of this.#asked) if (asked.type === Type.ack && asked.open === open) this.#asked.delete(id);
  }
}

function kindOf(type: number): Kind {
  if (type === Type.producer || type === Type.closeProducer) return 'producer';
  return type === Type.watchTopicList || type === Type.watchTopicListClose ? 'watcher' : 'consumer';
}
