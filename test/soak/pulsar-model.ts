/** More schedules against the model of Pulsar's route than `npm test` has time for, and the replay of one that failed. */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { runSchedule } from '../model/pulsar/run.ts';
import { type Setting, type Step, schedules, settings } from '../model/pulsar/steps.ts';

const HELP = `Usage: npm run test:soak -- pulsar-model [--runs N] [--steps N] [--seed N] [--path P] [--trace]

Random schedules of clients, brokers, the network and the clock against the rules of shared connections and parked
producers.

  --runs N    schedules to run (100000)
  --steps N   most steps of a schedule (300)
  --seed N    begin with this seed, as a failure shows it
  --path P    replay the one schedule that a failure shows, with the same --seed and --steps
  --trace     tell what happens in it; for one schedule

Exit code 0: every rule held. 1: one was broken; seed, path and the shortest schedule found are shown.
`;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100000' },
    steps: { type: 'string', default: '300' },
    seed: { type: 'string' },
    path: { type: 'string' },
    trace: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const trace = (line: string): void => void process.stdout.write(`${line}\n`);

async function run(): Promise<number> {
  const started = performance.now();
  const property = fc.asyncProperty(
    settings,
    schedules(Number(values.steps)),
    (setting: Setting, steps: readonly Step[]) => runSchedule(setting, steps),
  );
  const details = await fc.check(property, {
    numRuns: Number(values.runs),
    ...(values.seed === undefined ? {} : { seed: Number(values.seed) }),
    ...(values.path === undefined ? {} : { path: values.path, endOnFailure: true }),
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (!details.failed) {
    trace(`${details.numRuns} schedules in ${seconds} s, seed ${details.seed}: every rule held`);
    return 0;
  }
  const [setting, steps] = details.counterexample ?? [];
  trace(
    `broken after ${details.numRuns} schedules in ${seconds} s: ${details.errorInstance instanceof Error ? details.errorInstance.stack : details.errorInstance}`,
  );
  trace(`replay: --seed=${details.seed} --path=${details.counterexamplePath ?? ''} --steps ${values.steps}`);
  trace(JSON.stringify(setting));
  for (const step of steps ?? []) trace(`  ${JSON.stringify(step)}`);
  if (values.trace && setting !== undefined && steps !== undefined)
    await runSchedule(setting, steps, trace).catch(() => undefined);
  return 1;
}

if (values.help) trace(HELP);
else process.exitCode = await run();
