/**
 * A connection for the producers of several clients, each under numbers of ours. Messages go over it only between the
 * broker's PRODUCER_SUCCESS and a CLOSE_PRODUCER of either side: for one that comes at another time the broker would close
 * the connection for everybody.
 */
import type { UpstreamSink } from '../../contract/protocol.ts';
import type { CloseReason } from '../../contract/reasons.ts';
import { AnsweredBrokers } from './answered-brokers.ts';
import type { PulsarClientSession } from './client-session.ts';
import { NO_REQUEST, Type } from './commands.ts';
import { keepsPromise } from './connect.ts';
import type { Failure, Link, LinkContext } from './link.ts';
import {
  type Command,
  commandIn,
  type Field,
  fieldsOf,
  frameOf,
  MessageWriter,
  numberIn,
  textIn,
  withNumber,
} from './message.ts';
import { movedTo } from './moved.ts';
import { renumber } from './numbered.ts';
import type { Producer } from './producer.ts';
import type { PulsarRoute } from './route.ts';

/**
 * What a request was made for. `open`, `close`: by its client; `reopen`: by us, for a message that waits; `park`: for
 * nobody uses it; `leave`: its client is gone, or does not want it here any more.
 */
type Purpose = 'open' | 'close' | 'reopen' | 'park' | 'leave';

interface Asked<T> {
  readonly purpose: Purpose;
  readonly producer: Producer;
  /** Null: nobody is to be told. */
  tenant: T | null;
  /** The client's own. */
  readonly requestId: bigint;
  /** What the producer was called here when it was asked. */
  readonly number: bigint;
  /** Its name is taken until this is answered. */
  readonly closing: string | null;
}

interface Open<T> {
  readonly producer: Producer;
  readonly tenant: T;
}

export class SharedLink<T> implements Link<T> {
  readonly exclusive = false;
  readonly blocked = false;
  head: Buffer | null = null;
  replaced = 0;
  readonly #route: PulsarRoute;
  readonly #context: LinkContext;
  readonly #brokers: AnsweredBrokers;
  readonly #tenants = new Map<T, PulsarClientSession>();
  /** By their numbers here. */
  readonly #producers = new Map<bigint, Open<T>>();
  readonly #asked = new Map<bigint, Asked<T>>();
  /** Numbers whose producers were closed and have nothing more to come. */
  readonly #free: bigint[] = [];
  #nextProducer = 0n;
  #nextRequest = 1n;
  #unacknowledged = 0;

  constructor(route: PulsarRoute, context: LinkContext) {
    this.#route = route;
    this.#context = context;
    this.#brokers = new AnsweredBrokers(route, context);
  }

  get owed(): number {
    return this.#asked.size + this.#unacknowledged;
  }
  get pinned(): boolean {
    return this.#route.multiplexing.keepsTopicsAlive && this.#producers.size > 0;
  }

  lend(): void {
    // Whose it is is known with the first request.
  }

  renewers(): Iterable<[T, PulsarClientSession]> {
    return this.#tenants;
  }

  owes(tenant: T): boolean {
    for (const asked of this.#asked.values()) if (asked.tenant === tenant && asked.purpose !== 'park') return true;
    for (const { link, unacknowledged } of this.#tenants.get(tenant)?.shared ?? [])
      if (link === this && unacknowledged > 0) return true;
    return false;
  }

  // --- from clients ---------------------------------------------------------------------------------------------

  prepare(client: PulsarClientSession, tenant: T): Buffer | null | undefined {
    this.#tenants.set(tenant, client);
    const { producer } = client;
    if (producer === null) return null;
    const isNew = client.type === Type.producer;
    if (!isNew && (client.type !== Type.send || (producer.link === this && producer.state === 'open'))) return null;
    if (!isNew && producer.link !== null) return undefined; // it is being opened
    if (producer.name !== '' && this.#route.closingNames.mustWait(producer.key, tenant)) return undefined;
    if (isNew) return null;
    producer.epoch += 1n;
    return this.#open(producer, tenant, 'reopen', 0n);
  }

  #open(producer: Producer, tenant: T, purpose: Purpose, requestId: bigint): Buffer {
    const known = producer.link === this ? producer.upstreamId : undefined;
    producer.upstreamId = known ?? this.#free.pop() ?? this.#newNumber();
    producer.link = this;
    producer.state = 'opening';
    this.#producers.set(producer.upstreamId, { producer, tenant });
    return producer.opening(this.#ask(purpose, producer, tenant, requestId), producer.upstreamId);
  }

  #newNumber(): bigint {
    this.#nextProducer += 1n;
    return this.#nextProducer - 1n;
  }

  #ask(purpose: Purpose, producer: Producer, tenant: T | null, requestId: bigint): bigint {
    const own = this.#nextRequest;
    this.#nextRequest += 1n;
    const isClose = purpose === 'close' || purpose === 'park' || purpose === 'leave';
    const closing = isClose ? producer.key : null;
    if (closing !== null) this.#route.closingNames.begin(closing);
    this.#asked.set(own, { purpose, producer, tenant, requestId, number: producer.upstreamId, closing });
    return own;
  }

  #close(producer: Producer, purpose: Purpose, tenant: T | null, requestId: bigint): Buffer {
    producer.state = 'closing';
    const own = this.#ask(purpose, producer, tenant, requestId);
    return frameOf(Type.closeProducer, new MessageWriter().number(1, producer.upstreamId).number(2, own));
  }

