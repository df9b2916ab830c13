/** What is noted about a connection to a broker while it lives, by itself and by those who look after it. */
import type { ReleaseReason } from '../contract/reasons.ts';
import type { Errand } from './upstream-owner.ts';

export class UpstreamRecord {
  readonly createTime: number;
  /** Milliseconds of the injected clock; null until valid data passed. */
  lastWorkTime: number | null = null;
  idleMarkTime = 0;
  lastTrafficTime: number;
  /** When the request of the oldest answer owed was written, or the answer before it was complete. */
  owedSince = 0;
  /** When a request was written last. */
  sentTime = 0;
  /** When it was lent last; 0 if it never was. */
  leaseStart = 0;
  /** Others wait: the tenant may finish what is in flight, and nothing more. */
  yielding = false;
  mutedUntil = 0;
  condemned: ReleaseReason | null = null;
  errand: Errand = 'none';
  errandStart = 0;
  /** Dialled when nobody had valid data to send. */
  forHousekeeping = false;
  idleReported = false;
  /** Requests written. */
  requests = 0;
  /** The same when `isBehind` was asked last, and the time before. */
  #requestsLast = 0;
  #requestsBefore = 0;
  /** The request written last is valid data. */
  #sendsWork = false;

  /** @param now the injected clock's milliseconds */
  constructor(now: number) {
    this.createTime = now;
    this.lastTrafficTime = now;
  }

  /** A request is written now. */
  noteRequest(now: number, owedBefore: number, isWork: boolean): void {
    this.requests += 1;
    this.sentTime = now;
    if (owedBefore === 0) this.owedSince = now;
    this.#sendsWork = isWork;
    if (isWork) this.lastWorkTime = now;
  }

  /** More of it is written, or all. */
  notePart(now: number, whole: boolean, owed: number): void {
    this.sentTime = now;
    if (whole && owed === 1) this.owedSince = now;
    if (whole && this.#sendsWork) this.lastWorkTime = now;
  }

  /**
   * Asked at intervals: answers to what had been written two of them ago are still owed, of which there are `owed` in all.
   * Answers come in the order of the requests, or nearly so.
   */
  isBehind(owed: number): boolean {
    const behind = this.requests - owed < this.#requestsBefore;
    this.#requestsBefore = this.#requestsLast;
    this.#requestsLast = this.requests;
    return behind;
  }

  noteErrand(errand: Errand, now: number): void {
    this.errand = errand;
    this.errandStart = now;
  }
}
