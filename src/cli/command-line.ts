/** The command line: which command, its help, and what went wrong in one line. The only place that loads yargs. */
import yargs from 'yargs';
import { version } from '../version.ts';
import { checkCommand } from './check.ts';
import { clientsCommand } from './clients.ts';
import type { ChosenCommand, Command } from './command.ts';
import { CommandError } from './command-error.ts';
import { demoCommand } from './demo.ts';
import { DONE, USAGE } from './exit-codes.ts';
import { type Output, processOutput } from './output.ts';
import { reapCommand } from './reap.ts';
import { runCommand } from './run-command.ts';
import { schemaCommand } from './schema.ts';
import { startCommand } from './start.ts';
import { statusCommand } from './status.ts';
import { upstreamsCommand } from './upstreams.ts';

export const COMMANDS: readonly Command[] = [
  runCommand,
  checkCommand,
  schemaCommand,
  demoCommand,
  startCommand,
  statusCommand,
  upstreamsCommand,
  clientsCommand,
  reapCommand,
];

const LESSON =
  'First steps: "slackwater demo" shows the idea without a broker; "slackwater check -c FILE" explains a ' +
  'configuration; "slackwater run -c FILE" runs it; "slackwater status" looks at it. ' +
  'Exit codes: 0 done, 1 failed, 2 usage or configuration.';

/** @returns the exit code */
export async function runCommandLine(args: readonly string[], output: Output = processOutput()): Promise<number> {
  try {
    const { chosen, help } = await parse(args);
    if (chosen !== undefined) return await chosen(output);
    // Help that was asked for is an answer; help because nothing was asked for is not.
    if (args.length > 0) {
      output.out(help);
      return DONE;
    }
    output.err(help);
    return USAGE;
  } catch (error) {
    if (error instanceof CommandError) {
      output.err(`slackwater: ${error.message}`);
      return error.exitCode;
    }
    if (isConfigFault(error)) {
      output.err(error.message);
      return USAGE;
    }
    throw error;
  }
}

interface Parsed {
  /** `undefined` if help or the version was asked for, or nothing. */
  readonly chosen: ChosenCommand | undefined;
  readonly help: string;
}

async function parse(args: readonly string[]): Promise<Parsed> {
  refuseWordsForFlags(args);
  let chosen: ChosenCommand | undefined;
  let help = '';
  const parser = yargs()
    .scriptName('slackwater')
    .usage('$0 <command>\n\nShares and reaps idle broker connections: an idle application costs its brokers nothing.')
    .locale('en')
    .version(version())
    .alias({ help: 'h' })
    .epilogue(LESSON)
    .strictCommands()
    .strictOptions()
    .recommendCommands()
    .parserConfiguration({ 'duplicate-arguments-array': false })
    .wrap(100)
    .exitProcess(false)
    .fail((message, error) => {
      // Commands are only chosen here, not run: whatever is wrong is the command line.
      const what = message ?? error?.message ?? 'the command line is wrong';
      throw new CommandError('USAGE_INVALID', `${what.trim()} (slackwater --help)`, { cause: error });
    });
  for (const command of COMMANDS) {
    command.register(parser, (choice) => {
      chosen = choice;
    });
  }
  await parser.parseAsync([...args], {}, (_error, _argv, text) => {
    help = text;
  });
  if (args.length === 0) help = await parser.getHelp();
  return { chosen, help };
}

/** yargs reads `--dry-run=yes` as false, which would do what was only to be shown. */
function refuseWordsForFlags(args: readonly string[]): void {
  const flags = COMMANDS.flatMap(({ options }) =>
    Object.keys(options).filter((name) => options[name]?.type === 'boolean'),
  );
  for (const arg of args) {
    const [, name = '', value = ''] = /^--([^=]+)=(.*)$/.exec(arg) ?? [];
    if (flags.includes(name) && value !== 'true' && value !== 'false') {
      throw new CommandError('USAGE_INVALID', `--${name} takes no value, or true or false, not ${value}`);
    }
  }
}

/** By its code: the configuration is loaded only by commands that need it. */
function isConfigFault(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'CONFIG_INVALID';
}
