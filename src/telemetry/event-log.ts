/**
 * Writes events of the core as log lines that an operator can live with: the product at work is `debug`, a broker
 * that cannot be reached is said once and once more when it is back, and no cause writes more than two lines a minute.
 */
import type { Logger } from 'pino';
import type { DialFailure } from '../contract/reasons.ts';
import type { CoreEvent, Observer } from '../core/events.ts';
import { BurstLimit, type Timers } from './burst-limit.ts';
import { causeKey, causeOf } from './cause.ts';
import { type Line, lineOf } from './lines.ts';

const WINDOW_MILLISECONDS = 60_000;

export class EventLog {
  readonly #logger: Logger;
  readonly #limit: BurstLimit;
  /** Why the last dial to a broker failed, by route, broker and identity; absent while it can be reached. */
  readonly #failing = new Map<string, DialFailure>();

  constructor(logger: Logger, clock: Timers) {
    this.#logger = logger;
    this.#limit = new BurstLimit(clock, WINDOW_MILLISECONDS);
  }

  readonly observe: Observer = (event) => {
    const line = this.#lineNow(event);
    if (!this.#logger.isLevelEnabled(line.level)) return;
    const fields = fieldsOf(event, line);
    if (line.level === 'debug' || this.#logger.isLevelEnabled('debug')) {
      this.#logger[line.level](fields, line.message);
      return;
    }
    const cause = causeOf(event);
    const admitted = this.#limit.admit(causeKey(cause), (count) => {
      this.#logger[line.level]({ ...cause, count }, 'the same happened again');
    });
    if (admitted) this.#logger[line.level](fields, line.message);
  };

  /** The line of the event, given what was said before. */
  #lineNow(event: CoreEvent): Line {
    const line = lineOf(event);
    if (event.type === 'upstream.dial_failed') {
      const key = failingKey(event);
      const known = this.#failing.get(key) === event.reason;
      this.#failing.set(key, event.reason);
      return known ? { level: 'debug', message: 'a broker connection could still not be opened' } : line;
    }
    if (event.type === 'upstream.connected' && this.#failing.delete(failingKey(event))) {
      return { level: 'info', message: 'a broker can be reached again' };
    }
    if (event.type === 'broker.changed' && event.change === 'removed') {
      for (const key of [...this.#failing.keys()]) {
        if (key.startsWith(failingKey({ ...event, identity: '' }))) this.#failing.delete(key);
      }
    }
    return line;
  }
}

/** Neither names of routes nor brokers have spaces in them. */
function failingKey({ route, broker, identity }: { route: string; broker: string; identity: string }): string {
  return `${route} ${broker} ${identity}`;
}

/** Numbers are rounded to milliseconds; empty details are left out. */
function fieldsOf(event: CoreEvent, line: Line): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(event)) {
    if (key === 'type') fields.event = value;
    else if (value !== '') fields[key] = typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
  }
  if (line.remedy !== undefined) fields.remedy = line.remedy;
  return fields;
}
