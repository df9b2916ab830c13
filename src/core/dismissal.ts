/** A client that has failed to say who it is hears so a while later, and goes: guessing is slow (KIP-306). */
import type { CloseReason } from '../contract/reasons.ts';
import type { Clock, Timer } from './clock.ts';

const DISMISS_AFTER_MILLISECONDS = 100;

interface Dismissed {
  readonly closed: boolean;
  receive(bytes: Buffer): void;
  close(reason: CloseReason, detail: string, manner: 'end'): void;
}

export function dismissLater(
  client: Dismissed,
  clock: Clock,
  answer: Buffer,
  reason: CloseReason,
  detail: string,
): Timer {
  return clock.after(DISMISS_AFTER_MILLISECONDS, () => {
    if (client.closed) return;
    if (answer.length > 0) client.receive(answer);
    client.close(reason, detail, 'end');
  });
}
