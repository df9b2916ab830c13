/** What the schema found, with its place in the file and advice. */
import type { z } from 'zod';
import { type ConfigFault, type KeyPath, pathText } from './fault.ts';
import type { JsonSchema } from './json-schema.ts';
import { KeyTree } from './key-tree.ts';
import type { Places } from './yaml-places.ts';

export interface SchemaFault extends ConfigFault {
  readonly keys: KeyPath;
}

const GLUED = 'unknown key: a space must follow the colon, or quotes stand around all of it';

/** @param jsonSchema of the file; made only if a key is unknown */
export function schemaFaults(
  issues: readonly z.core.$ZodIssue[],
  places: Places,
  jsonSchema: () => JsonSchema,
): SchemaFault[] {
  const unknown = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => ({ parent: keyPath(issue.path), key })) : [],
  );
  const tree = unknown.length === 0 ? undefined : new KeyTree(jsonSchema());
  // A key that is missing because its name was mistyped is told once, by the unknown key.
  const mistyped = new Set(unknown.map(({ parent, key }) => pathText([...parent, tree?.meant(parent, key) ?? key])));
  const found = (keys: KeyPath, mark: 'key' | 'value', message: string): SchemaFault => {
    return { ...(mark === 'key' ? places.ofKey(keys) : places.ofValue(keys)), path: pathText(keys), keys, message };
  };
  const others = issues.flatMap((issue) => {
    const keys = keyPath(issue.path);
    if (issue.code === 'unrecognized_keys') return [];
    if (issue.code === 'invalid_key') return [found(keys, 'key', issue.issues[0]?.message ?? issue.message)];
    if (places.has(keys)) return [found(keys, 'value', issue.message)];
    return mistyped.has(pathText(keys)) ? [] : [found(keys, 'key', issue.message)];
  });
  const strays = unknown.map(({ parent, key }): SchemaFault => {
    const fault = found([...parent, key], 'key', tree?.advice(parent, key) ?? 'unknown key');
    // Such as `password:secret`: what stands behind the colon may be one, and is not repeated.
    return /[:\s]/.test(key) ? { ...fault, path: pathText(parent), message: GLUED } : fault;
  });
  return [...others, ...strays];
}

/** Symbols cannot come out of a YAML file. */
function keyPath(path: readonly PropertyKey[]): KeyPath {
  return path.map((part) => (typeof part === 'number' ? part : String(part)));
}
