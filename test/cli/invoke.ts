/** Runs the command line in this process and keeps what it says. */
import { runCommandLine } from '../../src/cli/command-line.ts';

export interface Invocation {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function invoke(...args: string[]): Promise<Invocation> {
  const lines = { out: [] as string[], err: [] as string[] };
  const code = await runCommandLine(args, {
    out: (text) => lines.out.push(text),
    err: (text) => lines.err.push(text),
  });
  return { code, out: lines.out.join('\n'), err: lines.err.join('\n') };
}
