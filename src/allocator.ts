/**
 * What a process of ours asks of its allocators, for it holds thousands of small things for long and moves large ones fast.
 */
import { setFlagsFromString } from 'node:v8';

/**
 * glibc gives freed memory back to the kernel and faults it in again with the next large read, which costs a relay up to
 * half of its CPU. Two variables keep it, and must be set before the process starts; so the process starts once more, in
 * its own place, with them.
 */
const VARIABLES = { MALLOC_TRIM_THRESHOLD_: '1000000000', MALLOC_TOP_PAD_: '16777216' } as const;

/** Returns if there is nothing to do: set already, not Linux, or a Node that cannot replace itself. */
export function tuneAllocator(): void {
  if (process.platform !== 'linux' || typeof process.execve !== 'function') return;
  if (Object.keys(VARIABLES).every((name) => process.env[name] !== undefined)) return;
  const args = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  process.execve(process.execPath, args, { ...VARIABLES, ...process.env });
}

/**
 * V8 lets its young generation grow to 32 MB and never takes it back. A relay's garbage dies at once, so 2 MB collect it as
 * cheaply. Read at each growth: to be called before much is loaded. Does nothing if sizes were set by hand.
 */
export function keepYoungGenerationSmall(): void {
  const byHand = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((text) => /semi[-_]space/.test(text));
  if (!byHand) setFlagsFromString('--semi-space-growth-factor=1');
}
