/** A client that says what a test tells it to, over one connection. It answers PING by itself unless told not to. */
import type { Transport } from './broker-connection.ts';
import type { Command, CommandName, FieldsOf } from './commands.ts';
import { type Frame, FrameSplitter, frame, payloadOf, readPayload } from './frames.ts';

const MOST = 200 * 1024 * 1024;
const WITHIN_MILLISECONDS = 8000;

export interface ConnectOptions {
  readonly clientVersion?: string;
  readonly protocolVersion?: number;
  readonly proxyToBrokerUrl?: string;
  readonly token?: string;
  readonly flags?: FieldsOf<'CONNECT'>['flags'];
}

export interface ProducerOptions {
  readonly id?: bigint;
  readonly name?: string;
  readonly epoch?: bigint;
  readonly more?: FieldsOf<'PRODUCER'>;
}

/** What it opened, as it was told. */
export interface OpenProducer {
  readonly id: bigint;
  readonly name: string;
}

interface Waiter {
  readonly isIt: (frame: Frame) => boolean;
  readonly found: (frame: Frame) => void;
  readonly lost: (error: Error) => void;
}

export class ScriptedClient {
  /** Everything that it heard. */
  readonly frames: Frame[] = [];
  isOpen = true;
  answersPings = true;
  onFrame: (frame: Frame) => void = () => undefined;
  onEnd: () => void = () => undefined;
  readonly #transport: Transport;
  readonly #splitter = new FrameSplitter(MOST);
  #waiters: Waiter[] = [];
  /** As Java's: far beyond what a float holds. */
  nextRequest = 2n ** 61n + 1n;
  #nextProducer = 0n;
  readonly #sequences = new Map<bigint, bigint>();
  #resolveEnding: () => void = () => undefined;
  readonly ending: Promise<void>;

  constructor(transport: Transport) {
    this.#transport = transport;
    this.ending = new Promise((resolve) => {
      this.#resolveEnding = resolve;
    });
  }

  // --- bytes ----------------------------------------------------------------------------------------------------

