/**
 * An application as the client libraries make it: it looks a topic up, opens its producer where it was told, and when it is
 * told that the producer was closed, or the connection goes, opens it again and sends what was not acknowledged. It does
 * nothing by itself: `retry` stands for its pauses being over.
 */
import { type ConnectOptions, requestIdOf, type ScriptedClient } from './client.ts';
import type { Command, CommandName, FieldsOf } from './commands.ts';
import { type Frame, frame, payloadOf } from './frames.ts';

const CONNECT = 1;

interface Pending {
  readonly sequenceId: bigint;
  readonly text: string;
}

class AppConnection {
  readonly client: ScriptedClient;
  isConnected = false;
  readonly producers = new Map<bigint, AppProducer>();
  readonly #answers = new Map<bigint, (command: Command) => void>();
  readonly #waiting: (() => void)[] = [];

  constructor(client: ScriptedClient, options: ConnectOptions, told: (connection: AppConnection, each: Frame) => void) {
    this.client = client;
    client.onFrame = (each) => {
      const { command } = each;
      const answered = this.#answers.get(requestIdOf(command) ?? -1n);
      if (command.name === 'CONNECTED') this.#connected();
      else if (answered !== undefined) answered(command);
      else told(this, each);
    };
    client.hello(options);
  }

  #connected(): void {
    this.isConnected = true;
    for (const task of this.#waiting.splice(0)) task();
  }

  whenConnected(task: () => void): void {
    if (this.isConnected) task();
    else this.#waiting.push(task);
  }

  /** `told` hears every answer with this id. */
  ask<N extends CommandName>(name: N, fields: FieldsOf<N>, told: (command: Command) => void): void {
    this.whenConnected(() => {
      const { requestId, sent } = this.client.post(name, fields);
      this.#answers.set(requestId, told);
      sent();
    });
  }
}

export class AppProducer {
  readonly topic: string;
  readonly id: bigint;
  readonly isNamed: boolean;
  name: string | null;
  epoch = 0n;
  connection: AppConnection | null = null;
  isReady = false;
  /** How often it was opened. */
  opened = 0;
  /** What was acknowledged, in order. */
  readonly acknowledged: string[] = [];
  readonly pending: Pending[] = [];
  #next = 0n;

  constructor(topic: string, id: bigint, name: string | null) {
    this.topic = topic;
    this.id = id;
    this.name = name;
    this.isNamed = name !== null;
  }

  send(text: string): void {
    const pending = { sequenceId: this.#next, text };
    this.#next += 1n;
    this.pending.push(pending);
    if (this.isReady) this.transmit(pending);
  }

  transmit({ sequenceId, text }: Pending): void {
    const payload = payloadOf({ producerName: this.name ?? '', sequenceId, publishTime: 1n }, Buffer.from(text));
    this.connection?.client.write(frame('SEND', { producerId: this.id, sequenceId, numMessages: 1 }, payload));
  }
}

export class Application {
  readonly producers: AppProducer[] = [];
  /** Errors that it was told. */
  readonly errors: string[] = [];
  /** Where it was sent that is not the sidecar. */
  readonly strayed: string[] = [];
  readonly #open: () => ScriptedClient;
  readonly #options: ConnectOptions;
  readonly #connections = new Map<string, AppConnection>();
  readonly #retries: (() => void)[] = [];
  #nextProducer = 0n;

  constructor(open: () => ScriptedClient, options: ConnectOptions = {}) {
    this.#open = open;
    this.#options = options;
  }

