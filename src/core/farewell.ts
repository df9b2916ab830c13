/** Our FIN, behind what was written, and what becomes of a peer that does not send its own. */
import type { Clock, Timer } from './clock.ts';
import type { Wire } from './wire.ts';

/** A broker gets so long. */
export const BROKER_FAREWELL_MILLISECONDS = 1000;

/** After so many milliseconds the stream is dropped; whoever sees its end cancels the timer. */
export function sayFarewell(wire: Wire, clock: Clock, milliseconds: number): Timer {
  wire.end();
  return clock.after(milliseconds, () => wire.destroy());
}
