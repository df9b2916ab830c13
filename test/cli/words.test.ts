import t from 'tap';
import { ago, count, duration, within } from '../../src/cli/words.ts';

t.test('durations are as long as they are useful', async (t) => {
  const cases: [number, string][] = [
    [0, '0 s'],
    [0.04, '0 s'],
    [0.44, '0.4 s'],
    [9.94, '9.9 s'],
    [9.96, '10 s'],
    [599.4, '599 s'],
    [599.6, '10 min'],
    [3600, '60 min'],
    [7199, '2 h'],
    [7260, '2 h 1 min'],
    [172_799, '2 d'],
    [187_200, '2 d 4 h'],
  ];
  for (const [seconds, text] of cases) t.equal(duration(seconds), text, String(seconds));
});

t.test('the past, the future and numbers of things are said in words', async (t) => {
  t.equal(ago(null), 'never');
  t.equal(ago(3), '3 s ago');
  t.equal(within(null), '-');
  t.equal(within({ earliest: 10, latest: 75 }), 'in 10 s to 75 s');
  t.equal(within({ earliest: 600, latest: 605 }), 'in 10 min');
  t.equal(count(1, 'client'), '1 client');
  t.equal(count(2, 'client'), '2 clients');
});
