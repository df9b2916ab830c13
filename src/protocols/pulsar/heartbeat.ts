/** PING and PONG, which hold nothing. */
import { Type } from './commands.ts';
import { frameOf, MessageWriter } from './message.ts';

export const PING = frameOf(Type.ping, new MessageWriter());
export const PONG = frameOf(Type.pong, new MessageWriter());
