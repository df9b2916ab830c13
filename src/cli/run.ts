/** `slackwater run`: the sidecar itself, from its configuration to its exit code. */
import { AddressError, AdminFileError, type App, IdentityError, startApp } from '../app.ts';
import { ConfigError } from '../config/fault.ts';
import { loadConfig } from '../config/load.ts';
import { DONE, FAILED, USAGE } from './exit-codes.ts';

/** 128 + the signal's number, as shells say it. */
const SIGNAL_EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** Runs until a signal ends it; answers the exit code. The first signal drains, a second ends at once. */
export async function runSidecar(file: string): Promise<number> {
  let app: App;
  try {
    app = await startApp(await loadConfig(file));
  } catch (error) {
    if (!isUsersFault(error)) throw error;
    process.stderr.write(`${error.message}\n`);
    return USAGE;
  }
  logCrashes(app);
  return new Promise((resolve) => {
    let stopping = false;
    const onSignal = (signal: keyof typeof SIGNAL_EXIT_CODES): void => {
      if (stopping) process.exit(SIGNAL_EXIT_CODES[signal]);
      stopping = true;
      app.stop().then(
        () => resolve(DONE),
        (error: unknown) => {
          app.log.logger.error({ err: error }, 'the shutdown failed');
          resolve(FAILED);
        },
      );
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

function isUsersFault(error: unknown): error is Error {
  return [ConfigError, AddressError, AdminFileError, IdentityError].some((fault) => error instanceof fault);
}

/** A fault of our own must end the process: a half-dead sidecar is worse than none, and a supervisor starts it again. */
function logCrashes(app: App): void {
  process.on('uncaughtException', (error) => {
    app.log.logger.fatal({ err: error }, 'an error was not handled');
    app.log.flushSync();
    process.exit(FAILED);
  });
}
