/** docs/events.md has every line that is written without being an event, with its level, and no other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { tableIn } from '../support/reference-tables.ts';
import { sourceFiles } from '../support/source-files.ts';

const ROOT = join(import.meta.dirname, '../..');

interface Line {
  readonly level: string;
  readonly sentence: string;
}

/** `log.warn({ detail }, 'a sentence')` and the line that standard output writes by itself. */
function linesIn(source: string): Line[] {
  const logged = source.matchAll(
    /\b(?:log|logger)\.(trace|debug|info|warn|error|fatal)\(([^;]*?)'([a-z][^'\n]*)'\s*,?\s*\)/g,
  );
  const written = source.matchAll(/\blevel: '(\w+)', [^\n]*\bmsg: '([^'\n]+)'/g);
  return [
    ...[...logged].map(([, level = '', , sentence = '']) => ({ level, sentence })),
    ...[...written].map(([, level = '', sentence = '']) => ({ level, sentence })),
  ];
}

/** How often something is logged at all; what is not written as above would be overlooked. */
function callsIn(source: string): number {
  const logged = source.matchAll(/\b(?:log|logger)\.(trace|debug|info|warn|error|fatal)\(/g);
  return [...logged].length + [...source.matchAll(/\bmsg: '/g)].length;
}

const SOURCES = sourceFiles(join(ROOT, 'src')).filter(({ path }) => !path.startsWith('demo/'));

t.test('every line of the process is documented with its level, and nothing else is', async (t) => {
  const found = SOURCES.flatMap(({ text }) => linesIn(text)).map(({ level, sentence }) => `${sentence} (${level})`);
  const rows = tableIn(readFileSync(join(ROOT, 'docs/events.md'), 'utf8'), 'process')
    .split('\n')
    .slice(2);
  const documented = rows.map((row) => {
    const [, sentence = '', level = ''] = /^\| `([^`]+)` \| (\w+) \| \S.*\S \|$/.exec(row) ?? [];
    return `${sentence} (${level})`;
  });
  t.strictSame([...new Set(found)].sort(), documented.sort());
});

t.test('no line is logged in a way that this test does not see', async (t) => {
  for (const { path, text } of SOURCES) t.equal(linesIn(text).length, callsIn(text), path);
});

t.test('lines are found as they are written', async (t) => {
  t.strictSame(linesIn("log.info({ a }, 'one thing');\nthis.#log.warn(\n  { b: 'x' },\n  'another',\n);"), [
    { level: 'info', sentence: 'one thing' },
    { level: 'warn', sentence: 'another' },
  ]);
});
