/** `npm start`: the demo, or the sidecar if a configuration is given. */
import { configOption, defineCommand } from './command.ts';
import { CommandError } from './command-error.ts';
import { demonstrate, onceOption } from './demo.ts';
import { runFrom } from './run-command.ts';

export const startCommand = defineCommand({
  name: 'start',
  summary: 'What npm start does: the demo, or run if a configuration is given.',
  hidden: true,
  options: { config: { ...configOption, demandOption: false }, once: onceOption },
  examples: [],
  lesson: 'npm start is the demo, npm start -- --once the demo as a test, npm start -- -c FILE the sidecar.',
  run: ({ config, once }, output) => {
    if (config === undefined) return demonstrate(once, output);
    if (once) throw new CommandError('USAGE_INVALID', '--once belongs to the demo: leave it or -c FILE out');
    return runFrom(config);
  },
});
