import { readFileSync } from 'node:fs';
import t from 'tap';
import { apiDocs } from './api-docs.ts';

t.test('docs/kafka-apis.md is made from the table', async (t) => {
  t.equal(readFileSync(new URL('../../../docs/kafka-apis.md', import.meta.url), 'utf8'), apiDocs());
});
