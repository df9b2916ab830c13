/** Lengths that no frame of a client's can have. */
import type { CloseReason } from '../../contract/reasons.ts';
import { type Connected, FRAME_PADDING_BYTES } from './connect.ts';

const SIZE_BYTES = 4;
/** An empty command: its size, its type, its message. */
const SMALLEST_FRAME_BYTES = 9;

/** A command is looked at as a whole; what may be large is behind it. */
const MOST_COMMAND_BYTES = 1024 * 1024;

/** Of what is about the connection itself: who the client is, and signs of life. */
export const MOST_CONNECT_BYTES = 128 * 1024;

export interface FrameFault {
  readonly reason: CloseReason;
  readonly detail: string;
}

/**
 * @param length of the frame behind its size, as the client says
 * @param maxFrameBytes of ours
 * @param told what the client was told of brokers; null: it has not said who it is
 */
export function frameFault(length: number, maxFrameBytes: number, told: Connected | null): FrameFault | null {
  const most = told === null ? MOST_CONNECT_BYTES : told.maxMessageBytes + FRAME_PADDING_BYTES;
  if (length > Math.min(maxFrameBytes, most)) {
    // Not a frame at all, most likely.
    if (told === null) return { reason: 'protocol_error', detail: `no client begins with a frame of ${length} bytes` };
    return { reason: 'frame_too_large', detail: `more than it was told to send: a frame of ${length} bytes` };
  }
  if (length >= SMALLEST_FRAME_BYTES - SIZE_BYTES) return null;
  return { reason: 'protocol_error', detail: `a frame cannot be ${length} bytes long` };
}

/** @param frameBytes behind the frame's size */
export function commandFault(commandBytes: number, frameBytes: number): FrameFault | null {
  if (commandBytes <= frameBytes - SIZE_BYTES && commandBytes <= MOST_COMMAND_BYTES) return null;
  return { reason: 'protocol_error', detail: `a command of ${commandBytes} bytes in a frame of ${frameBytes}` };
}
