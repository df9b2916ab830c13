/** Brings config.example.yaml and docs/configuration.md up to date with the schema: `npm run docs`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exampleYaml, keyTable } from './config-docs.ts';

const ROOT = join(import.meta.dirname, '../..');
const DOCS = join(ROOT, 'docs/configuration.md');
const TABLE = /(<!-- keys: begin -->\n)[\s\S]*(<!-- keys: end -->)/;

writeFileSync(join(ROOT, 'config.example.yaml'), exampleYaml());
writeFileSync(
  DOCS,
  readFileSync(DOCS, 'utf8').replace(TABLE, (_, begin, end) => `${begin}${keyTable()}\n${end}`),
);
