/** What is kept for sleepers takes a bounded place. */
import t from 'tap';
import { HousekeepingCache } from '../../../src/protocols/kafka/housekeeping-cache.ts';

const MEBIBYTE = 1024 * 1024;
const question = (rest: string) => ({ version: 1, rest });

t.test('an answer of more than 4 MiB is not kept, and what was kept before it is not told any more', async (t) => {
  const cache = new HousekeepingCache();
  cache.take(question('topics'), Buffer.alloc(4 * MEBIBYTE), true, cache.next());
  t.equal(cache.find(question('topics'))?.rest.length, 4 * MEBIBYTE);
  cache.take(question('topics'), Buffer.alloc(4 * MEBIBYTE + 1), true, cache.next());
  t.equal(cache.find(question('topics')), undefined);
});

t.test('the answers that were renewed longest ago make room for new ones beyond 16 MiB', async (t) => {
  const cache = new HousekeepingCache();
  for (const name of ['one', 'two', 'three', 'one', 'four', 'five'])
    cache.take(question(name), Buffer.alloc(3.5 * MEBIBYTE), true, cache.next());
  const kept = ['one', 'two', 'three', 'four', 'five'].filter((name) => cache.find(question(name)) !== undefined);
  t.strictSame(kept, ['one', 'three', 'four', 'five'], 'the oldest went, and it alone');
  cache.clear();
  for (const name of ['one', 'two', 'three', 'four'])
    cache.take(question(name), Buffer.alloc(3.5 * MEBIBYTE), true, cache.next());
  t.ok(cache.find(question('one')), 'what was cleared takes no place');
});

t.test('an answer never replaces one to a later question', async (t) => {
  const cache = new HousekeepingCache();
  const [earlier, later] = [cache.next(), cache.next()];
  cache.take(question('topics'), Buffer.from('later'), true, later);
  cache.take(question('topics'), Buffer.from('earlier'), true, earlier);
  t.same(cache.find(question('topics'))?.rest, Buffer.from('later'));
  cache.take(question('topics'), Buffer.from('with an error'), false, earlier);
  t.equal(cache.find(question('topics'))?.sequence, later);
});

t.test('what was asked for before the cache was emptied is not kept', async (t) => {
  const cache = new HousekeepingCache();
  const before = cache.next();
  cache.clear();
  cache.take(question('topics'), Buffer.from('before'), true, before);
  t.equal(cache.find(question('topics')), undefined);
  cache.take(question('topics'), Buffer.from('after'), true, cache.next());
  t.ok(cache.find(question('topics')));
});
