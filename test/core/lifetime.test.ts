/** How long of its session a connection is used. */
import t from 'tap';
import { Lifetime } from '../../src/core/lifetime.ts';

const HOUR = 3_600_000;

/** When a session of so many milliseconds is left, the first and the last moment. */
function leftAt(milliseconds: number): number[] {
  return [0, 1].map((random) => {
    const lifetime = new Lifetime(0, 24 * HOUR);
    lifetime.limitSession(milliseconds, random);
    let [early, late] = [0, milliseconds];
    while (late - early > 1) {
      const middle = Math.floor((early + late) / 2);
      if (lifetime.sessionOver(middle)) late = middle;
      else early = middle;
    }
    return late;
  });
}

for (const [session, first, last] of [
  [HOUR, 0.85 * HOUR, 0.95 * HOUR],
  [10_000, 8500, 9000],
  [3000, 2000, 2000],
  [1000, 500, 500],
] as const) {
  t.test(`a session of ${session} ms is left between ${first} and ${last} ms`, async (t) => {
    t.strictSame(leftAt(session), [first, last]);
  });
}

t.test('a session without end is limited by the age alone', async (t) => {
  const lifetime = new Lifetime(0, HOUR);
  lifetime.limitSession(0, 0.5);
  t.notOk(lifetime.limited);
  t.equal(lifetime.expiry(HOUR - 1), undefined);
  t.equal(lifetime.expiry(HOUR)?.reason, 'max_age');
});
