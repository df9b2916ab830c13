/** One connection, as its broker sees it: the handshake, what is registered, and everything that came. */
import type { FakeBroker } from './broker.ts';
import { type Command, type CommandName, type FieldsOf, ServerError, UNASKED } from './commands.ts';
import { FRAME_PADDING, type Frame, FrameSplitter, frame } from './frames.ts';
import { serve } from './services.ts';
import type { Consumer, Holder, Producer, Topic } from './topic.ts';

/** Where its bytes go. */
export interface Transport {
  write(bytes: Buffer): void;
  /** FIN behind what was written, and nothing is read any more. */
  end(): void;
  /** RST. */
  reset(): void;
  /** Nothing is read meanwhile. */
  pause(): void;
  resume(): void;
}

export class BrokerConnection implements Holder {
  readonly broker: FakeBroker;
  readonly number: number;
  readonly frames: Frame[] = [];
  readonly producers = new Map<bigint, Producer>();
  readonly consumers = new Map<bigint, Consumer>();
  /** Producers that are being made, by the number of the request. */
  readonly making = new Map<bigint, bigint>();
  /** Producers that have to wait until they are ready. */
  readonly waiting = new Map<bigint, { readonly producer: Producer; readonly requestId: bigint }>();
  /** Producers that the broker closed: what still comes for them is ignored. */
  readonly recentlyClosed = new Set<bigint>();
  /** What was shown, first and later. */
  readonly shown: string[] = [];
  isOpen = true;
  /** Why the broker closed it. */
  fault: string | null = null;
  bytesIn = 0;
  bytesOut = 0;
  connect: FieldsOf<'CONNECT'> | null = null;
  readonly #transport: Transport;
  readonly #splitter: FrameSplitter;
  #waitsForPong = false;
  /** Answers to the command that is dealt with, if they are kept back. */
  #keptBack: Buffer[] | null = null;

  constructor(broker: FakeBroker, transport: Transport) {
    this.broker = broker;
    this.number = broker.cluster.nextConnection();
    this.#transport = transport;
    this.#splitter = new FrameSplitter(broker.cluster.options.maxMessageSize + FRAME_PADDING);
  }

  // --- bytes ----------------------------------------------------------------------------------------------------

  feed(bytes: Buffer): void {
    if (!this.isOpen) return;
    this.bytesIn += bytes.length;
    try {
      this.#splitter.push(bytes, (each) => this.#take(each));
    } catch (error) {
      this.close(String(error));
    }
  }

  /** The other side is gone. */
  ended(): void {
    this.#gone();
  }

  send<N extends CommandName>(name: N, fields: FieldsOf<N>, payload?: Buffer): void {
    this.write(frame(name, fields, payload));
  }

  /** Whatever it is. */
  write(bytes: Buffer): void {
    if (!this.isOpen || bytes.length === 0) return;
    if (this.#keptBack !== null) {
      this.#keptBack.push(bytes);
      return;
    }
    this.bytesOut += bytes.length;
    this.#transport.write(bytes);
  }

  error(requestId: bigint, error: number, message: string): void {
    this.send('ERROR', { requestId, error, message });
  }

  /** What a broker does with whom it does not understand. */
  close(fault: string): void {
    if (!this.isOpen) return;
    this.fault = fault;
    this.#gone();
    this.#transport.end();
  }

  /** For no fault of the other side. */
  end(): void {
    if (!this.isOpen) return;
    this.#gone();
    this.#transport.end();
  }

  reset(): void {
    if (!this.isOpen) return;
    this.#gone();
    this.#transport.reset();
  }

  /** Throttled: the broker reads nothing from here. */
  pause(): void {
    this.#transport.pause();
  }
  resume(): void {
    this.#transport.resume();
  }

  // --- what it saw ----------------------------------------------------------------------------------------------

  commands<N extends CommandName>(name: N): readonly FieldsOf<N>[] {
    return this.frames.flatMap(({ command }) => (command.name === name ? (command.fields as FieldsOf<N>) : []));
  }

