/** Waiting with a deadline that tells what it waited for. */
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Calls `probe` until it answers true. While it waits it answers a string: what it saw.
 *
 * @throws Error `waited N s for WHAT: SEEN` at the deadline; whatever the probe throws, at once
 */
export async function until(
  what: string,
  withinMilliseconds: number,
  probe: () => true | string | Promise<true | string>,
  everyMilliseconds = 100,
): Promise<void> {
  const deadline = performance.now() + withinMilliseconds;
  for (;;) {
    const seen = await probe();
    if (seen === true) return;
    if (performance.now() >= deadline) throw new Error(`waited ${withinMilliseconds / 1000} s for ${what}: ${seen}`);
    await pause(everyMilliseconds);
  }
}

/** @throws Error `waited N s for WHAT` if the promise is not settled by then */
export async function within<T>(what: string, milliseconds: number, promise: Promise<T>): Promise<T> {
  const alarm = new AbortController();
  const late = pause(milliseconds, undefined, { signal: alarm.signal, ref: true }).then(() => {
    throw new Error(`waited ${milliseconds / 1000} s for ${what}`);
  });
  // Once the promise won, the alarm is called off, and its rejection is nobody's business.
  late.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    alarm.abort();
  }
}
