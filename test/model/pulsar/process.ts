/**
 * A client process: its identity, its sockets, its producers and consumers. It looks topics up over the service URL, and
 * goes to brokers through it. It does nothing by itself: `retry` stands for its pauses being over.
 */
import type { ConnectOptions } from '../../support/pulsar/client.ts';
import type { Command } from '../../support/pulsar/commands.ts';
import type { Frame } from '../../support/pulsar/frames.ts';
import { Connection, type Socket } from './connection.ts';
import { ModelConsumer } from './consumer.ts';
import { ModelProducer } from './producer.ts';

const CONNECT = 1;

/** What a process needs of the world. */
export interface Surroundings {
  open(): Socket | null;
  violated(rule: string): void;
  acknowledged(producer: ModelProducer, index: number): void;
  consumed(consumer: ModelConsumer, text: string): void;
}

export class Process {
  readonly token: string;
  readonly protocolVersion: number;
  isAlive = true;
  readonly producers: ModelProducer[] = [];
  readonly consumers: ModelConsumer[] = [];
  /** All that there ever were. */
  readonly connections: Connection[] = [];
  /** Errors that it was told. */
  readonly errors: string[] = [];
  readonly #options: ConnectOptions;
  readonly #world: Surroundings;
  readonly #open = new Map<string, Connection>();
  #nextId: bigint;
  #lookups = 0n;

  constructor(world: Surroundings, options: ConnectOptions, firstId: bigint) {
    this.#world = world;
    this.#options = options;
    this.token = options.token ?? '';
    this.protocolVersion = options.protocolVersion ?? 0;
    this.#nextId = firstId;
  }

  violated(rule: string): void {
    this.#world.violated(rule);
  }
  acknowledged(producer: ModelProducer, index: number): void {
    this.#world.acknowledged(producer, index);
  }
  consumed(consumer: ModelConsumer, text: string): void {
    this.#world.consumed(consumer, text);
  }
  heardError(command: Command): void {
    this.errors.push(command.name === 'ERROR' ? `${command.fields.error}: ${command.fields.message}` : command.name);
  }

  get openConnections(): readonly Connection[] {
    return [...this.#open.values()];
  }

  produce(number: number, topic: string, name: string | null, isExclusive: boolean): ModelProducer {
    const producer = new ModelProducer(this, number, this.#nextId++, topic, name, isExclusive);
    this.producers.push(producer);
    producer.lookUp();
    return producer;
  }

  consume(number: number, topic: string): ModelConsumer {
    const consumer = new ModelConsumer(this, number, this.#nextId++, topic);
    this.consumers.push(consumer);
    consumer.lookUp();
    return consumer;
  }

  /** Its pauses are over. */
  retry(): void {
    if (this.isAlive) for (const each of [...this.producers, ...this.consumers]) each.lookUp();
  }

  ask(topic: string): void {
    this.connectionTo('')?.ask('PARTITIONED_METADATA', { topic }, (command) => {
      if (command.name !== 'PARTITIONED_METADATA_RESPONSE') this.heardError(command);
    });
  }

  lookUp(topic: string, told: (broker: string | null) => void): void {
    const connection = this.connectionTo('');
    if (connection === null) {
      told(null);
      return;
    }
    const lost = (): void => told(null);
    // Who waits for a lookup hears of the end of its connection as well.
    const waiter = { id: -1n, isBusy: true, lost };
    this.#lookups += 1n;
    const key = -1n - this.#lookups;
    connection.consumers.set(key, waiter);
    connection.ask('LOOKUP', { topic }, (command) => {
      connection.consumers.delete(key);
      const fields = command.name === 'LOOKUP_RESPONSE' ? command.fields : {};
      if (fields.response !== CONNECT || fields.url === undefined) {
        this.heardError(command);
        told(null);
        return;
      }
      if (fields.proxyThroughServiceUrl !== true) this.violated(`a client is sent to ${fields.url}`);
      told(hostOf(fields.url));
    });
  }

  /** Null: nobody listens, or it is gone again at once. */
  connectionTo(broker: string): Connection | null {
    const known = this.#open.get(broker);
    if (known !== undefined) return known;
    const socket = this.#world.open();
    if (socket === null) return null;
    const options = broker === '' ? this.#options : { ...this.#options, proxyToBrokerUrl: broker };
    const connection = new Connection(socket, broker, (each) => this.#told(connection, each));
    this.#open.set(broker, connection);
    this.connections.push(connection);
    socket.client.onEnd = () => this.#ended(connection);
    socket.client.hello(options);
    return connection.isOpen ? connection : null;
  }

  #ended(connection: Connection): void {
    if (this.#open.get(connection.broker) === connection) this.#open.delete(connection.broker);
    connection.drop();
  }

  #told(connection: Connection, each: Frame): void {
    const { command } = each;
    switch (command.name) {
      case 'SEND_RECEIPT':
        this.#producer(connection, command.fields.producerId)?.receipt(command.fields);
        return;
      case 'SEND_ERROR':
        this.violated(`a client is told: ${command.fields.message}`);
        return;
      case 'MESSAGE': {
        const consumer = connection.consumers.get(command.fields.consumerId ?? -1n);
        if (consumer instanceof ModelConsumer) consumer.message(each);
        return;
      }
      case 'CLOSE_PRODUCER': {
        const { producerId = -1n, url } = command.fields;
        const producer = this.#producer(connection, producerId);
        connection.producers.delete(producerId);
        producer?.closedByBroker(url === undefined ? null : this.connectionTo(hostOf(url)));
        return;
      }
      case 'CLOSE_CONSUMER': {
        const { consumerId = -1n } = command.fields;
        const consumer = connection.consumers.get(consumerId);
        connection.consumers.delete(consumerId);
        consumer?.lost();
        return;
      }
      case 'AUTH_CHALLENGE':
        connection.client.say('AUTH_RESPONSE', {
          response: { method: 'token', data: Buffer.from(this.token) },
          ...{ clientVersion: 'Model', protocolVersion: this.protocolVersion },
        });
        return;
      case 'PING':
      case 'PONG':
        return;
      case 'ERROR':
        this.heardError(command);
        return;
      case 'SUCCESS':
      case 'PRODUCER_SUCCESS':
        return; // of what was given up
      default:
        this.violated(`a client is told ${command.name} that it did not ask for`);
    }
  }

  #producer(connection: Connection, id = -1n): ModelProducer | null {
    const producer = connection.producers.get(id);
    return producer instanceof ModelProducer ? producer : null;
  }

  /** The process ends: FIN on all of its sockets, or RST. */
  end(how: 'fin' | 'reset'): void {
    this.isAlive = false;
    for (const connection of this.openConnections) {
      if (how === 'fin') connection.hasEnded = true;
      else connection.hasReset = true;
      if (how === 'fin') connection.client.end();
      else connection.client.reset();
    }
  }
}

function hostOf(url: string): string {
  return url.replace(/^pulsar(\+ssl)?:\/\//, '');
}
