/** The producers of several clients on one connection, under its own numbers. */
import type { Producer, ProducerState } from './producer.ts';

export interface LinkProducer<T> {
  readonly producer: Producer;
  readonly tenant: T;
}

export class LinkProducers<T> {
  readonly #link: object;
  readonly #open = new Map<number, LinkProducer<T>>();
  /** Numbers whose producers were closed and have nothing more to come. */
  readonly #free: number[] = [];
  #next = 0;
  /** Messages without a receipt. */
  unacknowledged = 0;

  constructor(link: object) {
    this.#link = link;
  }

  get size(): number {
    return this.#open.size;
  }
  someOf(tenant: T): boolean {
    for (const open of this.#open.values())
      if (open.tenant === tenant && open.producer.link === this.#link) return true;
    return false;
  }
  [Symbol.iterator](): Iterator<LinkProducer<T>> {
    return this.#open.values();
  }

  /** Undefined: it was closed meanwhile, or has left and has only its end to wait for. */
  find(number: number): LinkProducer<T> | undefined {
    const open = this.#open.get(number);
    return open?.producer.link === this.#link ? open : undefined;
  }

  /** It is being opened here, under a number that nobody has. */
  enter(producer: Producer, tenant: T): void {
    if (producer.link !== this.#link) producer.upstreamId = this.#free.pop() ?? this.#newNumber();
    producer.link = this.#link;
    producer.state = 'opening';
    this.#open.set(producer.upstreamId, { producer, tenant });
  }

  #newNumber(): number {
    this.#next += 1;
    return this.#next - 1;
  }

  /** A client that opens a producer once more does so under the number that it has: brokers let only that succeed itself. */
  succeed(before: Producer | undefined, producer: Producer): void {
    if (before === undefined || before.link !== this.#link || before.state === 'closing') return;
    producer.link = this.#link;
    producer.upstreamId = before.upstreamId;
    this.leave(before, 'told');
  }

  sent(producer: Producer): void {
    producer.unacknowledged += 1;
    this.unacknowledged += 1;
  }

  acknowledged(producer: Producer): void {
    producer.unacknowledged -= 1;
    this.unacknowledged -= 1;
  }

  /** What its client has of it is here no more; the number is its own until the broker has answered. */
  leave(producer: Producer, state: ProducerState): void {
    this.unacknowledged -= producer.unacknowledged;
    producer.leaveLink(state);
  }

  /** The broker has no such producer, or might have something more to say of it: the number is not used again. */
  forget(producer: Producer, state: ProducerState): void {
    this.#open.delete(producer.upstreamId);
    this.leave(producer, state);
  }

  /** CLOSE_PRODUCER was answered: nothing more comes for that number. */
  closed(number: number, producer: Producer, state: ProducerState): void {
    if (this.#open.get(number)?.producer !== producer) return;
    this.#open.delete(number);
    this.#free.push(number);
    if (producer.link === this.#link) this.leave(producer, state);
  }
}
