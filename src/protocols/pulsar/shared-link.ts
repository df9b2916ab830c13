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
import { leadingNumberAt } from './frame-head.ts';
import type { Failure, Link, LinkContext } from './link.ts';
import { type LinkProducer, LinkProducers } from './link-producers.ts';
import {
  type Command,
  type Field,
  fieldsOf,
  frameOf,
  MessageWriter,
  numberIn,
  numberOf,
  textIn,
  withNumber,
} from './message.ts';
import { movedTo } from './moved.ts';
import { renumber } from './numbered.ts';
import type { Producer } from './producer.ts';
import { type Asked, ProducerRequests, type Purpose } from './producer-requests.ts';
import type { PulsarRoute } from './route.ts';

export class SharedLink<T> implements Link<T> {
  /** It is for the producers of one client alone: they are too busy to share. */
  readonly exclusive: boolean;
  readonly blocked = false;
  head: Buffer | null = null;
  replaced = 0;
  readonly #route: PulsarRoute;
  readonly #context: LinkContext;
  readonly #brokers: AnsweredBrokers;
  readonly #tenants = new Map<T, PulsarClientSession>();
  readonly #producers = new LinkProducers<T>(this);
  readonly #requests: ProducerRequests<T>;

  constructor(route: PulsarRoute, context: LinkContext, exclusive: boolean) {
    this.exclusive = exclusive;
    this.#route = route;
    this.#context = context;
    this.#brokers = new AnsweredBrokers(route, context);
    this.#requests = new ProducerRequests<T>(route.closingNames);
  }

