/** The driver's side of driver.ts, for clients that run in Node. */
import { createInterface } from 'node:readline';

/** One operation; its argument is the request itself. */
export type Operation<Request> = (request: Request) => unknown;

/** A line of the client's log, on stderr. */
export function log(level: 'ERROR' | 'WARN' | 'INFO', text: string): void {
  process.stderr.write(`${level} ${text.replaceAll('\n', '\n  ')}\n`);
}

/** Answers requests until stdin ends, then ends the process whatever clients are left. */
export function serve<Operations extends Readonly<Record<string, (request: never) => unknown>>>(
  operations: Operations,
): void {
  createInterface({ input: process.stdin })
    .on('line', async (line) => {
      const request = JSON.parse(line) as { id: number; op: string };
      try {
        const operation = operations[request.op] as Operation<unknown> | undefined;
        if (operation === undefined) throw new Error(`no operation ${request.op}`);
        write({ id: request.id, result: (await operation(request)) ?? {} });
      } catch (error) {
        write({ id: request.id, error: String(error) });
      }
    })
    .on('close', () => process.exit(0));
}

function write(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
