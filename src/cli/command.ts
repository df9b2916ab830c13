/** A command: what its help says and what it does. Choosing it and running it are two steps, so that help runs nothing. */
import type { ArgumentsCamelCase, Argv, InferredOptionTypes, Options } from 'yargs';
import { DEFAULT_ADMIN, TOKEN_FILE_VARIABLE } from './admin-client.ts';
import type { Output } from './output.ts';

type OptionTable = Readonly<Record<string, Options>>;

export interface CommandDefinition<O extends OptionTable> {
  readonly name: string;
  readonly summary: string;
  /** Not in the list of commands. */
  readonly hidden?: boolean;
  readonly options: O;
  /** Arguments after `slackwater`, and what they do. */
  readonly examples: readonly (readonly [string, string])[];
  /** What the reader should know before using it. */
  readonly lesson: string;
  /** @returns the exit code */
  run(args: ArgumentsCamelCase<InferredOptionTypes<O>>, output: Output): Promise<number>;
}

export type ChosenCommand = (output: Output) => Promise<number>;

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly hidden: boolean;
  readonly options: OptionTable;
  /** Teaches the parser this command; `choose` is called if it is the one on the command line. */
  register(parser: Argv, choose: (chosen: ChosenCommand) => void): void;
}

export function defineCommand<const O extends OptionTable>(definition: CommandDefinition<O>): Command {
  const { name, summary, hidden = false, options, examples, lesson } = definition;
  return {
    name,
    summary,
    hidden,
    options,
    register(parser, choose) {
      const describe = hidden ? false : summary;
      parser.command<InferredOptionTypes<O>>({
        command: name,
        describe,
        builder: (own: Argv) => {
          for (const [line, what] of examples) own.example(`$0 ${line}`, what);
          return own.usage(`$0 ${name}\n\n${summary}`).options(options).epilogue(lesson);
        },
        handler: (args) => choose((output) => definition.run(args, output)),
      });
    },
  };
}

export const configOption = {
  alias: 'c',
  type: 'string',
  demandOption: true,
  requiresArg: true,
  describe: 'The configuration, a YAML file',
} as const;

/** Where the sidecar is and how it is asked; the token itself would be seen in the list of processes. */
export const adminOptions = {
  admin: { type: 'string', default: DEFAULT_ADMIN, requiresArg: true, describe: 'Admin address of the sidecar' },
  'admin-token-file': {
    type: 'string',
    requiresArg: true,
    describe: `The file with its token; else what ${TOKEN_FILE_VARIABLE} names`,
  },
  'admin-ca-file': {
    type: 'string',
    requiresArg: true,
    describe: 'Who has signed its certificate, PEM, if it is nobody that Node.js knows',
  },
} as const;

export const jsonOption = { type: 'boolean', default: false, describe: 'Print JSON instead of text' } as const;

export const routeOption = { type: 'string', requiresArg: true, describe: 'Only this route' } as const;
