/** From the text of a YAML file to what its schema says, or to every fault in it. */
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { ConfigError, type ConfigFault, type KeyPath, pathText } from './fault.ts';
import type { JsonSchema } from './json-schema.ts';
import { absolutePaths } from './paths.ts';
import type { RuleFault } from './rule-fault.ts';
import { leansOn, salvage, standsIn } from './salvage.ts';
import { must } from './scalars.ts';
import { schemaFaults } from './schema-faults.ts';
import type { Places } from './yaml-places.ts';
import { readYaml } from './yaml-source.ts';

/** What a kind of file may hold. */
export interface FileKind<S extends z.ZodType> {
  readonly schema: S;
  readonly jsonSchema: () => JsonSchema;
  /** What to put into an empty file. */
  readonly emptyAdvice: string;
  /** Checks between keys. */
  readonly rules: (value: z.output<S>) => readonly RuleFault[];
  /** A value for a faulty key, so that the others can still be checked; undefined: do without the key. */
  readonly standInFor: (path: KeyPath) => unknown;
}

/**
 * @param fileName appears in messages; relative paths in the text are relative to its folder
 * @throws ConfigError with every fault in the text
 */
export function parseFile<S extends z.ZodType>(text: string, fileName: string, kind: FileKind<S>): z.output<S> {
  const { value, places, faults: repeated } = readYaml(text, fileName, kind.emptyAdvice);
  const parsed = kind.schema.safeParse(value, { error: must('a mapping of keys') });
  const wrong = parsed.success ? [] : schemaFaults(parsed.error.issues, places, kind.jsonSchema);
  const faulty = wrong.map(({ keys }) => keys);
  const checkable = parsed.success ? parsed.data : salvage(value, faulty, kind);
  const faults: ConfigFault[] = [
    ...repeated,
    ...wrong.map(({ line, column, path, message }) => ({ line, column, path, message })),
    ...(checkable === undefined ? [] : crossFaults(kind.rules(checkable), faulty, places)),
  ];
  if (faults.length > 0 || !parsed.success) throw new ConfigError(fileName, faults);
  return absolutePaths(parsed.data, dirname(resolve(fileName)));
}

function crossFaults(found: readonly RuleFault[], faulty: readonly KeyPath[], places: Places): ConfigFault[] {
  return found.filter((fault) => isJudged(fault, faulty)).map((fault) => located(fault, places));
}

/** That a key is there is so whatever is wrong inside of it. */
function isJudged({ at, on, mark }: RuleFault, faulty: readonly KeyPath[]): boolean {
  const replaced = mark === 'key' ? standsIn : leansOn;
  return !at.some((path) => replaced(path, faulty)) && !on.some((path) => leansOn(path, faulty));
}

function located({ at, mark, message }: RuleFault, places: Places): ConfigFault {
  const path = at.find((candidate) => places.has(candidate)) ?? at[0] ?? [];
  return { ...(mark === 'key' ? places.ofKey(path) : places.ofValue(path)), path: pathText(path), message };
}
