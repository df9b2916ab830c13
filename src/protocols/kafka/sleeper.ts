/** What one client last heard about its cluster, and whether it has been quiet since. */
import { type HousekeepingCache, type MetadataKey, nameOf } from './housekeeping-cache.ts';

/** A client library asks one or two questions for ever; whoever asks more is not asleep. */
const MOST_QUESTIONS = 4;

interface Heard {
  readonly key: MetadataKey;
  sequence: number;
}

export class Sleeper {
  readonly #heard = new Map<string, Heard>();
  /** No valid data since the last housekeeping answer. */
  #quiet = false;
  /** Changes with every request that is valid data. */
  works = 0;

  worked(): void {
    this.#quiet = false;
    this.works = (this.works + 1) & 0x3fffffff;
  }

  /**
   * An answer arrived. One with an error code is no reason to believe a cached one later.
   *
   * @param works as it was when the question was asked: valid data sent since may tell the client that the answer is old
   */
  heard(key: MetadataKey, sequence: number, clean: boolean, works: number): void {
    if (works === this.works) this.#quiet = true;
    const name = nameOf(key);
    this.#heard.delete(name);
    if (!clean) return;
    this.#heard.set(name, { key, sequence });
    for (const oldest of this.#heard.keys()) {
      if (this.#heard.size <= MOST_QUESTIONS) break;
      this.#heard.delete(oldest);
    }
  }

  /** The answer that may be given to it without asking a broker. */
  answerFrom(cache: HousekeepingCache, key: MetadataKey): Buffer | null {
    if (!this.#quiet) return null;
    const heard = this.#heard.get(nameOf(key));
    const cached = cache.find(key);
    if (heard === undefined || cached === undefined || cached.sequence <= heard.sequence) return null;
    return cached.rest;
  }

  /** It was given the cached answer. */
  toldFrom(cache: HousekeepingCache, key: MetadataKey): void {
    const heard = this.#heard.get(nameOf(key));
    const cached = cache.find(key);
    if (heard !== undefined && cached !== undefined) heard.sequence = cached.sequence;
  }

  /** What it will ask again, if it is asleep. */
  questions(): MetadataKey[] {
    return this.#quiet ? [...this.#heard.values()].map(({ key }) => key) : [];
  }
}
