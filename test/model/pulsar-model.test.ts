import fc from 'fast-check';
import t from 'tap';
import { runSchedule } from './pulsar/run.ts';
import { schedules, settings } from './pulsar/steps.ts';

const RUNS = Number(process.env.MODEL_RUNS ?? 100);

t.setTimeout(120_000);

t.test('no schedule breaks a rule of shared connections and parked producers', async () => {
  await fc.assert(
    fc.asyncProperty(settings, schedules(150), (setting, steps) => runSchedule(setting, steps)),
    {
      numRuns: RUNS,
      // The same schedules every time, so that a red run is a change's fault; test/soak/pulsar-model.ts draws new ones.
      seed: Number(process.env.MODEL_SEED ?? 1),
      ...(process.env.MODEL_PATH === undefined ? {} : { path: process.env.MODEL_PATH }),
    },
  );
});
