/** `slackwater run` on the command line. `main.ts` starts its plain form, `run -c FILE`, without coming by here. */
import { configOption, defineCommand } from './command.ts';

export const runCommand = defineCommand({
  name: 'run',
  summary: 'Run the sidecar until it is told to end.',
  options: { config: configOption },
  examples: [['run -c slackwater.yaml', 'share and reap the broker connections of the applications that connect']],
  lesson:
    'SIGTERM or SIGINT: serve on while clients are there, for at most shutdownGraceSeconds, then end. ' +
    'A second signal ends at once. Faults of the configuration, and addresses that cannot be bound, end with exit code 2.',
  run: ({ config }) => runFrom(config),
});

/** @returns the exit code, once a signal has ended the sidecar */
export async function runFrom(config: string): Promise<number> {
  const { runSidecar } = await import('./run.ts');
  return runSidecar(config);
}
