/** A command that cannot do what it was asked to: one line for the user and an exit code. */
import { FAILED, USAGE } from './exit-codes.ts';

export const COMMAND_ERRORS = {
  USAGE_INVALID: { exitCode: USAGE, meaning: 'The command line is wrong.' },
  FILE_UNUSABLE: { exitCode: USAGE, meaning: 'A file that an option names cannot be used; the line says why.' },
  SIDECAR_UNREACHABLE: { exitCode: FAILED, meaning: 'No sidecar answers at the admin address.' },
  SIDECAR_UNTRUSTED: { exitCode: FAILED, meaning: 'The certificate of the sidecar is not trusted; the line says why.' },
  SIDECAR_REFUSED: { exitCode: FAILED, meaning: 'The sidecar answered with an error; its message is shown.' },
  ANSWER_INVALID: { exitCode: FAILED, meaning: 'Whoever answers at the admin address is no sidecar of this version.' },
} as const;

export type CommandErrorCode = keyof typeof COMMAND_ERRORS;

export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: CommandErrorCode;

  constructor(code: CommandErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  get exitCode(): number {
    return COMMAND_ERRORS[this.code].exitCode;
  }
}
