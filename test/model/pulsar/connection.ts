/** One socket of a client process, as its library keeps it: requests and who waits for their answers. */
import type { FakePeer } from '../../support/fake-peer.ts';
import type { Transport } from '../../support/pulsar/broker-connection.ts';
import { requestIdOf, type ScriptedClient } from '../../support/pulsar/client.ts';
import type { Command, CommandName, FieldsOf } from '../../support/pulsar/commands.ts';
import type { Frame } from '../../support/pulsar/frames.ts';

/** Bytes that the process has not given to its socket. */
export class Hesitation implements Transport {
  readonly #under: Transport;
  #kept: Buffer[] | null = null;

  constructor(under: Transport) {
    this.#under = under;
  }

  get unsent(): number {
    return (this.#kept ?? []).reduce((sum, { length }) => sum + length, 0);
  }

  begin(): void {
    this.#kept ??= [];
  }
  /** Infinity: and it hesitates no longer. */
  letGo(most: number): void {
    const all = Buffer.concat(this.#kept ?? []);
    const rest = all.subarray(most);
    this.#kept = most === Number.POSITIVE_INFINITY ? null : [rest];
    if (all.length > rest.length) this.#under.write(all.subarray(0, all.length - rest.length));
  }

  write(bytes: Buffer): void {
    if (this.#kept === null) this.#under.write(bytes);
    else this.#kept.push(bytes);
  }
  end(): void {
    this.#under.end();
  }
  reset(): void {
    this.#under.reset();
  }
  pause(): void {
    this.#under.pause();
  }
  resume(): void {
    this.#under.resume();
  }
}

export interface Socket {
  readonly client: ScriptedClient;
  readonly hesitation: Hesitation;
  readonly peer: FakePeer;
  /** The product's name for it. */
  readonly id: string;
}

interface Asked {
  readonly name: CommandName;
  readonly told: (command: Command) => void;
}

/** What is registered on a connection. */
export interface Registered {
  readonly id: bigint;
  /** The connection is gone. */
  lost(): void;
  /** Something that nobody has answered or acknowledged. */
  readonly isBusy: boolean;
}

export class Connection {
  readonly socket: Socket;
  /** '' for the service URL. */
  readonly broker: string;
  isConnected = false;
  isClogged = false;
  /** By our own will. */
  hasEnded = false;
  hasReset = false;
  /** An operator closed it. */
  wasExpelled = false;
  pings = 0;
  /** Messages without a receipt, those too whose producer has moved on with them. */
  unreceipted = 0;
  readonly producers = new Map<bigint, Registered>();
  readonly consumers = new Map<bigint, Registered>();
  readonly #asked = new Map<bigint, Asked>();
  readonly #givenUp = new Set<(command: Command) => void>();
  /** Requests whose answers nobody waits for any more, and that the broker has not answered. */
  readonly #abandoned = new Set<bigint>();
  readonly #waiting: (() => void)[] = [];

  constructor(socket: Socket, broker: string, told: (each: Frame) => void) {
    this.socket = socket;
    this.broker = broker;
    const { client } = socket;
    client.onFrame = (each) => {
      const { command } = each;
      const id = requestIdOf(command) ?? -1n;
      const asked = this.#asked.get(id);
      this.#abandoned.delete(id);
      if (command.name === 'SEND_RECEIPT') this.unreceipted -= 1;
      if (command.name === 'CONNECTED') this.#connected();
      else if (asked === undefined) told(each);
      else {
        if (command.name !== 'PRODUCER_SUCCESS' || command.fields.ready !== false) this.#asked.delete(id);
        asked.told(command);
      }
    };
  }

  get client(): ScriptedClient {
    return this.socket.client;
  }
  get isOpen(): boolean {
    return this.client.isOpen;
  }
  /** Requests without an answer. */
  get unanswered(): readonly string[] {
    const asked = [...this.#asked.values()].map(({ name }) => name);
    return this.isConnected ? asked : ['CONNECT', ...asked];
  }
  /** It would miss something if it were closed now. */
  get isBusy(): boolean {
    const registered = [...this.producers.values(), ...this.consumers.values()];
    const isOwed = this.unanswered.length > 0 || this.unreceipted > 0 || this.#abandoned.size > 0;
    return isOwed || registered.some(({ isBusy }) => isBusy);
  }
  get pongs(): number {
    return this.client.heard('PONG').length;
  }

  #connected(): void {
    this.isConnected = true;
    for (const task of this.#waiting.splice(0)) task();
  }

  whenConnected(task: () => void): void {
    if (this.isConnected) task();
    else this.#waiting.push(task);
  }

  ask<N extends CommandName>(name: N, fields: FieldsOf<N>, told: (command: Command) => void): void {
    this.whenConnected(() => {
      const { requestId, sent } = this.client.post(name, fields);
      if (this.#givenUp.has(told)) this.#abandoned.add(requestId);
      else this.#asked.set(requestId, { name, told });
      sent();
    });
  }

  /** Nobody waits for such an answer any more. */
  forgetAsked(told: (command: Command) => void): void {
    this.#givenUp.add(told); // it may not have been sent yet
    for (const [id, asked] of this.#asked) {
      if (asked.told !== told) continue;
      this.#asked.delete(id);
      this.#abandoned.add(id);
    }
  }

  ping(): void {
    this.whenConnected(() => {
      this.pings += 1;
      this.client.say('PING', {});
    });
  }

  /** What was on it is told. */
  drop(): void {
    const all = [...this.producers.values(), ...this.consumers.values()];
    this.producers.clear();
    this.consumers.clear();
    this.#asked.clear();
    for (const each of all) each.lost();
  }
}
