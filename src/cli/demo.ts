/** `slackwater demo`: the whole story on one machine, without any broker installed. */
import { defineCommand } from './command.ts';
import type { Output } from './output.ts';

export const onceOption = {
  type: 'boolean',
  default: false,
  describe: 'End by itself, with exit code 0 only if the story held',
} as const;

export const demoCommand = defineCommand({
  name: 'demo',
  summary: 'Watch twelve producers send, fall silent and wake up, with brokers of our own.',
  options: { once: onceOption },
  examples: [
    ['demo', 'stays up afterwards: try "slackwater status" in another terminal'],
    ['demo --once', 'the same as a test'],
  ],
  lesson:
    'Everything runs on this machine: three embedded brokers, the real sidecar, real Kafka clients. Idle times are short.',
  run: ({ once }, output) => demonstrate(once, output),
});

/** @returns the exit code */
export async function demonstrate(once: boolean, output: Output): Promise<number> {
  const { runDemo } = await import('../demo/demo.ts');
  return runDemo({ once, write: (line) => output.out(line) });
}
