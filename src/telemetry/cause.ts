/** What makes two events the same to an operator: everything but ids, numbers and details, so that causes are few. */
import type { CoreEvent } from '../core/events.ts';

export interface Cause {
  readonly event: CoreEvent['type'];
  readonly route: string;
  readonly broker?: string;
  /** Absent for the route's own. */
  readonly identity?: string;
  readonly reason?: string;
  readonly change?: string;
}

export function causeOf(event: CoreEvent): Cause {
  return {
    event: event.type,
    route: event.route,
    ...('broker' in event ? { broker: event.broker } : {}),
    ...('identity' in event && event.identity !== '' ? { identity: event.identity } : {}),
    ...('reason' in event ? { reason: event.reason } : {}),
    ...('change' in event ? { change: event.change } : {}),
  };
}

export function causeKey(cause: Cause): string {
  return JSON.stringify([cause.event, cause.route, cause.broker, cause.identity, cause.reason, cause.change]);
}