  get names(): readonly Command['name'][] {
    return this.frames.map(({ command }) => command.name);
  }

  get partial(): number {
    return this.#splitter.partial;
  }

  // --- what the broker does by itself ---------------------------------------------------------------------------

  keepAlive(): void {
    if (this.connect === null) {
      this.close('no handshake in time');
      return;
    }
    if (this.#waitsForPong) {
      this.close('no answer to a PING');
      return;
    }
    this.#waitsForPong = true;
    this.send('PING', {});
  }

  /** Asks for a credential once more; who cannot be asked is closed. */
  challenge(): void {
    if (this.connect?.flags?.authRefresh !== true) {
      this.close('the credential expired');
      return;
    }
    this.send('AUTH_CHALLENGE', {
      serverVersion: 'Fake Pulsar',
      challenge: { method: this.connect.authMethodName ?? '', data: Buffer.from('PulsarAuthRefresh') },
      protocolVersion: this.broker.cluster.options.protocolVersion,
    });
  }

  drop(topic: Topic, assigned: FakeBroker | null): void {
    const where = assigned === null ? {} : { url: assigned.url, urlTls: assigned.urlTls };
    for (const [producerId, producer] of [...this.producers]) {
      if (producer.topic !== topic) continue;
      this.producers.delete(producerId);
      this.recentlyClosed.add(producerId);
      this.send('CLOSE_PRODUCER', { producerId, requestId: UNASKED, ...where });
    }
    for (const [producerId, { producer, requestId }] of [...this.waiting]) {
      if (producer.topic !== topic) continue;
      this.waiting.delete(producerId);
      this.error(requestId, ServerError.serviceNotReady, `Topic ${topic.name} is closed`);
    }
    for (const [consumerId, consumer] of [...this.consumers]) {
      if (consumer.topic !== topic) continue;
      this.consumers.delete(consumerId);
      this.send('CLOSE_CONSUMER', { consumerId, requestId: UNASKED, ...where });
    }
  }

  /** Whether this may connect; if not, it was told so and is closed. */
  admits(method: string, data: Buffer | undefined): boolean {
    const shown = data?.toString() ?? '';
    this.shown.push(`${method}:${shown}`);
    const { credentials } = this.broker.cluster;
    if (credentials === undefined || credentials.has(shown)) return true;
    this.error(UNASKED, ServerError.authentication, 'Unable to authenticate');
    this.close('a credential that is not known');
    return false;
  }

  // --- inside ---------------------------------------------------------------------------------------------------

  #take(each: Frame): void {
    if (!this.isOpen) return;
    this.#waitsForPong = false;
    if (this.broker.records) this.frames.push(each);
    if (this.broker.tamper(this, each)) return;
    const { command } = each;
    if (command.name === 'UNKNOWN') {
      this.close(`a command of type ${command.type}`);
      return;
    }
    const run = (): void => {
      if (this.isOpen) serve(this, each);
    };
    if (this.broker.holds(command.name, command.name === 'PRODUCER' ? this.#made(command.fields, run) : run)) return;
    const kept: Buffer[] = [];
    if (this.broker.holdsAnswers(command.name, () => this.write(Buffer.concat(kept)))) this.#keptBack = kept;
    run();
    this.#keptBack = null;
  }

  /** A producer that is being made may be closed before: then its request is never answered. */
  #made({ producerId = 0n, requestId = 0n }: FieldsOf<'PRODUCER'>, run: () => void): () => void {
    this.making.set(producerId, requestId);
    return () => {
      if (this.making.get(producerId) !== requestId) return;
      this.making.delete(producerId);
      run();
    };
  }

  #gone(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    for (const producer of this.producers.values()) producer.topic.disconnect(producer);
    for (const { producer } of this.waiting.values()) producer.topic.disconnect(producer);
    for (const consumer of this.consumers.values()) {
      consumer.subscription.consumers.delete(consumer);
      consumer.topic.redeliver(consumer.subscription);
    }
    this.producers.clear();
    this.waiting.clear();
    this.consumers.clear();
  }
}
