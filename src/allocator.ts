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
 * The young generation would grow to 32 MB and never shrink; a relay's garbage dies at once, so 2 MB collect it as cheaply.
 * Maglev, the middle compiler, takes 5 to 10 MB while it compiles, which stay with the process; TurboFan comes
 * earlier instead, or warming up would take three times the requests (decision 0013).
 */
const ENGINE = {
  'semi-space': '--semi-space-growth-factor=1',
  maglev: '--no-maglev --invocation-count-for-turbofan=1500',
} as const;

/** Both are read whenever V8 acts by them: to be called before much is loaded. What was set by hand is left alone. */
export function tuneEngine(): void {
  const byHand = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ').replaceAll('_', '-');
  for (const [topic, flag] of Object.entries(ENGINE)) if (!byHand.includes(topic)) setFlagsFromString(flag);
}
