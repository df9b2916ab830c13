/**
 * Makes a checkable configuration of one with faults, so that the checks between keys need not wait for the next
 * try: faulty values are replaced by their defaults or by stand-ins. What leans on a replaced value is not judged.
 */
import type { KeyPath } from './fault.ts';
import { type Config, configSchema } from './schema.ts';

const ADDRESS = 'stand-in:1';

const UPSTREAM = { bootstrap: [ADDRESS] };
const ROUTE = { protocol: 'tcp', listen: '127.0.0.1:0', upstream: UPSTREAM };
/** Values for keys that have no default. */
const STAND_INS: Readonly<Record<string, unknown>> = { ...ROUTE, ...UPSTREAM };

/** Undefined if too little of the file is left to check. */
export function salvage(value: unknown, faulty: readonly KeyPath[]): Config | undefined {
  const root: unknown = structuredClone(value);
  for (const path of faulty) replace(root, path);
  return configSchema.safeParse(root).data;
}

function replace(root: unknown, path: KeyPath): void {
  const key = path.at(-1);
  let holder: unknown = root;
  for (const part of path.slice(0, -1)) holder = isHolder(holder) ? holder[part] : undefined;
  if (key === undefined || !isHolder(holder)) return;
  const standIn = standInFor(path, key);
  if (standIn === undefined) delete holder[key];
  else holder[key] = standIn;
}

function standInFor(path: KeyPath, key: string | number): unknown {
  if (path.length === 2 && path[0] === 'routes') return { ...ROUTE, name: `stand-in-${key}` };
  if (path[0] !== 'routes') return undefined;
  if (typeof key === 'number') return ADDRESS;
  if (path.length === 3 && key === 'name') return `stand-in-${path[1]}`;
  return Object.hasOwn(STAND_INS, key) ? STAND_INS[key] : undefined;
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
