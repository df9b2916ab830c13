/** A process that writes many lines at once to standard output, whose reader may be slow. */
import { standardOutput } from '../../src/telemetry/standard-output.ts';

const LINES = 40_000;
const output = standardOutput();
const started = performance.now();
for (let i = 0; i < LINES; i++) output.write(`${JSON.stringify({ msg: 'x'.repeat(80), i })}\n`);
process.stderr.write(`${Math.round(performance.now() - started)}\n`);
await new Promise<void>((resolve) => process.stdin.once('data', () => resolve()));
process.stdin.destroy();
await output.flush();
process.exit(0);
