/** The producers of one client, those above all that may share connections, and what is done with its requests for them. */
import type { Registration } from '../../contract/multiplexing.ts';
import { NO_REQUEST, ServerError, Type } from './commands.ts';
import { frameOf, lastingCopy, MessageWriter } from './message.ts';
import { shortest } from './numbered.ts';
import { Producer } from './producer.ts';
import type { ProducerNames } from './producer-names.ts';
import { refusalFrame } from './refusal.ts';
import type { Place } from './registrations.ts';

/** `discard`: the client does not know yet that it is closed; a frame: the answer; else it goes to a broker. */
export type ProducerVerdict = 'forward' | 'discard' | Buffer;

export class ClientProducers {
  /** Opened and not closed, whatever became of them: messages for others are a fault of the client's own. */
  readonly #opened = new Set<bigint>();
  /** Those that may share connections; by the client's numbers, as all here. */
  readonly #producers = new Map<number | bigint, Producer>();
  /** The client's producers use a connection of its own from now on. */
  isIsolated = false;
  /** Whose end the client will have been told, or have had confirmed, once it was answered. */
  #telling: Producer | null = null;
  #ending: Producer | null = null;
  readonly #names: ProducerNames;

  constructor(names: ProducerNames) {
    this.#names = names;
  }

  /** @param id a number only if it is exact as one */
  find(id: bigint | number): Producer | undefined {
    return this.#producers.get(shortest(id));
  }
  [Symbol.iterator](): Iterator<Producer> {
    return this.#producers.values();
  }

  /** A PRODUCER, in `frame`, asks for this; null: it keeps a connection of its client's own; a frame: it is refused. */
  proposed(frame: Buffer, id: bigint, requestId: bigint): Producer | null | Buffer {
    const before = this.find(id);
    const producer = new Producer(lastingCopy(frame), before);
    if (!this.#names.isTaken(producer, before)) return producer.mayShare ? producer : null;
    this.#telling = null;
    this.#ending = null;
    const words = `Producer with name '${producer.name}' is already connected to topic '${producer.topic}'`;
    return refusalFrame(ServerError.producerBusy, words, requestId);
  }

  has(id: bigint): boolean {
    return this.#opened.has(id);
  }

  /** @param producer if it may share connections */
  opens(id: bigint, producer: Producer | null): void {
    this.#opened.add(id);
    this.#forget(id);
    if (producer !== null) this.#producers.set(producer.shortId, producer);
  }

  closes(id: bigint): void {
    this.#opened.delete(id);
    this.#forget(id);
  }

  #forget(id: bigint): void {
    const before = this.find(id);
    if (before === undefined) return;
    this.#names.letGo(before);
    this.#producers.delete(before.shortId);
  }

  /** A broker has opened it, under its name. */
  granted(producer: Producer): void {
    if (this.find(producer.id) === producer) this.#names.hold(producer);
  }

  /** The client is gone. */
  close(): void {
    for (const producer of this.#producers.values()) this.#names.letGo(producer);
  }

  /** One of its own connections' was not opened. */
  refused(id: bigint): void {
    if (this.find(id) === undefined) this.#opened.delete(id);
  }

  /** A message for it. */
  message(producer: Producer): ProducerVerdict {
    this.#telling = null;
    this.#ending = null;
    if (producer.state === 'told') return 'discard';
    if (producer.state !== 'refused') return 'forward';
    // No broker lets us open it again: its client does so itself, and sends again what was not acknowledged.
    this.#telling = producer;
    return frameOf(Type.closeProducer, new MessageWriter().number(1, producer.id).number(2, NO_REQUEST));
  }

  /** CLOSE_PRODUCER for this; null: it is none of those that may share connections; a frame: the answer. */
  end(id: bigint, requestId: bigint): Producer | null | Buffer {
    this.#telling = null;
    this.#ending = null;
    const producer = this.find(id) ?? null;
    if (producer === null || producer.link !== null) return producer;
    this.#ending = producer; // it is open nowhere: nobody needs to be asked
    return frameOf(Type.success, new MessageWriter().number(1, requestId));
  }

  /** The answer was written. */
  answered(): void {
    if (this.#telling !== null) this.#telling.state = 'told';
    if (this.#ending !== null) this.closes(this.#ending.id);
    this.#telling = null;
    this.#ending = null;
  }

  /** @param place where they are, all of them */
  registrations(place: Place): Registration[] {
    return [...this.#producers.values()].map((producer) => producer.view(place));
  }
}
