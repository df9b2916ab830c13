import { setTimeout as pause } from 'node:timers/promises';

/** Asks again and again, for events that sockets bring. @throws {Error} if it is not so in time */
export async function until(what: string, isSo: () => boolean, withinMilliseconds = 8000): Promise<void> {
  const deadline = performance.now() + withinMilliseconds;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`waited ${withinMilliseconds} ms in vain: ${what}`);
    await pause(5);
  }
}
