/**
 * Makes a checkable file of one with faults, so that the checks between keys need not wait for the next try: faulty
 * values are replaced by their defaults or by stand-ins. What leans on a replaced value is not judged.
 */
import type { z } from 'zod';
import type { KeyPath } from './fault.ts';

interface Salvageable<S extends z.ZodType> {
  readonly schema: S;
  readonly standInFor: (path: KeyPath) => unknown;
}

/** Undefined if too little of the file is left to check. */
export function salvage<S extends z.ZodType>(
  value: unknown,
  faulty: readonly KeyPath[],
  { schema, standInFor }: Salvageable<S>,
): z.output<S> | undefined {
  const root: unknown = structuredClone(value);
  for (const path of faulty) replace(root, path, standInFor(path));
  return schema.safeParse(root).data;
}

function replace(root: unknown, path: KeyPath, standIn: unknown): void {
  const key = path.at(-1);
  let holder: unknown = root;
  for (const part of path.slice(0, -1)) holder = isHolder(holder) ? holder[part] : undefined;
  if (key === undefined || !isHolder(holder)) return;
  if (standIn === undefined) delete holder[key];
  else holder[key] = standIn;
}

function isHolder(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Whether a check that reads `path` leans on one of the faulty values, or on something inside one. */
export function leansOn(path: KeyPath, faulty: readonly KeyPath[]): boolean {
  return faulty.some((fault) => {
    const shared = Math.min(path.length, fault.length);
    return path.slice(0, shared).every((part, index) => part === fault[index]);
  });
}

/** Whether the value at `path`, or one that it stands in, is one of the faulty ones. */
export function standsIn(path: KeyPath, faulty: readonly KeyPath[]): boolean {
  return leansOn(
    path,
    faulty.filter((fault) => fault.length <= path.length),
  );
}
