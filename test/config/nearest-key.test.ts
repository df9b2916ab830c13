import fc from 'fast-check';
import t from 'tap';
import { editDistance, nearest } from '../../src/config/nearest-key.ts';

t.test('the edit distance counts insertions, deletions, replacements and swaps', async (t) => {
  const cases: readonly (readonly [string, string, number])[] = [
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', 'abc', 0],
    ['abc', 'abxc', 1],
    ['abc', 'ac', 1],
    ['abc', 'axc', 1],
    ['abc', 'acb', 1],
    ['kitten', 'sitting', 3],
  ];
  for (const [a, b, distance] of cases) t.equal(editDistance(a, b), distance, `${a} to ${b}`);
});

t.test('the edit distance is a measure: symmetric, 0 for the same text alone, at most the longer text', async () => {
  const word = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      return (
        distance === editDistance(b, a) && (distance === 0) === (a === b) && distance <= Math.max(a.length, b.length)
      );
    }),
  );
});

t.test('a typing error finds its key, a different word finds none', async (t) => {
  const known = ['maxFrameBytes', 'wholeFrameBytes', 'listen', 'name'];
  t.equal(nearest('maxframebytes', known), 'maxFrameBytes');
  t.equal(nearest('maxFrameSize', known), 'maxFrameBytes');
  t.equal(nearest('lisetn', known), 'listen');
  t.equal(nearest('nane', known), 'name');
  t.equal(nearest('zookeeper', known), undefined);
  t.equal(nearest('x', []), undefined);
});
