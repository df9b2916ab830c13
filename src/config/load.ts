/** From a configuration file to a configuration that is whole and consistent, or to every fault in it. */
import { readFile } from 'node:fs/promises';
import { ConfigError } from './fault.ts';
import { jsonSchema } from './json-schema.ts';
import { listenerFaults } from './listeners.ts';
import { type FileKind, parseFile } from './parse.ts';
import { routeFaults } from './route-rules.ts';
import { type Config, configSchema } from './schema.ts';
import { settingFaults } from './setting-rules.ts';
import { configStandIn } from './stand-ins.ts';

const CONFIG_FILE: FileKind<typeof configSchema> = {
  schema: configSchema,
  jsonSchema,
  emptyAdvice: 'give it at least one route, as config.example.yaml shows',
  rules: (config) => [...settingFaults(config), ...routeFaults(config), ...listenerFaults(config)],
  standInFor: configStandIn,
};

/** @throws ConfigError with every fault of the file, or with one if it cannot be read */
export async function loadConfig(file: string): Promise<Config> {
  return parseConfig(await readText(file, 'check the path after -c'), file);
}

/**
 * @param fileName appears in messages; relative paths in the text are relative to its folder
 * @throws ConfigError with every fault in the text
 */
export function parseConfig(text: string, fileName: string): Config {
  return parseFile(text, fileName, CONFIG_FILE);
}

/** @throws ConfigError if it cannot be read, or is no text; `ifMissing` says what to do if there is none */
export async function readText(file: string, ifMissing: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    const fault = { line: 1, column: 1, path: '', message: unreadable(error, ifMissing) };
    throw new ConfigError(file, [fault], { cause: error });
  }
}

function unreadable(error: unknown, ifMissing: string): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return `there is no such file: ${ifMissing}`;
  if (code === 'EISDIR') return 'this is a directory: name the file in it';
  if (code === 'EACCES' || code === 'EPERM') return 'the file may not be read: check its permissions';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'the file is not UTF-8 text: save it as UTF-8';
  return `the file cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}
