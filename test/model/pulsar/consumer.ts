/** A consumer as client libraries make it: subscribed again when it was closed, and every message acknowledged. */
import type { Command } from '../../support/pulsar/commands.ts';
import { type Frame, readPayload } from '../../support/pulsar/frames.ts';
import type { Connection, Registered } from './connection.ts';
import type { Process } from './process.ts';

const SHARED = 1;
const EARLIEST = 1;
const PERMITS = 5;

export class ModelConsumer implements Registered {
  readonly isBusy = true;
  readonly process: Process;
  readonly number: number;
  readonly id: bigint;
  readonly topic: string;
  state: 'waiting' | 'looking' | 'opening' | 'ready' | 'closing' | 'closed' = 'waiting';
  connection: Connection | null = null;
  /** As `ledger:entry`. */
  readonly received = new Set<string>();
  #opening: ((command: Command) => void) | null = null;

  constructor(process: Process, number: number, id: bigint, topic: string) {
    this.process = process;
    this.number = number;
    this.id = id;
    this.topic = topic;
  }

  get isLive(): boolean {
    return this.state !== 'closed' && this.state !== 'closing' && this.process.isAlive;
  }
  get waitsToRetry(): boolean {
    return this.state === 'waiting';
  }

  lookUp(): void {
    if (this.state !== 'waiting') return;
    this.state = 'looking';
    this.process.lookUp(this.topic, (broker) => {
      if (this.state !== 'looking') return;
      const connection = broker === null ? null : this.process.connectionTo(broker);
      if (connection === null) this.lost();
      else this.#openAt(connection);
    });
  }

  #openAt(connection: Connection): void {
    this.state = 'opening';
    this.connection = connection;
    connection.consumers.set(this.id, this);
    const told = (command: Command): void => {
      if (this.#opening !== told || this.state !== 'opening') return;
      if (command.name === 'SUCCESS') {
        this.state = 'ready';
        connection.client.say('FLOW', { consumerId: this.id, permits: PERMITS });
        connection.client.say('REDELIVER_UNACKNOWLEDGED_MESSAGES', { consumerId: this.id });
        return;
      }
      connection.consumers.delete(this.id);
      this.process.heardError(command);
      this.lost();
    };
    this.#opening = told;
    connection.ask(
      'SUBSCRIBE',
      {
        ...{ topic: this.topic, subscription: `s${this.number}`, consumerId: this.id },
        ...{ subType: SHARED, initialPosition: EARLIEST },
      },
      told,
    );
  }

  close(): void {
    const { connection, state } = this;
    this.state = 'closed';
    if (connection === null || (state !== 'ready' && state !== 'opening')) return;
    this.state = 'closing';
    connection.ask('CLOSE_CONSUMER', { consumerId: this.id }, (command) => {
      if (command.name !== 'SUCCESS') this.process.violated(`consumer ${this.number} closes: ${command.name}`);
      this.state = 'closed';
      this.connection = null;
      connection.consumers.delete(this.id);
    });
  }

  lost(): void {
    this.connection = null;
    if (this.state === 'closing') this.state = 'closed';
    if (this.state !== 'closed') this.state = 'waiting';
  }

  message({ command, payload }: Frame): void {
    if (command.name !== 'MESSAGE' || this.connection === null) return;
    const { sound, body } = readPayload(payload);
    if (sound !== true) this.process.violated(`consumer ${this.number} got a message with a wrong checksum`);
    const { messageId } = command.fields;
    if (messageId === undefined) return;
    this.received.add(`${messageId.ledgerId}:${messageId.entryId}`);
    this.process.consumed(this, body.toString());
    if (this.state !== 'ready') return;
    const { client } = this.connection;
    client.say('ACK', { consumerId: this.id, ackType: 0, messageIds: [messageId] });
    client.say('FLOW', { consumerId: this.id, permits: 1 });
  }
}
