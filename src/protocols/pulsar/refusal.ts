/** The last words to a client that is not connected. */
import { NO_REQUEST, Type } from './commands.ts';
import { frameOf, MessageWriter } from './message.ts';

/** @param error of `ServerError` */
export function refusalFrame(error: number, words: string): Buffer {
  return frameOf(Type.error, new MessageWriter().number(1, NO_REQUEST).number(2, error).text(3, words));
}
