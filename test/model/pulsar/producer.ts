/** A producer as client libraries make it: opened again when it was closed, and what has no receipt is sent again. */
import type { Command, FieldsOf } from '../../support/pulsar/commands.ts';
import { frame, payloadOf } from '../../support/pulsar/frames.ts';
import type { Connection, Registered } from './connection.ts';
import type { Process } from './process.ts';

/** A message, by its place among all of its producer's. */
interface Pending {
  readonly index: number;
  readonly bytes: number;
}

export class ModelProducer implements Registered {
  readonly process: Process;
  /** Among all of the world. */
  readonly number: number;
  readonly id: bigint;
  readonly topic: string;
  readonly isNamed: boolean;
  readonly isExclusive: boolean;
  name: string | null;
  state: 'waiting' | 'looking' | 'opening' | 'ready' | 'closing' | 'closed' = 'waiting';
  connection: Connection | null = null;
  /** How often each message was given to a socket. */
  readonly transmissions: number[] = [];
  readonly pending: Pending[] = [];
  acknowledged = 0;
  /** Of the first message; null before it was ever open. */
  firstSequence: bigint | null = null;
  #epoch = 0n;
  #opening: ((command: Command) => void) | null = null;

  constructor(process: Process, number: number, id: bigint, topic: string, name: string | null, isExclusive: boolean) {
    this.process = process;
    this.number = number;
    this.id = id;
    this.topic = topic;
    this.name = name;
    this.isNamed = name !== null;
    this.isExclusive = isExclusive;
  }

  get isBusy(): boolean {
    return this.isExclusive || this.pending.length > 0 || this.state === 'closing';
  }
  get isLive(): boolean {
    return this.state !== 'closed' && this.state !== 'closing' && this.process.isAlive;
  }
  get waitsToRetry(): boolean {
    return this.state === 'waiting';
  }

  send(bytes: number): void {
    const pending = { index: this.transmissions.length, bytes };
    this.transmissions.push(0);
    this.pending.push(pending);
    if (this.state === 'ready') this.#transmit(pending);
  }

  #transmit({ index, bytes }: Pending): void {
    const sequenceId = (this.firstSequence ?? 0n) + BigInt(index);
    const text = `${this.number} ${index} `;
    const body = Buffer.alloc(Math.max(text.length, bytes), '.');
    body.write(text);
    const payload = payloadOf({ producerName: this.name ?? '', sequenceId, publishTime: 1n }, body);
    this.transmissions[index] = (this.transmissions[index] ?? 0) + 1;
    if (this.connection !== null) this.connection.unreceipted += 1;
    this.connection?.client.write(frame('SEND', { producerId: this.id, sequenceId, numMessages: 1 }, payload));
  }

  lookUp(): void {
    if (this.state !== 'waiting') return;
    this.state = 'looking';
    this.process.lookUp(this.topic, (broker) => {
      if (this.state !== 'looking') return;
      const connection = broker === null ? null : this.process.connectionTo(broker);
      if (connection === null) this.lost();
      else this.openAt(connection);
    });
  }

  openAt(connection: Connection): void {
    if (this.state === 'closed') return;
    this.state = 'opening';
    this.connection = connection;
    connection.producers.set(this.id, this);
    const told = (command: Command): void => this.#opened(connection, told, command);
    this.#opening = told;
    const { topic, id, name, isExclusive } = this;
    connection.ask(
      'PRODUCER',
      {
        ...{ topic, producerId: id, epoch: this.#epoch, userProvidedName: this.isNamed },
        ...(name === null ? {} : { producerName: name }),
        ...(isExclusive ? { accessMode: 1 } : {}),
      },
      told,
    );
  }

  #opened(connection: Connection, told: (command: Command) => void, command: Command): void {
    if (this.#opening !== told || this.state !== 'opening') return;
    if (command.name !== 'PRODUCER_SUCCESS') {
      connection.producers.delete(this.id);
      this.process.heardError(command);
      this.lost();
      return;
    }
    const { producerName = '', lastSequenceId = -1n, ready } = command.fields;
    if (this.name !== null && producerName !== this.name)
      this.process.violated(`producer ${this.number} was ${this.name} and is ${producerName}`);
    this.name = producerName;
    if (ready === false) return;
    this.firstSequence ??= lastSequenceId + 1n;
    this.state = 'ready';
    for (const pending of this.pending) this.#transmit(pending);
  }

  close(): void {
    const { connection, state } = this;
    this.pending.length = 0;
    this.state = 'closed';
    if (connection === null || (state !== 'ready' && state !== 'opening')) return;
    this.state = 'closing';
    // An opening that is given up may never be answered.
    if (this.#opening !== null) connection.forgetAsked(this.#opening);
    connection.ask('CLOSE_PRODUCER', { producerId: this.id }, (command) => {
      if (command.name !== 'SUCCESS') this.process.violated(`producer ${this.number} closes: ${command.name}`);
      this.state = 'closed';
      this.connection = null;
      connection.producers.delete(this.id);
    });
  }

  lost(): void {
    this.connection = null;
    if (this.state === 'closing') this.state = 'closed';
    if (this.state !== 'closed') this.state = 'waiting';
  }

  /** CLOSE_PRODUCER of the broker's. */
  closedByBroker(to: Connection | null): void {
    if (this.#opening !== null) this.connection?.forgetAsked(this.#opening);
    this.#epoch += 1n;
    const { state } = this;
    this.lost();
    if (to !== null && state !== 'closing') this.openAt(to);
  }

  receipt({ sequenceId = -1n }: FieldsOf<'SEND_RECEIPT'>): void {
    const [first] = this.pending;
    if (first === undefined) return;
    const index = Number(sequenceId - (this.firstSequence ?? 0n));
    if (index < first.index) return;
    if (index > first.index)
      this.process.violated(`producer ${this.number}: receipt of ${index} before ${first.index}`);
    this.pending.shift();
    this.acknowledged = first.index + 1;
    this.process.acknowledged(this, first.index);
  }
}
