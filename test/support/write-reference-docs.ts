/** Brings the tables of docs/ up to date with the lists in the code. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TABLES, withTable } from './reference-tables.ts';

const DOCS = join(import.meta.dirname, '../../docs');

for (const { file, name, text } of TABLES) {
  const path = join(DOCS, file);
  writeFileSync(path, withTable(readFileSync(path, 'utf8'), name, text()));
}
