/** ERROR, and why a client is told it as the last thing that it hears. */
import type { CloseReason } from '../../contract/reasons.ts';
import { NO_REQUEST, ServerError, Type } from './commands.ts';
import { frameOf, MessageWriter } from './message.ts';

export interface Refusal {
  /** Of `ServerError`. */
  readonly error: number;
  readonly reason: CloseReason;
  readonly detail: string;
}

export const TURNED_AWAY: Refusal = {
  error: ServerError.authentication,
  reason: 'authentication_failed',
  detail: 'the brokers refuse what the client shows them',
};

/**
 * @param error of `ServerError`
 * @param requestId none for the last words to a client that is not connected
 */
export function refusalFrame(error: number, words: string, requestId = NO_REQUEST): Buffer {
  return frameOf(Type.error, new MessageWriter().number(1, requestId).number(2, error).text(3, words));
}
