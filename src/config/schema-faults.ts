/** What the schema found, with its place in the file and advice. */
import type { z } from 'zod';
import { type ConfigFault, type KeyPath, pathText } from './fault.ts';
import { KeyTree } from './key-tree.ts';
import type { Places } from './yaml-places.ts';

export interface SchemaFault extends ConfigFault {
  readonly keys: KeyPath;
}

export function schemaFaults(issues: readonly z.core.$ZodIssue[], places: Places): SchemaFault[] {
  const tree = new KeyTree();
  const unknown = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => ({ parent: keyPath(issue.path), key })) : [],
  );
  // A key that is missing because its name was mistyped is told once, by the unknown key.
  const mistyped = new Set(unknown.map(({ parent, key }) => pathText([...parent, tree.meant(parent, key) ?? key])));
  const others = issues.flatMap((issue) => {
    const keys = keyPath(issue.path);
    if (issue.code === 'unrecognized_keys') return [];
    if (!places.has(keys)) {
      const missing = { ...places.ofKey(keys), path: pathText(keys), keys, message: issue.message };
      return mistyped.has(pathText(keys)) ? [] : [missing];
    }
    if (issue.code === 'invalid_key') {
      const message = issue.issues[0]?.message ?? issue.message;
      return [{ ...places.ofKey(keys), path: pathText(keys), keys, message }];
    }
    return [{ ...places.ofValue(keys), path: pathText(keys), keys, message: issue.message }];
  });
  const strays = unknown.map(({ parent, key }) => {
    const keys = [...parent, key];
    return { ...places.ofKey(keys), path: pathText(keys), keys, message: tree.advice(parent, key) };
  });
  return [...others, ...strays];
}

/** Symbols cannot come out of a YAML file. */
function keyPath(path: readonly PropertyKey[]): KeyPath {
  return path.map((part) => (typeof part === 'number' ? part : String(part)));
}
