/** Paths in a file are relative to the folder of that file; whoever opens one gets it absolute. */
import { resolve } from 'node:path';

/** `value` with every key whose name ends in `File` made absolute. Keys that people choose hold no paths. */
export function absolutePaths<T>(value: T, folder: string): T {
  if (Array.isArray(value)) return value.map((item: unknown) => absolutePaths(item, folder)) as T;
  if (!isPlain(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => [
    key,
    key.endsWith('File') && typeof inner === 'string' ? resolve(folder, inner) : absolutePaths(inner, folder),
  ]);
  return Object.fromEntries(entries) as T;
}

/** A `Secret` is none, and stays what it is. */
function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
