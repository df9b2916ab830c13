import fc from 'fast-check';
import t from 'tap';
import { runSchedule } from './run.ts';
import { schedules, settings } from './steps.ts';

const RUNS = Number(process.env.MODEL_RUNS ?? 3000);

t.setTimeout(120_000);

t.test('no schedule breaks a rule of the pool', async () => {
  await fc.assert(
    fc.asyncProperty(settings, schedules(120), (setting, steps) => runSchedule(setting, steps)),
    {
      numRuns: RUNS,
      // The same schedules every time, so that a red run is a change's fault; test/soak/model.ts draws new ones.
      seed: Number(process.env.MODEL_SEED ?? 1),
      ...(process.env.MODEL_PATH === undefined ? {} : { path: process.env.MODEL_PATH }),
    },
  );
});
