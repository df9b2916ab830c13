/**
 * The last things that an operator would want to know of, for `slackwater status` and `GET /v1/routes`: trouble,
 * changes of the cluster, pools that fell asleep or woke up. What happens again is counted, not repeated.
 */
import type { CoreEvent, Observer } from '../core/events.ts';
import { type Cause, causeKey, causeOf } from './cause.ts';
import { type LineLevel, lineOf } from './lines.ts';

const CAPACITY = 200;

export interface HistoryEntry extends Cause {
  /** ISO 8601, of the first and the last of `count` events of this cause. */
  readonly since: string;
  readonly at: string;
  readonly count: number;
  readonly level: LineLevel;
  readonly message: string;
  /** Of the last one; '' if there is nothing to add. */
  readonly detail: string;
  readonly remedy?: string;
}

export class History {
  readonly #wallClock: () => number;
  /** By cause, the one that happened last at the end. */
  readonly #entries = new Map<string, HistoryEntry>();

  /** @param wallClock Unix milliseconds */
  constructor(wallClock: () => number = Date.now) {
    this.#wallClock = wallClock;
  }

  readonly observe: Observer = (event) => {
    const line = lineOf(event);
    if (line.level === 'debug' && event.type !== 'pool.asleep' && event.type !== 'pool.awake') return;
    const cause = causeOf(event);
    const key = causeKey(cause);
    const before = this.#entries.get(key);
    const at = new Date(this.#wallClock()).toISOString();
    this.#entries.delete(key);
    this.#entries.set(key, {
      ...cause,
      ...line,
      since: before?.since ?? at,
      at,
      count: (before?.count ?? 0) + 1,
      detail: detailOf(event),
    });
    const oldest = this.#entries.keys().next().value;
    if (this.#entries.size > CAPACITY && oldest !== undefined) this.#entries.delete(oldest);
  };

  /** Why the last dial of this route failed; undefined if none did, as far as is remembered. */
  lastDialFailure(route: string): string | undefined {
    return this.recent().find((entry) => entry.event === 'upstream.dial_failed' && entry.route === route)?.reason;
  }

  /** Newest first. */
  recent(): HistoryEntry[] {
    return [...this.#entries.values()].reverse();
  }
}

function detailOf(event: CoreEvent): string {
  if ('detail' in event) return event.detail;
  if (event.type === 'pool.awake') {
    const milliseconds = Math.round(event.dialSeconds * 1000);
    return `for ${event.clients === 1 ? '1 client' : `${event.clients} clients`}, dialled in ${milliseconds} ms`;
  }
  if (event.type === 'broker.changed') return event.local === '' ? event.address : `${event.address} on ${event.local}`;
  return '';
}
