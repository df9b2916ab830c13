/** A connection of one client's own: its frames pass as they are, but for those that would lead it past us. */
import type { UpstreamSink } from '../../contract/protocol.ts';
import type { CloseReason } from '../../contract/reasons.ts';
import { AnsweredBrokers } from './answered-brokers.ts';
import type { PulsarClientSession } from './client-session.ts';
import { Type } from './commands.ts';
import { keepsPromise } from './connect.ts';
import { leadingNumberAt } from './frame-head.ts';
import type { Failure, Link, LinkContext } from './link.ts';
import { type Command, commandIn, fieldsOf, numberIn } from './message.ts';
import { movedTo } from './moved.ts';
import { OwnLedger } from './own-ledger.ts';
import type { PulsarRoute } from './route.ts';

export class OwnLink<T> implements Link<T> {
  readonly exclusive = true;
  readonly blocked = false;
  head: Buffer | null = null;
  replaced = 0;
  readonly #context: LinkContext;
  readonly #ledger: OwnLedger;
  readonly #brokers: AnsweredBrokers;
  #client: PulsarClientSession | null = null;
  #tenant: T | null = null;

  constructor(route: PulsarRoute, context: LinkContext) {
    this.#context = context;
    this.#ledger = new OwnLedger(context.node, (id) => this.#client?.producers.refused(id));
    this.#brokers = new AnsweredBrokers(route, context);
  }

  get owed(): number {
    return this.#ledger.owed;
  }
  get pinned(): boolean {
    return this.#ledger.pinned;
  }
  /** Whose connection it is; null: nobody's any more, or not yet. */
  get tenant(): T | null {
    return this.#tenant;
  }

  lend(tenant: T): void {
    this.#tenant = tenant;
  }

  *renewers(): Iterable<[T, PulsarClientSession]> {
    if (this.#tenant !== null && this.#client !== null) yield [this.#tenant, this.#client];
  }

  owes(tenant: T): boolean {
    return tenant === this.#tenant && (this.owed > 0 || this.pinned);
  }

  keeps(tenant: T): boolean {
    return tenant === this.#tenant && this.pinned;
  }

  prepare(client: PulsarClientSession): null {
    this.#enter(client);
    return null;
  }

  #enter(client: PulsarClientSession): void {
    this.#client = client;
    client.ledgers.add(this.#ledger);
  }

  admit(client: PulsarClientSession, _tenant: T, bytes: Buffer, start: number): CloseReason | undefined {
    const { connected } = this.#context;
    if (connected === null || client.told === null || !keepsPromise(connected, client.told)) return 'versions_changed';
    this.#enter(client);
    this.passNext();
    const { type, resource } = client;
    if (type === Type.producer && resource !== null) client.producers.opens(resource, null);
    if (type === Type.closeProducer && resource !== null) client.producers.closes(resource);
    this.#ledger.admit(client, bytes, start);
    client.admitted();
    return undefined;
  }

  passNext(): void {
    this.head = null;
    this.replaced = 0;
  }

  leave(): undefined {
    this.#forget();
  }

  park(): undefined {
    return undefined;
  }

  gone(): readonly T[] {
    this.#forget();
    return [];
  }

  #forget(): void {
    this.#client?.ledgers.delete(this.#ledger);
    this.#client?.renewals.linkGone(this);
    this.#client = null;
    this.#tenant = null;
  }

  passes(bytes: Buffer, at: number): boolean {
    const producer = leadingNumberAt(bytes, at, Type.sendReceipt);
    if (producer === undefined) return false;
    this.#ledger.receipt(BigInt(producer));
    return true;
  }

  acknowledges(): boolean {
    return false;
  }

  take(
    bytes: Buffer,
    _start: number,
    _end: number,
    command: Command,
    sink: UpstreamSink<T>,
  ): 'pass' | 'done' | Failure {
    const { type } = command;
    if (type === Type.lookupResponse)
      return { reason: 'protocol_error', detail: 'a lookup is answered that was not asked here' };
    if (type === Type.topicMigrated || type === Type.closeProducer || type === Type.closeConsumer) {
      const fields = fieldsOf(bytes, command.at, command.end);
      const id = numberIn(fields, 1);
      if (id === undefined) return 'done';
      if (fields.some(({ number }) => number > 2))
        return this.#replace(movedTo(bytes, command, fields, id, this.#brokers, sink), sink);
    }
    if (this.#ledger.take(bytes, command)) sink.worked();
    return 'pass';
  }

  #replace(frame: Buffer, sink: UpstreamSink<T>): 'done' {
    this.#ledger.take(frame, commandIn(frame, 0));
    if (this.#tenant !== null) sink.deliver(this.#tenant, frame, 0, frame.length);
    return 'done';
  }

  resume(): null {
    return null;
  }
}
