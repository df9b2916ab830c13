/** ERROR. */
import { NO_REQUEST, Type } from './commands.ts';
import { frameOf, MessageWriter } from './message.ts';

/**
 * @param error of `ServerError`
 * @param requestId none for the last words to a client that is not connected
 */
export function refusalFrame(error: number, words: string, requestId = NO_REQUEST): Buffer {
  return frameOf(Type.error, new MessageWriter().number(1, requestId).number(2, error).text(3, words));
}