  feed(bytes: Buffer): void {
    this.#splitter.push(bytes, (each) => {
      this.frames.push(each);
      if (each.command.name === 'PING' && this.answersPings) this.say('PONG', {});
      for (const waiter of this.#waiters.filter(({ isIt }) => isIt(each))) {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        waiter.found(each);
      }
      this.onFrame(each);
    });
  }

  ended(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    for (const { lost } of this.#waiters.splice(0)) lost(new Error('the connection is gone'));
    this.#resolveEnding();
    this.onEnd();
  }

  write(bytes: Buffer): void {
    this.#transport.write(bytes);
  }
  end(): void {
    this.#transport.end();
    this.ended();
  }
  reset(): void {
    this.#transport.reset();
    this.ended();
  }
  pause(): void {
    this.#transport.pause();
  }
  resume(): void {
    this.#transport.resume();
  }

  say<N extends CommandName>(name: N, fields: FieldsOf<N>, payload?: Buffer): void {
    this.write(frame(name, fields, payload));
  }

  // --- what it heard --------------------------------------------------------------------------------------------

  heard<N extends CommandName>(name: N): readonly FieldsOf<N>[] {
    return this.frames.flatMap(({ command }) => (command.name === name ? (command.fields as FieldsOf<N>) : []));
  }
  get names(): readonly Command['name'][] {
    return this.frames.map(({ command }) => command.name);
  }

  /** The next frame of which this is true; those that came before do not count. */
  next(what: string, isIt: (frame: Frame) => boolean): Promise<Frame> {
    const { promise, resolve, reject } = Promise.withResolvers<Frame>();
    if (!this.isOpen) reject(new Error(`waited for ${what}, and the connection is gone`));
    const timer = setTimeout(
      () => reject(new Error(`waited in vain for ${what}; heard ${this.names.join(' ')}`)),
      WITHIN_MILLISECONDS,
    );
    const over = (): void => clearTimeout(timer);
    this.#waiters.push({
      isIt,
      found: (each) => {
        over();
        resolve(each);
      },
      lost: (error) => {
        over();
        reject(new Error(`waited for ${what}: ${error.message}`));
      },
    });
    return promise;
  }

  nextOf(name: CommandName): Promise<Frame> {
    return this.next(name, ({ command }) => command.name === name);
  }

  /** Asks with a request id of its own; answers what comes with that id, an ERROR too. */
  async ask<N extends CommandName>(name: N, fields: FieldsOf<N>): Promise<Command> {
    const { requestId, sent } = this.post(name, fields);
    const answer = this.next(`the answer to ${name}`, ({ command }) => requestIdOf(command) === requestId);
    sent();
    return (await answer).command;
  }

  /** A request id, and what says it. */
  post<N extends CommandName>(name: N, fields: FieldsOf<N>): { readonly requestId: bigint; readonly sent: () => void } {
    const requestId = this.nextRequest;
    this.nextRequest += 1n;
    return { requestId, sent: () => this.say(name, { ...fields, requestId } as FieldsOf<N>) };
  }

  // --- the usual ------------------------------------------------------------------------------------------------

  hello({ clientVersion, protocolVersion, proxyToBrokerUrl, token, flags }: ConnectOptions = {}): void {
    this.say('CONNECT', {
      clientVersion: clientVersion ?? 'Scripted-Client-v1',
      protocolVersion: protocolVersion ?? 21,
      flags: flags ?? { authRefresh: true, brokerEntryMetadata: true },
      ...(token === undefined ? {} : { authMethodName: 'token', authData: Buffer.from(token) }),
      ...(proxyToBrokerUrl === undefined ? {} : { proxyToBrokerUrl }),
    });
  }

  async connect(options: ConnectOptions = {}): Promise<FieldsOf<'CONNECTED'>> {
    const answer = this.next('the answer to CONNECT', ({ command }) => /^(CONNECTED|ERROR)$/.test(command.name));
    this.hello(options);
    const { command } = await answer;
    if (command.name !== 'CONNECTED') throw new Error(`not connected: ${JSON.stringify(command, printable)}`);
    return command.fields;
  }

  /** @throws {Error} the broker's error, if it is refused */
  async producer(topic: string, { id, name, epoch, more = {} }: ProducerOptions = {}): Promise<OpenProducer> {
    const producerId = id ?? this.#nextProducer++;
    const { requestId, sent } = this.post('PRODUCER', {
      ...{ topic, producerId, userProvidedName: name !== undefined },
      ...(name === undefined ? {} : { producerName: name }),
      ...(epoch === undefined ? {} : { epoch }),
      ...more,
    });
    const answer = this.next(
      'PRODUCER_SUCCESS',
      ({ command }) =>
        requestIdOf(command) === requestId && !(command.name === 'PRODUCER_SUCCESS' && command.fields.ready === false),
    );
    sent();
    const { command } = await answer;
    if (command.name !== 'PRODUCER_SUCCESS') throw new Error(JSON.stringify(command, printable));
    return { id: producerId, name: command.fields.producerName ?? '' };
  }

  /** A SEND, whole; its sequence id is the next of that producer. */
  message({ id, name }: OpenProducer, text: string | Buffer): { readonly bytes: Buffer; readonly sequenceId: bigint } {
    const sequenceId = (this.#sequences.get(id) ?? -1n) + 1n;
    this.#sequences.set(id, sequenceId);
    const payload = payloadOf({ producerName: name, sequenceId, publishTime: 1n }, Buffer.from(text));
    return { bytes: frame('SEND', { producerId: id, sequenceId, numMessages: 1 }, payload), sequenceId };
  }

  /** Sends it and waits for its receipt. */
  async send(producer: OpenProducer, text: string | Buffer): Promise<FieldsOf<'SEND_RECEIPT'>> {
    const { bytes, sequenceId } = this.message(producer, text);
    const answer = this.next(`the receipt of ${sequenceId}`, ({ command }) => {
      if (command.name !== 'SEND_RECEIPT' && command.name !== 'SEND_ERROR') return false;
      return command.fields.producerId === producer.id && command.fields.sequenceId === sequenceId;
    });
    this.write(bytes);
    const { command } = await answer;
    if (command.name !== 'SEND_RECEIPT') throw new Error(JSON.stringify(command, printable));
    return command.fields;
  }

  async lookup(topic: string): Promise<FieldsOf<'LOOKUP_RESPONSE'>> {
    const command = await this.ask('LOOKUP', { topic });
    if (command.name !== 'LOOKUP_RESPONSE') throw new Error(JSON.stringify(command, printable));
    return command.fields;
  }

  /** Subscribes, and lets a thousand messages come. */
  async consumer(topic: string, subscription: string, id = 0n, subType = 1): Promise<void> {
    const command = await this.ask('SUBSCRIBE', {
      ...{ topic, subscription, consumerId: id, subType, initialPosition: 1 },
    });
    if (command.name !== 'SUCCESS') throw new Error(JSON.stringify(command, printable));
    this.say('FLOW', { consumerId: id, permits: 1000 });
  }

  /** The bodies of all messages that came. */
  get bodies(): readonly string[] {
    return this.frames.flatMap(({ command, payload }) =>
      command.name === 'MESSAGE' ? readPayload(payload).body.toString() : [],
    );
  }
}

export function requestIdOf(command: Command): bigint | undefined {
  return 'fields' in command && 'requestId' in command.fields ? command.fields.requestId : undefined;
}

export function printable(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}` : value;
}
