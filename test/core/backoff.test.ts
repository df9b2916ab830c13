import t from 'tap';
import { Backoff } from '../../src/core/backoff.ts';

/** The longest wait after each failure in a row. */
const CEILINGS = [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000];

t.test('after each failure in a row the wait may be twice as long, up to ten seconds', async (t) => {
  const backoff = new Backoff(() => 0.999_999);
  for (const ceiling of CEILINGS) {
    const delay = backoff.failed();
    t.ok(delay <= ceiling && delay > ceiling * 0.99, `${delay} of ${ceiling}`);
  }
});

t.test('the jitter is full: a try may follow at once', async (t) => {
  const backoff = new Backoff(() => 0);
  for (const _ of CEILINGS) t.equal(backoff.failed(), 0);
});

t.test('a success begins anew', async (t) => {
  const backoff = new Backoff(() => 0.5);
  for (const _ of CEILINGS) backoff.failed();
  t.equal(backoff.failed(), 5000);
  backoff.succeeded();
  t.equal(backoff.failures, 0);
  t.equal(backoff.failed(), 50);
});

t.test('however often it failed, the wait stays a number', async (t) => {
  const backoff = new Backoff(() => 0.5);
  for (let failure = 0; failure < 5000; failure += 1) backoff.failed();
  t.equal(backoff.failed(), 5000);
  t.equal(backoff.failures, 5001);
});
