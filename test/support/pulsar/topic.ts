/** One topic of the tests' broker: what was stored, in order, who produces to it, and who reads it. */
import { UNASKED } from './commands.ts';
import type { Payload } from './frames.ts';

/** What a topic needs of whoever is connected to it. */
export interface Holder {
  readonly number: number;
  readonly isOpen: boolean;
}

export interface Producer {
  readonly topic: Topic;
  readonly id: bigint;
  readonly name: string;
  readonly epoch: bigint;
  readonly holder: Holder;
  readonly accessMode: number;
}

export interface Consumer {
  readonly topic: Topic;
  readonly id: bigint;
  readonly subscription: Subscription;
  readonly holder: Holder;
  permits: number;
  readonly deliver: (entry: Entry) => void;
}

export interface Entry {
  readonly id: bigint;
  readonly producerName: string;
  readonly sequenceId: bigint;
  readonly body: Buffer;
  /** As it came, checksum included. */
  readonly payload: Buffer;
  /** The number of the connection that it came over. */
  readonly connection: number;
}

export interface Subscription {
  readonly name: string;
  readonly type: number;
  /** Index of the entry that is delivered next. */
  next: number;
  readonly acknowledged: Set<bigint>;
  readonly consumers: Set<Consumer>;
}

export class Topic {
  readonly name: string;
  readonly ledger: bigint;
  /** Index of the broker that serves it. */
  owner: number;
  partitions = 0;
  schemaVersion: Buffer = Buffer.alloc(0);
  readonly entries: Entry[] = [];
  readonly producers = new Map<string, Producer>();
  readonly subscriptions = new Map<string, Subscription>();
  /** By producer name, for deduplication. */
  readonly lastSequence = new Map<string, bigint>();

  constructor(name: string, owner: number, ledger: bigint) {
    this.name = name;
    this.owner = owner;
    this.ledger = ledger;
  }

  /** What is wrong with it, or null: it is connected now, and one that it succeeds is not any more. */
  connect(producer: Producer): string | null {
    const old = this.producers.get(producer.name);
    if (old !== undefined) {
      const isSuccessor = old.holder === producer.holder && old.id === producer.id && old.epoch < producer.epoch;
      if (!isSuccessor && old.holder.isOpen)
        return `Producer with name '${producer.name}' is already connected to topic`;
    }
    this.producers.set(producer.name, producer);
    return null;
  }

  has(producer: Producer): boolean {
    return this.producers.get(producer.name) === producer;
  }

  disconnect(producer: Producer): void {
    if (this.has(producer)) this.producers.delete(producer.name);
  }

  /** The entry, or null: it is there already. */
  store(producer: Producer, sequenceId: bigint, { body }: Payload, payload: Buffer, dedup: boolean): Entry | null {
    const last = this.lastSequence.get(producer.name);
    if (dedup && last !== undefined && sequenceId <= last) return null;
    this.lastSequence.set(producer.name, sequenceId);
    const entry: Entry = {
      ...{ id: BigInt(this.entries.length), producerName: producer.name, sequenceId },
      ...{ body, payload, connection: producer.holder.number },
    };
    this.entries.push(entry);
    for (const subscription of this.subscriptions.values()) this.dispatch(subscription);
    return entry;
  }

  subscribe(name: string, type: number, fromStart: boolean): Subscription {
    const known = this.subscriptions.get(name);
    if (known !== undefined) return known;
    const next = fromStart ? 0 : this.entries.length;
    const subscription: Subscription = { name, type, next, acknowledged: new Set(), consumers: new Set() };
    this.subscriptions.set(name, subscription);
    return subscription;
  }

  dispatch(subscription: Subscription): void {
    for (let entry = this.entries[subscription.next]; entry !== undefined; entry = this.entries[subscription.next]) {
      const consumer = [...subscription.consumers].find(({ permits }) => permits > 0);
      if (consumer === undefined) return;
      consumer.permits -= 1;
      subscription.next += 1;
      consumer.deliver(entry);
    }
  }

  /** What was delivered and not acknowledged is delivered again. */
  redeliver(subscription: Subscription): void {
    const first = this.entries.findIndex(({ id }) => !subscription.acknowledged.has(id));
    subscription.next = first < 0 ? this.entries.length : first;
    this.dispatch(subscription);
  }

  get bodies(): readonly string[] {
    return this.entries.map(({ body }) => body.toString());
  }
}

/** The receipt of what was there already. */
export const DUPLICATE = { ledgerId: UNASKED, entryId: UNASKED };
