import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { sourceFiles } from '../support/source-files.ts';

const ROOT = join(import.meta.dirname, '../..');

interface Entry {
  readonly path: string;
  readonly meaning: string;
}

/** Headings name a folder, `### src/core`, and rows below them files: `` | `pool.ts` | what it is | ``. */
function fileMap(markdown: string): Entry[] {
  const [, map = ''] = markdown.split('\n## File map\n');
  let folder = '';
  return map.split('\n').flatMap((line) => {
    folder = /^### `(src\S*)`$/.exec(line)?.[1] ?? folder;
    const [, file, meaning] = /^\| `([\w./-]+\.ts)` \| (.*) \|$/.exec(line) ?? [];
    return file === undefined ? [] : [{ path: `${folder}/${file}`, meaning: meaning ?? '' }];
  });
}

t.test('ARCHITECTURE.md names every file of src, once, and no other', async (t) => {
  const entries = fileMap(readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8'));
  const files = sourceFiles(join(ROOT, 'src')).map(({ path }) => `src/${path}`);
  const named = entries.map(({ path }) => path);
  t.strictSame(
    files.filter((file) => !named.includes(file)),
    [],
    'these files are missing from the map',
  );
  t.strictSame(
    named.filter((path) => !files.includes(path)),
    [],
    'these files of the map do not exist',
  );
  t.equal(new Set(named).size, named.length, 'no file is named twice');
  for (const { path, meaning } of entries) t.match(meaning, /^\S.{3,}\S$/, path);
});

t.test('a file map is read by headings and rows', async (t) => {
  const markdown =
    '# A\n| `a.ts` | no |\n## File map\n\n### `src/core`\n\n| file | what |\n| --- | --- |\n| `b.ts` | yes |\n';
  t.strictSame(fileMap(markdown), [{ path: 'src/core/b.ts', meaning: 'yes' }]);
});
