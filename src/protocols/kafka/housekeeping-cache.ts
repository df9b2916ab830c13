/**
 * Metadata answers kept for sleepers.
 *
 * A sleeper may get a cached answer only if it had an answer to the same request on this connection before, and the cached
 * one is newer than whatever it got last. So nobody ever sees an answer older than its own refresh interval. Every identity
 * has a cache of its own: what brokers show depends on who asks.
 */

/** Version and everything behind the client id: the request without what differs between clients that ask the same. */
export interface MetadataKey {
  readonly version: number;
  /** Latin-1: one character a byte. */
  readonly rest: string;
}

export interface CachedAnswer {
  readonly key: MetadataKey;
  /** Everything behind the correlation id, with our addresses in it. */
  readonly rest: Buffer;
  /** When it was asked for; larger is newer. */
  readonly sequence: number;
}

/** What several caches hold together. */
export interface CacheBudget {
  bytes: number;
}

const MOST_BYTES = 16 * 1024 * 1024;
/** Of bookkeeping, beside the two texts. */
const ENTRY_BYTES = 200;
const FIRST_METADATA_WITH_THROTTLE = 3;
export const FIRST_FLEXIBLE_METADATA = 9;

export class HousekeepingCache {
  readonly #answers = new Map<string, CachedAnswer>();
  readonly #budget: CacheBudget;
  #bytes = 0;
  #sequence = 0;
  /** What was asked for before is not kept, for it may say what is known to be wrong. */
  #clearedAt = 0;

  /** @param budget shared by the caches of all identities */
  constructor(budget: CacheBudget = { bytes: 0 }) {
    this.#budget = budget;
  }

  find(key: MetadataKey): CachedAnswer | undefined {
    return this.#answers.get(nameOf(key));
  }

  /** The same question, kept once for all who ask it. */
  intern(key: MetadataKey): MetadataKey {
    return this.find(key)?.key ?? key;
  }

  /** A number for a question or an answer. */
  next(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  /** Keeps an answer that has no error code in it, unless what was asked for later is there. @param sequence of its question */
  take(key: MetadataKey, rest: Buffer, clean: boolean, sequence: number): void {
    const known = this.find(key);
    if (known !== undefined && known.sequence > sequence) return;
    const kept = this.intern(key);
    this.#remove(nameOf(kept));
    if (!clean || sequence <= this.#clearedAt || rest.length > MOST_BYTES / 4 || hasHeaderTags(key, rest)) return;
    this.#answers.set(nameOf(kept), { key: kept, rest: withoutThrottle(key.version, rest), sequence });
    this.#grow(costOf(kept, rest));
    for (const oldest of this.#answers.keys()) {
      if (this.#budget.bytes <= MOST_BYTES) break;
      this.#remove(oldest);
    }
  }

  #remove(name: string): void {
    const known = this.#answers.get(name);
    if (known === undefined) return;
    this.#answers.delete(name);
    this.#grow(-costOf(known.key, known.rest));
  }

  #grow(bytes: number): void {
    this.#bytes += bytes;
    this.#budget.bytes += bytes;
  }

  clear(): void {
    this.#answers.clear();
    this.#grow(-this.#bytes);
    this.#clearedAt = this.#sequence;
  }
}

/** No version known to us has any; where they are, nothing stands where we look for it. */
function hasHeaderTags({ version }: MetadataKey, rest: Buffer): boolean {
  return version >= FIRST_FLEXIBLE_METADATA && rest[0] !== 0;
}

/** A copy that does not tell of the throttle which somebody else met: clients stop sending for so long. */
function withoutThrottle(version: number, rest: Buffer): Buffer {
  const copy = Buffer.from(rest);
  const at = version >= FIRST_FLEXIBLE_METADATA ? 1 : 0; // behind the header's tagged fields, of which there are none
  if (version >= FIRST_METADATA_WITH_THROTTLE && copy.length >= at + 4) copy.writeInt32BE(0, at);
  return copy;
}

function costOf(key: MetadataKey, rest: Buffer): number {
  return ENTRY_BYTES + key.rest.length + rest.length;
}

export function isSameQuestion(one: MetadataKey, other: MetadataKey): boolean {
  return one.version === other.version && one.rest === other.rest;
}

export function nameOf(key: MetadataKey): string {
  return `${key.version} ${key.rest}`;
}
