/** What a process has used of the processors. */
import { readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second for whoever asks (USER_HZ). */
const TICK_MILLISECONDS = 10;
const USER_TICKS = 11;

/** Milliseconds in user and kernel mode since the process began. */
export function cpuMilliseconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name, in brackets, may hold anything; what follows it is numbers, from the state on.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[USER_TICKS]) + Number(fields[USER_TICKS + 1])) * TICK_MILLISECONDS;
}
