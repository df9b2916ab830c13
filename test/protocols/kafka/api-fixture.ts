/** What the product promises of every API: fixtures/apis.tsv, written by hand from the protocol's message definitions. */
import { readFileSync } from 'node:fs';

export interface ApiRow {
  readonly key: number;
  readonly name: string;
  readonly kind: string;
  /** `yes`: valid data; `no`: housekeeping; `none`: never forwarded. */
  readonly clock: string;
  readonly firstFlexible: number;
  readonly throttleFrom: number;
  readonly throttlePlace: string;
  readonly newest: number;
}

function numberOr(text: string | undefined, otherwise: number): number {
  return text === undefined || text === '-' || text === 'none' ? otherwise : Number(text);
}

const [, ...LINES] = readFileSync(new URL('./fixtures/apis.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n');

export const API_ROWS: readonly ApiRow[] = LINES.map((line) => {
  const [key, name, kind, clock, flexible, throttleFrom, throttlePlace, newest] = line.split('\t');
  return {
    key: Number(key),
    name: name ?? '',
    kind: kind ?? '',
    clock: clock ?? '',
    firstFlexible: numberOr(flexible, Number.POSITIVE_INFINITY),
    throttleFrom: numberOr(throttleFrom, Number.POSITIVE_INFINITY),
    throttlePlace: throttlePlace ?? '',
    newest: Number(newest),
  };
});

export function rowOf(key: number): ApiRow {
  const row = API_ROWS[key];
  if (row === undefined) throw new Error(`no API has the key ${key}`);
  return row;
}

export function isFlexible(key: number, version: number): boolean {
  const row = API_ROWS[key];
  return row !== undefined && version >= row.firstFlexible;
}
