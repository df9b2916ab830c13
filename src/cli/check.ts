/** `slackwater check`: whether a configuration is right, and what it means. */
import { configOption, defineCommand, jsonOption } from './command.ts';
import { DONE, USAGE } from './exit-codes.ts';

export const checkCommand = defineCommand({
  name: 'check',
  summary: 'Check a configuration and say what it means.',
  options: { config: configOption, json: jsonOption },
  examples: [['check -c slackwater.yaml', 'every fault at once, each with its line, or what will happen']],
  lesson:
    'Nothing is started, dialled or bound. Exit code 2 if there are faults; warnings do not change the exit code.',
  run: async ({ config, json }, output) => {
    const [{ ConfigError }, { loadConfig }, { describeConfig, descriptionText }] = await Promise.all([
      import('../config/fault.ts'),
      import('../config/load.ts'),
      import('../config/describe.ts'),
    ]);
    try {
      const description = describeConfig(await loadConfig(config));
      output.out(json ? JSON.stringify({ ok: true, ...description }, null, 2) : descriptionText(description));
      return DONE;
    } catch (error) {
      if (!(error instanceof ConfigError) || !json) throw error;
      output.out(JSON.stringify({ ok: false, faults: error.faults }, null, 2));
      return USAGE;
    }
  },
});
