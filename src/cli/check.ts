/** `slackwater check`: whether a configuration is right, what it means, and with `--connect` whether it works. */
import type { Config } from '../config/schema.ts';
import { configOption, defineCommand, jsonOption } from './command.ts';
import { DONE, FAILED, USAGE } from './exit-codes.ts';
import type { Output } from './output.ts';

export const checkCommand = defineCommand({
  name: 'check',
  summary: 'Check a configuration and say what it means.',
  options: {
    config: configOption,
    connect: {
      type: 'boolean',
      default: false,
      describe: 'Also dial every bootstrap address as the sidecar would, and say what came of it',
    },
    json: jsonOption,
  },
  examples: [
    ['check -c slackwater.yaml', 'every fault at once, each with its line, or what will happen'],
    ['check --connect -c slackwater.yaml', 'also whether brokers can be reached, trusted and convinced'],
  ],
  lesson:
    'Nothing is bound, and without --connect nothing is dialled. Files that the configuration names are read; one that is ' +
    'not there is a warning, for it may be there on another machine. Exit code 2 if there are faults, 1 if an address could ' +
    'not be reached; warnings do not change the exit code.',
  run: async ({ config: file, json, connect }, output) => {
    const [{ ConfigError }, { loadConfig }] = await Promise.all([
      import('../config/fault.ts'),
      import('../config/load.ts'),
    ]);
    try {
      return await checked(await loadConfig(file), connect, json, output);
    } catch (error) {
      if (!(error instanceof ConfigError) || !json) throw error;
      output.out(JSON.stringify({ ok: false, faults: error.faults }, null, 2));
      return USAGE;
    }
  },
});

async function checked(config: Config, connect: boolean, json: boolean, output: Output): Promise<number> {
  const [{ describeConfig, descriptionText }, { inspectFiles }, report] = await Promise.all([
    import('../config/describe.ts'),
    import('../probe/files.ts'),
    import('./check-report.ts'),
  ]);
  const description = describeConfig(config);
  const { faults, certificates } = await inspectFiles(config);
  const wrong = faults.filter(({ missing }) => connect || !missing);
  const missing = faults.filter((fault) => !wrong.includes(fault)).map(({ message }) => message);
  const now = Date.now() / 1000;
  const warnings = [...description.warnings, ...missing, ...report.expiryWarnings(certificates, now)];
  const routes = connect && wrong.length === 0 ? await (await import('../probe/connect.ts')).probeConfig(config) : null;
  const failed = routes?.some(({ addresses }) => addresses.some(({ ok }) => !ok)) === true;
  if (json) {
    const connections = routes === null ? {} : { connections: routes };
    const ok = wrong.length === 0 && !failed;
    const fileFaults = wrong.map(({ message }) => message);
    output.out(JSON.stringify({ ok, ...description, warnings, certificates, fileFaults, ...connections }, null, 2));
  } else {
    output.out(descriptionText({ ...description, warnings: [] }));
    for (const line of report.certificateLines(certificates, now)) output.out(line);
    for (const warning of warnings) output.out(`warning: ${warning}`);
    for (const line of report.connectionLines(routes ?? [], now)) output.out(line);
    for (const { message } of wrong) output.err(message);
  }
  if (wrong.length > 0) return USAGE;
  return failed ? FAILED : DONE;
}