  admit(client: PulsarClientSession, tenant: T, bytes: Buffer, start: number): CloseReason | undefined {
    const { connected } = this.#context;
    if (connected === null || client.told === null || !keepsPromise(connected, client.told)) return 'versions_changed';
    const { producer, requestId } = client;
    if (producer === null) return 'protocol_error';
    this.passNext();
    if (client.type === Type.send) {
      const { head, replaced } = renumber(bytes, start, commandIn(bytes, start), producer.upstreamId);
      this.head = head;
      this.replaced = replaced;
      producer.unacknowledged += 1;
      this.#unacknowledged += 1;
    } else {
      if (requestId === null) return 'protocol_error';
      const isNew = client.type === Type.producer;
      if (isNew) this.#succeed(client.shared.find(producer.id), producer);
      this.head = isNew
        ? this.#open(producer, tenant, 'open', requestId)
        : this.#close(producer, 'close', tenant, requestId);
      this.replaced = client.size;
    }
    if (client.type === Type.producer) client.opens(producer);
    else if (client.type === Type.closeProducer) client.closes(producer);
    client.admitted();
    return undefined;
  }

  /** A client that opens a producer once more does so under the number that it has: brokers let only that succeed itself. */
  #succeed(before: Producer | undefined, producer: Producer): void {
    if (before === undefined || before.link !== this || before.state === 'closing') return;
    this.#unacknowledged -= before.unacknowledged;
    producer.link = this;
    producer.upstreamId = before.upstreamId;
    before.leaveLink('told');
  }

  passNext(): void {
    this.head = null;
    this.replaced = 0;
  }

  leave(tenant: T): Buffer | undefined {
    this.#tenants.get(tenant)?.renewals.linkGone(this);
    this.#tenants.delete(tenant);
    for (const asked of this.#asked.values()) if (asked.tenant === tenant) asked.tenant = null;
    return this.#closeAll('leave', (open) => open.tenant === tenant);
  }

  /** Nothing is owed: whatever is here is open. */
  park(): Buffer | undefined {
    return this.#closeAll('park', () => true);
  }

  #closeAll(purpose: 'leave' | 'park', fits: (open: Open<T>) => boolean): Buffer | undefined {
    const frames: Buffer[] = [];
    for (const open of this.#producers.values()) {
      const { producer } = open;
      if (producer.state === 'closing' || !fits(open)) continue;
      frames.push(this.#close(producer, purpose, null, 0n));
      // What is not acknowledged yet is nobody's any more.
      if (purpose === 'leave') this.#isOver(open);
    }
    return frames.length === 0 ? undefined : Buffer.concat(frames);
  }

  /** Its client may open it elsewhere once the name is free. */
  #isOver({ producer }: Open<T>): void {
    this.#unacknowledged -= producer.unacknowledged;
    producer.leaveLink('parked');
  }

  gone(): readonly T[] {
    const waiting: unknown[] = [];
    for (const { producer } of this.#producers.values()) if (producer.link === this) producer.leaveLink('parked');
    for (const { closing } of this.#asked.values())
      if (closing !== null) waiting.push(...this.#route.closingNames.end(closing));
    for (const client of this.#tenants.values()) client.renewals.linkGone(this);
    return waiting as T[]; // a route has tenants of one kind
  }

  // --- from the broker ------------------------------------------------------------------------------------------

  take(bytes: Buffer, start: number, end: number, command: Command, sink: UpstreamSink<T>): 'done' | Failure {
    switch (command.type) {
      case Type.sendReceipt:
      case Type.sendError:
        return this.#receipt(bytes, start, end, command, sink);
      case Type.producerSuccess:
      case Type.success:
      case Type.error:
        return this.#answered(bytes, command, sink);
      case Type.closeProducer:
      case Type.topicMigrated:
        this.#closedByBroker(bytes, command, sink);
        return 'done';
      default:
        return {
          reason: 'unsolicited_bytes',
          detail: `a command of type ${command.type} on a connection for producers`,
        };
    }
  }

  #receipt(bytes: Buffer, start: number, end: number, command: Command, sink: UpstreamSink<T>): 'done' {
    const number = numberIn(fieldsOf(bytes, command.at, command.end), 1);
    const open = number === undefined ? undefined : this.#producers.get(number);
    // Of a producer that was closed meanwhile, or that has left.
    if (open === undefined || open.producer.link !== this || open.producer.unacknowledged === 0) return 'done';
    const { producer, tenant } = open;
    producer.unacknowledged -= 1;
    this.#unacknowledged -= 1;
    const { head } = renumber(bytes, start, command, producer.id);
    if (head === null) sink.deliver(tenant, bytes, start, end);
    else sink.deliver(tenant, head, 0, head.length);
    sink.worked();
    return 'done';
  }

  #answered(bytes: Buffer, command: Command, sink: UpstreamSink<T>): 'done' | Failure {
    const fields = fieldsOf(bytes, command.at, command.end);
    const own = numberIn(fields, 1);
    if (own === NO_REQUEST)
      return { reason: 'broker_closed', detail: `the broker says: ${textIn(bytes, fields, 3) ?? 'an error'}` };
    const asked = own === undefined ? undefined : this.#asked.get(own);
    if (own === undefined || asked === undefined)
      return { reason: 'wrong_correlation_id', detail: `an answer to ${own}, which was not asked` };
    const isNotReady = command.type === Type.producerSuccess && numberIn(fields, 6) === 0n;
    if (!isNotReady) this.#asked.delete(own);
    switch (asked.purpose) {
      case 'open':
        if (!isNotReady) this.#opened(asked, command, bytes, fields);
        break;
      case 'reopen':
        if (!isNotReady) this.#reopened(asked, command, bytes, fields, sink);
        return 'done';
      default:
        this.#closed(asked, sink);
    }
    const { tenant, requestId } = asked;
    if (tenant === null) return 'done';
    const frame = withNumber(bytes, command, 1, requestId);
    sink.deliver(tenant, frame, 0, frame.length);
    return 'done';
  }

  #opened({ producer, tenant }: Asked<T>, command: Command, bytes: Buffer, fields: readonly Field[]): void {
    if (producer.link !== this || producer.state === 'closing') return; // it has left meanwhile
    if (command.type === Type.error) {
      this.#forget(producer);
      producer.leaveLink('told');
    } else {
      producer.granted(bytes, fields);
      producer.state = 'open';
      if (tenant === null) producer.state = 'closing';
    }
  }

  #reopened(asked: Asked<T>, command: Command, bytes: Buffer, fields: readonly Field[], sink: UpstreamSink<T>): void {
    const { producer, tenant } = asked;
    if (producer.link === this && producer.state === 'opening') {
      if (command.type === Type.error) {
        this.#forget(producer);
        producer.leaveLink('refused');
      } else if (producer.granted(bytes, fields)) {
        producer.state = 'open';
      } else {
        // Its client is to open it itself, and learn what is different.
        sink.reply(this.#close(producer, 'leave', null, 0n));
        producer.leaveLink('refused');
      }
    }
    if (tenant !== null) sink.prepared(tenant);
  }

  /** CLOSE_PRODUCER was answered: nothing more comes for that number. */
  #closed({ producer, number, closing, purpose }: Asked<T>, sink: UpstreamSink<T>): void {
    if (this.#producers.get(number)?.producer === producer) {
      this.#producers.delete(number);
      this.#free.push(number);
      if (producer.link === this) {
        this.#unacknowledged -= producer.unacknowledged;
        producer.leaveLink(purpose === 'park' ? 'parked' : 'told');
      }
    }
    if (closing === null) return;
    for (const waiter of this.#route.closingNames.end(closing)) sink.prepared(waiter as T);
  }

  #forget(producer: Producer): void {
    this.#unacknowledged -= producer.unacknowledged;
    this.#producers.delete(producer.upstreamId);
  }

  /** The topic moves, or is deleted: its client opens it anew, there or here. */
  #closedByBroker(bytes: Buffer, command: Command, sink: UpstreamSink<T>): void {
    const fields = fieldsOf(bytes, command.at, command.end);
    const number = numberIn(fields, 1);
    const open = number === undefined ? undefined : this.#producers.get(number);
    if (open === undefined || open.producer.link !== this) return;
    const { producer, tenant } = open;
    const isParking = producer.state === 'closing';
    // The answer to what was asked for it may or may not come; its number is not used again.
    this.#forget(producer);
    producer.leaveLink(isParking ? 'parked' : 'told');
    if (isParking) return;
    const frame = movedTo(bytes, command, fields, producer.id, this.#brokers, sink);
    sink.deliver(tenant, frame, 0, frame.length);
  }

  passes(): boolean {
    return false;
  }

  resume(): null {
    return null;
  }
}
