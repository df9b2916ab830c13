#!/usr/bin/env node
/** The process: its arguments and its exit code. */
import { tuneAllocator, tuneEngine } from './allocator.ts';

const args = process.argv.slice(2);

/** `run -c FILE`, or `start -c FILE` from npm: the sidecar loads nothing that it does not need. */
function configToRun(): string | null {
  const [command, option, file, ...rest] = args;
  const runs = command === 'run' || command === 'start';
  return runs && (option === '-c' || option === '--config') && file !== undefined && rest.length === 0 ? file : null;
}

async function main(): Promise<number> {
  if (args[0] === 'run' || args[0] === 'start') {
    tuneAllocator();
    tuneEngine();
  }
  const file = configToRun();
  if (file === null) {
    const { runCommandLine } = await import('./cli/command-line.ts');
    return runCommandLine(args);
  }
  const { runSidecar } = await import('./cli/run.ts');
  return runSidecar(file);
}

try {
  process.exit(await main());
} catch (error) {
  // Nothing that a user could have done: one line, with everything that whoever repairs it needs.
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`slackwater: an error was not handled: ${JSON.stringify(text)}\n`);
  process.exit(1);
}