  get owed(): number {
    return this.#requests.size + this.#producers.unacknowledged;
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
    if (this.#requests.isOwedTo(tenant)) return true;
    for (const { link, unacknowledged } of this.#tenants.get(tenant)?.producers ?? [])
      if (link === this && unacknowledged > 0) return true;
    return false;
  }

  keeps(tenant: T): boolean {
    return this.pinned && this.#producers.someOf(tenant);
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
    this.#producers.enter(producer, tenant);
    return producer.opening(this.#requests.ask(purpose, producer, tenant, requestId), producer.upstreamId);
  }

  #close(producer: Producer, purpose: Purpose, tenant: T | null, requestId: bigint): Buffer {
    producer.state = 'closing';
    const own = this.#requests.ask(purpose, producer, tenant, requestId);
    return frameOf(Type.closeProducer, new MessageWriter().number(1, producer.upstreamId).number(2, own));
  }

  admit(client: PulsarClientSession, tenant: T, bytes: Buffer, start: number): CloseReason | undefined {
    const { connected } = this.#context;
    if (connected === null || client.told === null || !keepsPromise(connected, client.told)) return 'versions_changed';
    const { producer, requestId } = client;
    if (producer === null) return 'protocol_error';
    this.passNext();
    if (client.type === Type.send) {
      const { head, replaced } = renumber(bytes, start, Type.send, producer.upstreamId);
      this.head = head;
      this.replaced = replaced;
      this.#producers.sent(producer);
    } else {
      if (requestId === null) return 'protocol_error';
      const isNew = client.type === Type.producer;
      if (isNew) this.#producers.succeed(client.producers.find(producer.id), producer);
      this.head = isNew
        ? this.#open(producer, tenant, 'open', requestId)
        : this.#close(producer, 'close', tenant, requestId);
      this.replaced = client.size;
    }
    if (client.type === Type.producer) client.producers.opens(producer.id, producer);
    else if (client.type === Type.closeProducer) client.producers.closes(producer.id);
    client.admitted();
    return undefined;
  }

  passNext(): void {
    this.head = null;
    this.replaced = 0;
  }

  leave(tenant: T): Buffer | undefined {
    this.#tenants.get(tenant)?.renewals.linkGone(this);
    this.#tenants.delete(tenant);
    this.#requests.leave(tenant);
    return this.#closeAll('leave', (open) => open.tenant === tenant);
  }

  /** Nothing is owed: whatever is here is open. */
  park(): Buffer | undefined {
    // Whoever was busy is not any more.
    if (this.exclusive) for (const client of this.#tenants.values()) client.producers.isIsolated = false;
    return this.#closeAll('park', () => true);
  }

  #closeAll(purpose: 'leave' | 'park', fits: (open: LinkProducer<T>) => boolean): Buffer | undefined {
    const frames: Buffer[] = [];
    for (const open of this.#producers) {
      const { producer } = open;
      if (producer.state === 'closing' || !fits(open)) continue;
      frames.push(this.#close(producer, purpose, null, 0n));
      // What is not acknowledged yet is nobody's any more.
      if (purpose === 'leave') this.#producers.leave(producer, 'parked');
    }
    return frames.length === 0 ? undefined : Buffer.concat(frames);
  }

  gone(): readonly T[] {
    for (const { producer } of this.#producers) if (producer.link === this) this.#producers.leave(producer, 'parked');
    for (const client of this.#tenants.values()) client.renewals.linkGone(this);
    return this.#requests.gone();
  }

  // --- from the broker ------------------------------------------------------------------------------------------

  acknowledges(bytes: Buffer, start: number, end: number, sink: UpstreamSink<T>): boolean {
    const number = leadingNumberAt(bytes, start, Type.sendReceipt);
    if (number === undefined) return false;
    this.passNext();
    this.#receipt(number, Type.sendReceipt, bytes, start, end, sink);
    return true;
  }

  take(bytes: Buffer, start: number, end: number, command: Command, sink: UpstreamSink<T>): 'done' | Failure {
    this.passNext(); // a quiet connection keeps nothing of what it carried
    switch (command.type) {
      case Type.sendReceipt:
      case Type.sendError:
        this.#receipt(Number(numberOf(bytes, command, 1) ?? NO_REQUEST), command.type, bytes, start, end, sink);
        return 'done';
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

  #receipt(number: number, type: number, bytes: Buffer, start: number, end: number, sink: UpstreamSink<T>): void {
    const { producer, tenant } = this.#producers.find(number) ?? {};
    // Of a producer that was closed meanwhile, or that has left.
    if (producer === undefined || tenant === undefined || producer.unacknowledged === 0) return;
    this.#producers.acknowledged(producer);
    const { head } = renumber(bytes, start, type, producer.shortId);
    if (head === null) sink.deliver(tenant, bytes, start, end);
    else sink.deliver(tenant, head, 0, head.length);
    sink.worked();
  }

  #answered(bytes: Buffer, command: Command, sink: UpstreamSink<T>): 'done' | Failure {
    const fields = fieldsOf(bytes, command.at, command.end);
    const own = numberIn(fields, 1);
    if (own === NO_REQUEST)
      return { reason: 'broker_closed', detail: `the broker says: ${textIn(bytes, fields, 3) ?? 'an error'}` };
    if (own !== undefined && this.#requests.isAbandoned(own)) return 'done';
    const asked = own === undefined ? undefined : this.#requests.find(own);
    if (own === undefined || asked === undefined)
      return { reason: 'wrong_correlation_id', detail: `an answer to ${own}, which was not asked` };
    const isNotReady = command.type === Type.producerSuccess && numberIn(fields, 6) === 0n;
    if (!isNotReady) this.#requests.answered(own);
    switch (asked.purpose) {
      case 'open':
        if (isNotReady) break;
        this.#opened(asked, command, bytes, fields);
        if (asked.tenant !== null) sink.prepared(asked.tenant); // it may have sent a message too early
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
    if (asked.purpose === 'open' && !isNotReady) sink.worked();
    return 'done';
  }

  #opened({ producer, tenant }: Asked<T>, command: Command, bytes: Buffer, fields: readonly Field[]): void {
    if (producer.link !== this || producer.state === 'closing') return; // it has left meanwhile
    if (command.type === Type.error) {
      this.#producers.forget(producer, 'told');
      const producers = tenant === null ? undefined : this.#tenants.get(tenant)?.producers;
      if (producers?.find(producer.id) === producer) producers.closes(producer.id);
    } else {
      producer.granted(bytes, fields);
      producer.state = 'open';
      if (tenant === null) producer.state = 'closing';
      else this.#tenants.get(tenant)?.producers.granted(producer);
    }
  }

  #reopened(asked: Asked<T>, command: Command, bytes: Buffer, fields: readonly Field[], sink: UpstreamSink<T>): void {
    const { producer, tenant } = asked;
    if (producer.link === this && producer.state === 'opening') {
      if (command.type === Type.error) {
        this.#producers.forget(producer, 'refused');
      } else if (producer.granted(bytes, fields)) {
        producer.state = 'open';
      } else {
        // Its client is to open it itself, and learn what is different.
        sink.reply(this.#close(producer, 'leave', null, 0n));
        this.#producers.leave(producer, 'refused');
      }
    }
    if (tenant !== null) sink.prepared(tenant);
  }

  /** CLOSE_PRODUCER was answered: nothing more comes for that number. */
  #closed(asked: Asked<T>, sink: UpstreamSink<T>): void {
    const { producer, number, closing, purpose } = asked;
    const waiters = this.#requests.abandon(producer, number);
    this.#producers.closed(number, producer, purpose === 'park' ? 'parked' : 'told');
    for (const waiter of [...waiters, ...this.#requests.freed(closing)]) sink.prepared(waiter);
  }

  /** The topic moves, or is deleted: its client opens it anew, there or here. */
  #closedByBroker(bytes: Buffer, command: Command, sink: UpstreamSink<T>): void {
    const fields = fieldsOf(bytes, command.at, command.end);
    const { producer, tenant } = this.#producers.find(Number(numberIn(fields, 1) ?? NO_REQUEST)) ?? {};
    if (producer === undefined || tenant === undefined) return;
    const isParking = producer.state === 'closing';
    // The answer to what was asked for it may or may not come; its number is not used again.
    const waiters = this.#requests.abandon(producer, producer.upstreamId);
    this.#producers.forget(producer, isParking ? 'parked' : 'told');
    for (const waiter of waiters) sink.prepared(waiter);
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
