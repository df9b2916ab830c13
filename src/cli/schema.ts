/** `slackwater schema`: the configuration as JSON Schema. */
import { defineCommand } from './command.ts';
import { DONE } from './exit-codes.ts';

export const schemaCommand = defineCommand({
  name: 'schema',
  summary: 'Print the JSON Schema of the configuration.',
  options: {},
  examples: [['schema > slackwater.schema.json', 'then editors complete and check the keys']],
  lesson: 'For editors that read it: put "# yaml-language-server: $schema=slackwater.schema.json" on the first line.',
  run: async (_args, output) => {
    const { jsonSchema } = await import('../config/json-schema.ts');
    output.out(JSON.stringify(jsonSchema(), null, 2));
    return DONE;
  },
});
