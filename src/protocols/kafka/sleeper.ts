/** What one client last heard about its cluster, and whether it has been quiet since. */
import { type HousekeepingCache, isSameQuestion, type MetadataKey } from './housekeeping-cache.ts';

/** A client library asks one or two questions for ever; whoever asks more is not asleep. */
const MOST_QUESTIONS = 4;

interface Heard {
  readonly key: MetadataKey;
  /** When it arrived; of one out of the cache, when that was asked for. */
  sequence: number;
}

export class Sleeper {
  /** The last ones, oldest first. No text of its own: ten thousand sleepers may ask the same. */
  #heard: Heard[] = [];
  /** Of the newest answer that it got, to whichever question. */
  #newest = 0;
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
    this.#newest = Math.max(this.#newest, sequence);
    const others = this.#heard.filter((each) => !isSameQuestion(each.key, key));
    this.#heard = clean ? [...others, { key, sequence }].slice(-MOST_QUESTIONS) : others;
  }

  #find(key: MetadataKey): Heard | undefined {
    return this.#heard.find((each) => isSameQuestion(each.key, key));
  }

  /** The answer that may be given to it without asking a broker. */
  answerFrom(cache: HousekeepingCache, key: MetadataKey): Buffer | null {
    if (!this.#quiet) return null;
    const heard = this.#find(key);
    const cached = cache.find(key);
    if (heard === undefined || cached === undefined || cached.sequence <= heard.sequence) return null;
    // Those of one renewal are equally new, so that each may follow the other.
    return cached.sequence < this.#newest ? null : cached.rest;
  }

  /** It was given the cached answer. */
  toldFrom(cache: HousekeepingCache, key: MetadataKey): void {
    const heard = this.#find(key);
    const cached = cache.find(key);
    if (heard === undefined || cached === undefined) return;
    heard.sequence = cached.sequence;
    this.#newest = Math.max(this.#newest, cached.sequence);
  }

  /** What it will ask again, if it is asleep. */
  questions(): MetadataKey[] {
    return this.#quiet ? this.#heard.map(({ key }) => key) : [];
  }
}
