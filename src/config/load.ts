/** From a configuration file to a configuration that is whole and consistent, or to every fault in it. */
import { readFile } from 'node:fs/promises';
import { ConfigError, type ConfigFault, type KeyPath, pathText } from './fault.ts';
import { listenerFaults } from './listeners.ts';
import { routeFaults } from './route-rules.ts';
import type { RuleFault } from './rule-fault.ts';
import { leansOn, salvage } from './salvage.ts';
import { must } from './scalars.ts';
import { type Config, configSchema } from './schema.ts';
import { schemaFaults } from './schema-faults.ts';
import { settingFaults } from './setting-rules.ts';
import type { Places } from './yaml-places.ts';
import { readYaml } from './yaml-source.ts';

/** @throws ConfigError with every fault of the file, or with one if it cannot be read */
export async function loadConfig(file: string): Promise<Config> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    throw new ConfigError(file, [{ line: 1, column: 1, path: '', message: unreadable(error) }], { cause: error });
  }
  return parseConfig(text, file);
}

/** @throws ConfigError with every fault in the text; `fileName` appears in its message only */
export function parseConfig(text: string, fileName: string): Config {
  const { value, places, faults: repeated } = readYaml(text, fileName);
  const parsed = configSchema.safeParse(value, { error: must('a mapping of keys') });
  const wrong = parsed.success ? [] : schemaFaults(parsed.error.issues, places);
  const faulty = wrong.map(({ keys }) => keys);
  const checkable = parsed.success ? parsed.data : salvage(value, faulty);
  const faults: ConfigFault[] = [
    ...repeated,
    ...wrong.map(({ line, column, path, message }) => ({ line, column, path, message })),
    ...(checkable === undefined ? [] : crossFaults(checkable, faulty, places)),
  ];
  if (faults.length > 0 || !parsed.success) throw new ConfigError(fileName, faults);
  return parsed.data;
}

function crossFaults(config: Config, faulty: readonly KeyPath[], places: Places): ConfigFault[] {
  return [...settingFaults(config), ...routeFaults(config), ...listenerFaults(config)]
    .filter(({ at, on }) => ![...at, ...on].some((path) => leansOn(path, faulty)))
    .map((fault) => located(fault, places));
}

function located({ at, mark, message }: RuleFault, places: Places): ConfigFault {
  const path = at.find((candidate) => places.has(candidate)) ?? at[0] ?? [];
  return { ...(mark === 'key' ? places.ofKey(path) : places.ofValue(path)), path: pathText(path), message };
}

function unreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'there is no such file: check the path after -c';
  if (code === 'EISDIR') return 'this is a directory: name the file in it';
  if (code === 'EACCES' || code === 'EPERM') return 'the file may not be read: check its permissions';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'the file is not UTF-8 text: save it as UTF-8';
  return `the file cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}
