/** What is owed on one connection, and to whom. Kafka lends a connection to one tenant at a time. */
import type { UpstreamSink } from '../../contract/protocol.ts';
import { APIS } from './api-table.ts';
import type { KafkaClientSession } from './client-session.ts';
import type { HousekeepingCache, MetadataKey } from './housekeeping-cache.ts';
import { InFlight, Owner } from './in-flight.ts';

interface Question {
  readonly client: KafkaClientSession;
  /** Null if it was too large to be kept. */
  readonly key: MetadataKey | null;
  readonly works: number;
  readonly sequence: number;
}

export class Ledger<T> {
  readonly inFlight = new InFlight();
  /** Who holds the connection, or held it last. */
  tenant: T | null = null;
  readonly #cache: HousekeepingCache;
  /** Metadata requests of the tenant, in order. */
  readonly #questions: Question[] = [];
  #owedToTenant = 0;
  #settling = false;
  /** A Produce with acks=0 was written, and nothing behind it was answered. */
  unfenced = false;
  /** Of the answers owed, so many belong to requests before it and prove nothing. */
  #beforeFence = 0;
  /** Of the answer that is arriving. */
  #throttleMilliseconds = 0;
  /** Told, as `#settling` is, once everything that was read has been delivered. */
  #worked = 0;
  #mutedMilliseconds = 0;

  /** @param cache of whom the broker takes the connection for */
  constructor(cache: HousekeepingCache) {
    this.#cache = cache;
  }

  admit(client: KafkaClientSession): void {
    if (!client.expectsAnswer) {
      this.unfenced = true;
      this.#beforeFence = this.inFlight.size;
      return;
    }
    const { apiKey, version, correlationId, work, patienceMilliseconds } = client;
    const api = APIS[apiKey];
    const hold = api !== undefined && version <= api.maxVersion && api.kind === 'hold';
    if (api?.kind === 'metadata') {
      const sequence = this.#cache.next();
      this.#questions.push({ client, key: client.metadataKey, works: client.sleeper.works, sequence });
    }
    this.inFlight.push(correlationId, apiKey, version, Owner.tenant, work, hold, patienceMilliseconds);
    this.#owedToTenant += 1;
  }

  /** The broker throttles whoever asked (KIP-219). */
  throttled(milliseconds: number): void {
    this.#throttleMilliseconds = Math.max(this.#throttleMilliseconds, milliseconds);
  }

  /** The answer to the tenant's oldest Metadata request, behind its correlation id. */
  heardMetadata(rest: Buffer, clean: boolean): void {
    const question = this.#questions.shift();
    if (question === undefined || question.key === null) return;
    const cache = this.#cache;
    cache.take(question.key, rest, clean, question.sequence);
    question.client.sleeper.heard(cache.intern(question.key), cache.next(), clean, question.works);
  }

  /** The tenant's oldest answer is complete. */
  complete(): void {
    if (this.inFlight.work) this.#worked += 1;
    this.inFlight.shift();
    this.#owedToTenant -= 1;
    if (this.#owedToTenant === 0) this.#settling = true;
    this.fenced();
  }

  /** An answer came: a broker serves a connection in order, so all that was written before its request has been read. */
  fenced(): void {
    this.#mutedMilliseconds = Math.max(this.#mutedMilliseconds, this.#throttleMilliseconds);
    this.#throttleMilliseconds = 0;
    if (!this.unfenced) return;
    if (this.#beforeFence === 0) this.unfenced = false;
    else this.#beforeFence -= 1;
  }

  /** Everything that was read has been delivered. */
  tell(sink: UpstreamSink<T>): void {
    for (; this.#worked > 0; this.#worked -= 1) sink.worked();
    if (this.#mutedMilliseconds > 0) sink.muted(this.#mutedMilliseconds);
    this.#mutedMilliseconds = 0;
    if (!this.#settling || this.#owedToTenant > 0) return;
    this.#settling = false;
    if (this.tenant !== null) sink.settled(this.tenant);
  }
}
