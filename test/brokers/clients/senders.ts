/** Producers that send numbered messages at their own pace, for clients that run in Node. */
import { setTimeout as pause } from 'node:timers/promises';

export interface Connection {
  /** Settled once the broker has acknowledged. */
  send(topic: string, value: string): Promise<unknown>;
  close(): Promise<unknown>;
}

export interface OpenRequest {
  readonly bootstrap: string;
  readonly clients: readonly { readonly name: string; readonly topic: string }[];
  readonly settings: Readonly<Record<string, unknown>>;
}

export type Connect = (
  bootstrap: string,
  name: string,
  settings: Readonly<Record<string, unknown>>,
) => Promise<Connection>;

interface StartRequest {
  readonly everyMs: number;
  readonly messages: number;
  readonly spreadMs: number;
  readonly clients?: readonly string[];
}

class Sender {
  readonly name: string;
  readonly topic: string;
  readonly connection: Connection;
  sent = 0;
  acknowledged = 0;
  settled = 0;
  wanted = 0;
  latencies: number[] = [];
  failures: string[] = [];
  /** These libraries keep no order between calls that overlap: one message at a time, as their users do it. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(name: string, topic: string, connection: Connection) {
    this.name = name;
    this.topic = topic;
    this.connection = connection;
  }

  get more(): boolean {
    return this.sent < this.wanted;
  }

  send(): void {
    const value = `${this.name} ${this.sent++}`;
    this.#turn = this.#turn.then(() => this.#deliver(value));
  }

  async #deliver(value: string): Promise<void> {
    const begun = performance.now();
    try {
      await this.connection.send(this.topic, value);
      this.acknowledged += 1;
      this.latencies.push(Math.round((performance.now() - begun) * 100) / 100);
    } catch (error) {
      this.failures.push(`${value}: ${error}`);
    }
    this.settled += 1;
  }
}

export class Senders {
  readonly #all = new Map<string, Sender>();
  readonly #connect: Connect;

  constructor(connect: Connect) {
    this.#connect = connect;
  }

  async open({ bootstrap, clients, settings }: OpenRequest): Promise<void> {
    await Promise.all(
      clients.map(async ({ name, topic }) => {
        this.#all.set(name, new Sender(name, topic, await this.#connect(bootstrap, name, settings)));
      }),
    );
  }

  start({ everyMs, messages, spreadMs, clients }: StartRequest): void {
    const chosen = [...this.#all.values()].filter(({ name }) => clients === undefined || clients.includes(name));
    for (const [index, sender] of chosen.entries()) {
      sender.wanted = messages === 0 ? Number.POSITIVE_INFINITY : sender.sent + messages;
      void pace(sender, performance.now() + (spreadMs * index) / chosen.length, everyMs);
    }
  }

  async finish({ stop, withinMs }: { stop: boolean; withinMs: number }): Promise<object> {
    const deadline = performance.now() + withinMs;
    const all = [...this.#all.values()];
    if (stop) for (const sender of all) sender.wanted = sender.sent;
    while (all.some((sender) => sender.more || sender.settled < sender.sent)) {
      if (performance.now() > deadline) {
        const owing = all.filter((sender) => sender.settled < sender.sent);
        throw new Error(
          `not delivered: ${owing.map(({ name, settled, sent }) => `${name} ${settled}/${sent}`).join(', ')}`,
        );
      }
      await pause(5);
    }
    const report = {
      clients: Object.fromEntries(all.map(({ name, sent, acknowledged }) => [name, { sent, acknowledged }])),
      failures: all.flatMap(({ failures }) => failures),
      latencies: all.flatMap(({ latencies }) => latencies),
    };
    for (const sender of all) {
      sender.latencies = [];
      sender.failures = [];
    }
    return report;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all.values()].map((sender) => sender.connection.close()));
    this.#all.clear();
  }
}

async function pace(sender: Sender, first: number, everyMs: number): Promise<void> {
  for (let due = first; sender.more; due += everyMs) {
    const wait = due - performance.now();
    if (wait > 0) await pause(wait);
    if (sender.more) sender.send();
  }
}
