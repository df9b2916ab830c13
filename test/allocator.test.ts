import { execFileSync } from 'node:child_process';
import t from 'tap';

const MEBIBYTE = 1024 * 1024;
/** Prints the bytes of the young generation when many objects live on: that is what makes V8 enlarge it. */
const SURVIVE = `
  const survivors = Array.from({ length: 1_000_000 }, (_, index) => ({ index }));
  const { getHeapSpaceStatistics } = await import('node:v8');
  const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
  console.log(survivors.length > 0 ? young.space_size : 0);
`;
const TUNE = `
  const { tuneEngine } = await import(${JSON.stringify(new URL('../src/allocator.ts', import.meta.url).href)});
  tuneEngine();
`;

function youngBytesAfter(code: string): number {
  const env = { ...process.env, NODE_OPTIONS: '' };
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', code], { env, encoding: 'utf8' }));
}

t.test('the young generation stays small, whatever survives in it', async (t) => {
  const grown = youngBytesAfter(SURVIVE);
  const small = youngBytesAfter(TUNE + SURVIVE);
  t.ok(grown >= 16 * MEBIBYTE, `${grown} bytes if it is let`);
  t.ok(small <= 4 * MEBIBYTE, `${small} bytes`);
});

t.test('what was set by hand is left alone', async (t) => {
  const options = process.env.NODE_OPTIONS;
  t.teardown(() => {
    process.env.NODE_OPTIONS = options ?? '';
  });
  process.env.NODE_OPTIONS = '--max-semi-space-size=8';
  const set: string[] = [];
  const { tuneEngine: tune } = await t.mockImport<typeof import('../src/allocator.ts')>('../src/allocator.ts', {
    'node:v8': { setFlagsFromString: (flag: string) => set.push(flag) },
  });
  tune();
  t.match(set, [/^--no-maglev /]);
  t.equal(set.length, 1);
  process.env.NODE_OPTIONS = '--max_semi_space_size=8 --maglev';
  tune();
  t.equal(set.length, 1);
});
