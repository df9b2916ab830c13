#!/usr/bin/env node
/** The process: its arguments and its exit code. */
import { tuneAllocator } from './allocator.ts';

const args = process.argv.slice(2);

/** `run -c FILE`, or `start -c FILE` from npm: the sidecar loads nothing that it does not need. */
function configToRun(): string | null {
  const [command, option, file, ...rest] = args;
  const runs = command === 'run' || command === 'start';
  return runs && (option === '-c' || option === '--config') && file !== undefined && rest.length === 0 ? file : null;
}

const file = configToRun();
if (file !== null) {
  tuneAllocator();
  const { runSidecar } = await import('./cli/run.ts');
  process.exit(await runSidecar(file));
} else {
  const { runCommandLine } = await import('./cli/command-line.ts');
  process.exit(await runCommandLine(args));
}
