/**
 * One producer of one client, as it outlives the connections that it is open on.
 *
 *   opening --PRODUCER_SUCCESS--> open --CLOSE_PRODUCER of ours, answered--> parked --next message--> opening
 *      any --the broker refuses to open it again--> refused --the client was told CLOSE_PRODUCER--> told
 */
import type { Registration } from '../../contract/multiplexing.ts';
import { Type } from './commands.ts';
import {
  bytesIn,
  commandIn,
  type Field,
  fieldsOf,
  frameOf,
  lastingCopy,
  MessageWriter,
  numberIn,
  textIn,
} from './message.ts';
import { shortest } from './numbered.ts';
import { producerKeptBy } from './producer-pins.ts';
import type { Place } from './registrations.ts';

/**
 * CommandProducer := topic=1 producer_id=2 request_id=3 producer_name=4 encrypted=5 metadata=6 schema=7 epoch=8
 *                    user_provided_producer_name=9 producer_access_mode=10 topic_epoch=11 txn_enabled=12 ...
 */
const PRODUCER_ID = 2;
const REQUEST_ID = 3;
const NAME = 4;
const EPOCH = 8;
const IS_NAME_GIVEN = 9;
const TOPIC_EPOCH = 11;
const REWRITTEN = new Set([PRODUCER_ID, REQUEST_ID, NAME, EPOCH, IS_NAME_GIVEN, TOPIC_EPOCH]);

/**
 * Messages of one producer without a receipt, on a connection that others use. A broker that takes no more of its topic takes
 * nothing more from the whole connection, and who shares it waits behind all of them.
 */
const MOST_UNACKNOWLEDGED = 50;

export type ProducerState = 'opening' | 'open' | 'closing' | 'parked' | 'refused' | 'told';

export class Producer {
  /** The client's own. */
  readonly id: bigint;
  /** The same, as a number if it is exact as one. */
  readonly shortId: number | bigint;
  readonly topic: string;
  /** As the broker granted it; before that as it was asked for, or ''. */
  name: string;
  /** Of the PRODUCER that was written last; a later one must have a higher one. */
  epoch: bigint;
  state: ProducerState = 'opening';
  /** The connection that it is open on, or being opened. */
  link: object | null = null;
  /** What it is called there. */
  upstreamId = 0;
  /** Messages without a receipt. */
  unacknowledged = 0;
  /** What the broker granted besides; a change of it is not for us to hide. */
  #schemaVersion: Buffer | undefined;
  #topicEpoch: bigint | undefined;
  /** The PRODUCER as the client wrote it. */
  readonly #frame: Buffer;
  readonly #fields: readonly Field[];

  /**
   * @param frame the client's PRODUCER, kept
   * @param before what it had of that id before, if anything
   */
  constructor(frame: Buffer, before: Producer | undefined) {
    const { at, end } = commandIn(frame, 0);
    this.#frame = frame;
    this.#fields = fieldsOf(frame, at, end);
    this.id = numberIn(this.#fields, PRODUCER_ID) ?? 0n;
    this.shortId = shortest(this.id);
    this.topic = textIn(frame, this.#fields, 1) ?? '';
    this.name = textIn(frame, this.#fields, NAME) ?? '';
    const epoch = numberIn(this.#fields, EPOCH) ?? 0n;
    this.epoch = before !== undefined && before.epoch >= epoch ? before.epoch + 1n : epoch;
    this.#topicEpoch = numberIn(this.#fields, TOPIC_EPOCH);
  }

  /** Brokers allow one producer of a name on a topic. */
  get key(): string {
    return `${this.topic} ${this.name}`;
  }
  /** Brokers know it by its name alone: nothing is lost with a connection of it. */
  get mayShare(): boolean {
    return producerKeptBy(this.topic, this.#fields) === 'bulk';
  }

  /** Too much of it is under way for others to wait behind. */
  get isBusy(): boolean {
    return this.unacknowledged >= MOST_UNACKNOWLEDGED;
  }

  view(place: Place): Registration {
    const { topic, name } = this;
    const state = this.state === 'told' || this.state === 'refused' ? 'closed' : this.state;
    return { kind: 'producer', topic, name, state, ...place };
  }

  /** The PRODUCER that opens it on a connection, under the numbers that it has there. */
  opening(requestId: bigint, upstreamId: number): Buffer {
    const isGiven = textIn(this.#frame, this.#fields, NAME) !== undefined;
    const message = new MessageWriter();
    for (const { number, start, end } of this.#fields) if (!REWRITTEN.has(number)) message.raw(this.#frame, start, end);
    message
      .number(PRODUCER_ID, upstreamId)
      .number(REQUEST_ID, requestId)
      .text(NAME, this.name === '' ? undefined : this.name)
      .number(EPOCH, this.epoch)
      .number(IS_NAME_GIVEN, numberIn(this.#fields, IS_NAME_GIVEN) ?? (isGiven ? undefined : 0n))
      .number(TOPIC_EPOCH, this.#topicEpoch);
    return frameOf(Type.producer, message);
  }

  /**
   * What PRODUCER_SUCCESS grants: producer_name=2 schema_version=4 topic_epoch=5.
   *
   * @returns false: it is not what was granted before, and its client has to know
   */
  granted(bytes: Buffer, fields: readonly Field[]): boolean {
    const name = textIn(bytes, fields, 2) ?? '';
    const schemaVersion = bytesIn(bytes, fields, 4) ?? Buffer.alloc(0);
    const before = this.#schemaVersion;
    if (before !== undefined && (name !== this.name || !schemaVersion.equals(before))) return false;
    this.name = name;
    this.#schemaVersion = lastingCopy(schemaVersion);
    this.#topicEpoch = numberIn(fields, 5) ?? this.#topicEpoch;
    return true;
  }

  /** It is open nowhere any more. */
  leaveLink(state: ProducerState): void {
    this.link = null;
    this.unacknowledged = 0;
    this.state = state;
  }
}