  producer(topic: string, name: string | null = null): AppProducer {
    const producer = new AppProducer(topic, this.#nextProducer, name);
    this.#nextProducer += 1n;
    this.producers.push(producer);
    this.#lookUp(producer);
    return producer;
  }

  /** Its pauses are over. */
  retry(): void {
    for (const task of this.#retries.splice(0)) task();
  }

  get clients(): readonly ScriptedClient[] {
    return [...this.#connections.values()].map(({ client }) => client);
  }
  get waitsToRetry(): number {
    return this.#retries.length;
  }

  /** The process ends: FIN on all of its sockets. */
  end(): void {
    for (const { client } of this.#connections.values()) {
      client.onEnd = () => undefined;
      client.end();
    }
  }
  /** The process is killed. */
  reset(): void {
    for (const { client } of this.#connections.values()) {
      client.onEnd = () => undefined;
      client.reset();
    }
  }

  // --- inside ---------------------------------------------------------------------------------------------------

  /** Of the service URL (''), or to a broker through it. */
  #connection(broker: string): AppConnection {
    const known = this.#connections.get(broker);
    if (known !== undefined) return known;
    const options = broker === '' ? this.#options : { ...this.#options, proxyToBrokerUrl: broker };
    const connection = new AppConnection(this.#open(), options, (from, each) => this.#told(from, each.command));
    this.#connections.set(broker, connection);
    connection.client.onEnd = () => {
      if (this.#connections.get(broker) === connection) this.#connections.delete(broker);
      for (const producer of connection.producers.values()) this.#lost(producer);
      if (connection.producers.size === 0) this.#retries.push(() => this.#lookUpLost());
      connection.producers.clear();
    };
    return connection;
  }

  #lookUpLost(): void {
    for (const producer of this.producers) if (producer.connection === null) this.#lookUp(producer);
  }

  #lost(producer: AppProducer): void {
    producer.isReady = false;
    producer.connection = null;
    this.#retries.push(() => this.#lookUp(producer));
  }

  #lookUp(producer: AppProducer): void {
    this.#connection('').ask('LOOKUP', { topic: producer.topic }, (command) => {
      const fields = command.name === 'LOOKUP_RESPONSE' ? command.fields : {};
      if (fields.response === CONNECT && fields.url !== undefined) {
        if (fields.proxyThroughServiceUrl !== true) this.strayed.push(fields.url);
        else this.#openAt(producer, hostOf(fields.url));
        return;
      }
      this.errors.push(`lookup: ${fields.message ?? command.name}`);
      this.#lost(producer);
    });
  }

  #openAt(producer: AppProducer, broker: string): void {
    const connection = this.#connection(broker);
    const { topic, id, name, epoch } = producer;
    producer.connection = connection;
    connection.producers.set(id, producer);
    connection.ask(
      'PRODUCER',
      {
        ...{ topic, producerId: id, epoch, userProvidedName: producer.isNamed },
        ...(name === null ? {} : { producerName: name }),
      },
      (command) => {
        if (command.name !== 'PRODUCER_SUCCESS') {
          this.errors.push(
            command.name === 'ERROR' ? `${command.fields.error}: ${command.fields.message}` : command.name,
          );
          connection.producers.delete(id);
          this.#lost(producer);
          return;
        }
        producer.name = command.fields.producerName ?? null;
        if (command.fields.ready === false) return;
        producer.isReady = true;
        producer.opened += 1;
        for (const pending of [...producer.pending]) producer.transmit(pending); // receipts may come meanwhile
      },
    );
  }

  #told(connection: AppConnection, command: Command): void {
    if (command.name === 'SEND_RECEIPT') this.#receipt(connection, command.fields);
    if (command.name === 'SEND_ERROR') this.errors.push(`send: ${command.fields.message}`);
    if (command.name !== 'CLOSE_PRODUCER') return;
    const { producerId = -1n, url } = command.fields;
    const producer = connection.producers.get(producerId);
    if (producer === undefined) return;
    connection.producers.delete(producerId);
    producer.isReady = false;
    producer.epoch += 1n;
    if (url === undefined) this.#lost(producer);
    else this.#openAt(producer, hostOf(url));
  }

  #receipt(connection: AppConnection, { producerId = -1n, sequenceId = -1n }: FieldsOf<'SEND_RECEIPT'>): void {
    const producer = connection.producers.get(producerId);
    const first = producer?.pending[0];
    if (producer === undefined || first === undefined || sequenceId < first.sequenceId) return;
    if (sequenceId > first.sequenceId) {
      this.errors.push(`a receipt of ${sequenceId} before ${first.sequenceId}`);
      connection.client.end();
      return;
    }
    producer.pending.shift();
    producer.acknowledged.push(first.text);
  }
}

function hostOf(url: string): string {
  return url.replace(/^pulsar(\+ssl)?:\/\//, '');
}
