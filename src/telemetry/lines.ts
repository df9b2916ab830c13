/** Events in words: the constant sentence and the level of each, for the log and the event history. */
import type { CoreEvent } from '../core/events.ts';
import { DIAL_GUIDE } from './dial-guide.ts';
import { CLOSE_GUIDE, RELEASE_GUIDE } from './guide.ts';

export type LineLevel = 'debug' | 'info' | 'warn' | 'error';

export interface Line {
  readonly level: LineLevel;
  readonly message: string;
  /** What to do about it; only where there is trouble. */
  readonly remedy?: string;
}

type EventOf<T extends CoreEvent['type']> = Extract<CoreEvent, { type: T }>;

interface Row<T extends CoreEvent['type']> {
  readonly meaning: string;
  line(event: EventOf<T>): Line;
}

const CHANGES: Readonly<Record<EventOf<'broker.changed'>['change'], string>> = {
  added: 'a broker was found',
  moved: 'a broker moved to another address',
  removed: 'a broker left the cluster',
  down: 'a broker is down, and until it is back its clients are refused as by a dead one',
  up: 'a broker is up again',
};

const IDENTITY_LINES: Readonly<Record<EventOf<'identity.changed'>['change'], Line>> = {
  read: { level: 'info', message: 'the files of an identity hold something newer' },
  accepted: { level: 'info', message: 'a broker took the newer login, and the connections of the one before go' },
  refused: {
    level: 'error',
    message: 'a broker refused the newer login, and the one before stays in force',
    remedy: 'Correct the file that holds the secret or certificate: it is read again as it changes.',
  },
  unreadable: {
    level: 'error',
    message: 'the files of an identity are of no use, and what they held before stays in force',
    remedy: 'Correct the file that the detail names: it is read again as it changes.',
  },
};

/** One row an event; `meaning` is also the row of docs/events.md. */
export const EVENTS: { readonly [T in CoreEvent['type']]: Row<T> } = {
  'client.connected': {
    meaning: 'An application opened a socket.',
    line: () => ({ level: 'debug', message: 'a client connected' }),
  },
  'client.disconnected': {
    meaning: "An application's socket was closed, by either side, for one of the reasons of a client's close.",
    line: ({ reason }) => withAdvice('a client was disconnected', CLOSE_GUIDE[reason]),
  },
  'pool.asleep': {
    meaning: 'The last connection to a broker is gone: its clients stay, it has none of us.',
    line: () => ({ level: 'debug', message: 'a pool fell asleep' }),
  },
  'pool.awake': {
    meaning: 'The first connection to a broker was opened; how long the dial took and how many clients waited.',
    line: () => ({ level: 'debug', message: 'a pool woke up' }),
  },
  'upstream.connected': {
    meaning: 'A broker connection was opened and its greeting answered.',
    line: () => ({ level: 'debug', message: 'a broker connection was opened' }),
  },
  'upstream.dial_failed': {
    meaning: 'A broker connection could not be opened; when the next attempt may be made.',
    line: ({ reason }) => withAdvice('a broker connection could not be opened', DIAL_GUIDE[reason]),
  },
  'upstream.idle_marked': {
    meaning: 'A broker connection has been quiet for about a second and may be reaped from now on.',
    line: () => ({ level: 'debug', message: 'a broker connection is quiet' }),
  },
  'upstream.released': {
    meaning: 'A broker connection was let go, for one of the reasons of a release.',
    line: ({ reason }) => withAdvice('a broker connection was released', RELEASE_GUIDE[reason]),
  },
  'lease.waiting': {
    meaning: 'A client has waited for a broker connection for at least 100 ms.',
    line: () => ({ level: 'debug', message: 'a client waits for a broker connection' }),
  },
  'broker.changed': {
    meaning: 'A broker was added, moved, removed, or went down or up.',
    line: ({ change }) => ({ level: 'info', message: CHANGES[change] }),
  },
  'identity.changed': {
    meaning: 'A newer credential or certificate of an identity was read, taken or refused by a broker, or unreadable.',
    line: ({ change }) => IDENTITY_LINES[change],
  },
  'listener.bind_failed': {
    meaning: "A broker's local listener could not be bound; the broker is left out of answers as if it were down.",
    line: () => ({
      level: 'error',
      message: 'the listener of a broker could not be bound',
      remedy: 'Change the key that the detail names, or free the port.',
    }),
  },
  'invariant.violated': {
    meaning: 'The core broke a rule of its own; the connection concerned was closed.',
    line: () => ({
      level: 'error',
      message: 'an invariant was violated',
      remedy: 'Report it with this line: it is a fault of the sidecar.',
    }),
  },
};

function withAdvice(message: string, advice: { level: 'debug' | 'info' | 'warn'; remedy: string }): Line {
  return advice.level === 'warn' ? { level: 'warn', message, remedy: advice.remedy } : { level: advice.level, message };
}

export function lineOf<T extends CoreEvent['type']>(event: EventOf<T>): Line {
  const row: Row<T> = EVENTS[event.type as T];
  return row.line(event);
}
