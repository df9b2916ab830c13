/** docs/hazards.md lists every hazard, and what it says of the tests is so. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

const ROOT = join(import.meta.dirname, '../..');
const LAST = 48;
/** It comes with what it belongs to. */
const NOT_YET = ['H39'];

interface Hazard {
  readonly id: string;
  readonly files: readonly string[];
}

const PAGE = readFileSync(join(ROOT, 'docs/hazards.md'), 'utf8');
const HAZARDS: readonly Hazard[] = PAGE.split('\n').flatMap((line) => {
  const [, id, wrong, rule, tested] = /^\| (H\d+) \| (.+) \| (.+) \| (.+) \|$/.exec(line) ?? [];
  if (id === undefined || wrong === undefined || rule === undefined || tested === undefined) return [];
  return [{ id, files: [...tested.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file) }];
});

function idsIn(text: string): string[] {
  return [...text.matchAll(/\bH\d{1,2}\b/g)].map(([id]) => id);
}

t.test('every hazard is listed once and in order, but for those that come later', async (t) => {
  const all = Array.from({ length: LAST }, (_, index) => `H${index + 1}`);
  t.strictSame(
    HAZARDS.map(({ id }) => id),
    all.filter((id) => !NOT_YET.includes(id)),
  );
  const [introduction = ''] = PAGE.split('\n| id |');
  t.match(introduction, 'H39');
});

t.test('every test that a hazard names exists, and says that it is about that hazard', async (t) => {
  for (const { id, files } of HAZARDS) {
    t.ok(files.length > 0, id);
    for (const file of files) {
      t.ok(existsSync(join(ROOT, file)), `${id}: ${file}`);
      t.ok(idsIn(readFileSync(join(ROOT, file), 'utf8')).includes(id), `${file} mentions ${id}`);
    }
  }
});

t.test('every hazard that a test of test/hazards mentions names that test', async (t) => {
  for (const name of readdirSync(join(ROOT, 'test/hazards')).filter((each) => each.endsWith('.test.ts'))) {
    const file = `test/hazards/${name}`;
    const ids = new Set(idsIn(readFileSync(join(ROOT, file), 'utf8')));
    t.ok(ids.size > 0, `${file} is about a hazard`);
    for (const id of ids) t.ok(HAZARDS.find((hazard) => hazard.id === id)?.files.includes(file), `${id} names ${file}`);
  }
});
