/** What is kept for sleepers takes a bounded place. */
import t from 'tap';
import { HousekeepingCache } from '../../../src/protocols/kafka/housekeeping-cache.ts';

const MEBIBYTE = 1024 * 1024;
const question = (rest: string) => ({ version: 1, rest });

t.test('an answer of more than 4 MiB is not kept, and what was kept before it is not told any more', async (t) => {
  const cache = new HousekeepingCache();
  cache.take(question('topics'), Buffer.alloc(4 * MEBIBYTE), true);
  t.equal(cache.find(question('topics'))?.rest.length, 4 * MEBIBYTE);
  cache.take(question('topics'), Buffer.alloc(4 * MEBIBYTE + 1), true);
  t.equal(cache.find(question('topics')), undefined);
});

t.test('the answers that were renewed longest ago make room for new ones beyond 16 MiB', async (t) => {
  const cache = new HousekeepingCache();
  for (const name of ['one', 'two', 'three', 'one', 'four', 'five'])
    cache.take(question(name), Buffer.alloc(3.5 * MEBIBYTE), true);
  const kept = ['one', 'two', 'three', 'four', 'five'].filter((name) => cache.find(question(name)) !== undefined);
  t.strictSame(kept, ['one', 'three', 'four', 'five'], 'the oldest went, and it alone');
  cache.clear();
  for (const name of ['one', 'two', 'three', 'four']) cache.take(question(name), Buffer.alloc(3.5 * MEBIBYTE), true);
  t.ok(cache.find(question('one')), 'what was cleared takes no place');
});

t.test('numbers count up over all answers, kept or not', async (t) => {
  const cache = new HousekeepingCache();
  const numbers = [true, false, true].map((clean) => cache.take(question('topics'), Buffer.alloc(9), clean));
  t.strictSame(numbers, [1, 2, 3]);
  t.equal(cache.find(question('topics'))?.sequence, 3);
});
