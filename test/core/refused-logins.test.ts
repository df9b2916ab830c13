/** What brokers have refused is shown rarely, and forgotten in the end. */
import t from 'tap';
import { RefusedLogins } from '../../src/core/refused-logins.ts';

const SECOND = 1000;

t.test('each refusal holds it back for longer, up to five minutes', async (t) => {
  const refused = new RefusedLogins(() => 0.5);
  const holds: number[] = [];
  let now = 0;
  for (let attempt = 0; attempt < 7; attempt += 1) {
    refused.refuse('a', now);
    holds.push(refused.holdMilliseconds('a', now) / SECOND);
    now += refused.holdMilliseconds('a', now);
    t.equal(refused.holdMilliseconds('a', now), 0);
  }
  t.strictSame(holds, [7.5, 15, 30, 60, 120, 225, 225]);
  t.equal(refused.holdMilliseconds('b', 0), 0, 'and no other');
});

t.test('attempts that were under way together count once', async (t) => {
  const refused = new RefusedLogins(() => 0.5);
  for (let attempt = 0; attempt < 10; attempt += 1) refused.refuse('a', 0);
  t.equal(refused.holdMilliseconds('a', 0), 7.5 * SECOND);
});

t.test('one that is taken begins anew', async (t) => {
  const refused = new RefusedLogins(() => 0.5);
  refused.refuse('a', 0);
  refused.refuse('a', 10 * SECOND);
  t.ok(refused.has('a'));
  refused.accept('a');
  t.notOk(refused.has('a'));
  t.equal(refused.holdMilliseconds('a', 10 * SECOND), 0);
  refused.refuse('a', 20 * SECOND);
  t.equal(refused.holdMilliseconds('a', 20 * SECOND), 7.5 * SECOND);
});

t.test('what nobody shows any more is forgotten ten minutes after it was held back', async (t) => {
  const refused = new RefusedLogins(() => 0.5);
  for (let version = 0; version < 1000; version += 1) refused.refuse(`${version}`, version * 60 * SECOND);
  t.ok(refused.size <= 11, `${refused.size} are remembered`);
  t.ok(refused.has('995'));
});
