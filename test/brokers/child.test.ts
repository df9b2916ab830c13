/** The tests' own ground: what a command wrote is read to its end. */
import t from 'tap';
import { run } from './child.ts';

const LINES = 20_000;

t.test('a command that writes a lot and ends at once is heard out', async (t) => {
  const expected = Array.from({ length: LINES }, (_, index) => `${index + 1}`).join('\n');
  for (let round = 0; round < 40; round++) {
    const [first, second] = await Promise.all([run('seq', [`${LINES}`]), run('seq', [`${LINES}`])]);
    t.ok(first === expected && second === expected, `round ${round}: all ${LINES} lines, twice`);
  }
});

t.test('a command that fails says why, to the last line', async (t) => {
  for (let round = 0; round < 20; round++) {
    const script = `seq ${LINES} >&2; echo the reason >&2; exit 3`;
    await t.rejects(run('sh', ['-c', script]), /ended with 3[\s\S]*the reason$/, `round ${round}`);
  }
});
