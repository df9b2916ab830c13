import t from 'tap';
import { Secret } from '../../src/contract/credential.ts';
import { CredentialEnds } from '../../src/identity/credential-ends.ts';
import { endingToken } from '../support/ending-token.ts';
import { ManualClock } from '../support/manual-clock.ts';

const DAY_SECONDS = 86_400;

function watching() {
  const clock = new ManualClock();
  const ended: string[] = [];
  const ends = new CredentialEnds(clock, (name) => ended.push(name));
  /** @param lifeSeconds from now on */
  const watch = (name: string, lifeSeconds: number): void => {
    const data = new Secret(endingToken(name, clock.unixSeconds() + lifeSeconds));
    ends.watch(name, { mechanism: 'PASSED', method: 'token', data });
  };
  const pass = (seconds: number): string[] => {
    clock.advance(seconds * 1000);
    return ended.splice(0);
  };
  return { clock, ends, watch, pass };
}

t.test('that something has ended is told when it does, and every minute until there is something else', (t) => {
  const { ends, watch, pass } = watching();
  watch('alice', 100);
  t.strictSame(pass(99.9), []);
  t.strictSame(pass(0.1), ['alice']);
  t.strictSame(pass(59.9), []);
  t.strictSame(pass(0.1), ['alice']);
  watch('alice', 100);
  t.strictSame(pass(99.9), []);
  t.strictSame(pass(60.1), ['alice', 'alice']);
  ends.forget('alice');
  t.strictSame(pass(DAY_SECONDS), []);
  t.end();
});

t.test('what had ended before it was shown is told after a minute, for brokers were shown it as well', (t) => {
  const { watch, pass } = watching();
  watch('alice', -5);
  t.strictSame(pass(59.9), []);
  t.strictSame(pass(0.1), ['alice']);
  t.end();
});

t.test('ends that are further than any timer goes are told too', (t) => {
  const { watch, pass } = watching();
  watch('alice', 400 * DAY_SECONDS);
  watch('bob', 1e12);
  t.strictSame(pass(399.99 * DAY_SECONDS), []);
  t.strictSame(pass(0.01 * DAY_SECONDS), ['alice']);
  t.end();
});

t.test('what does not say when it ends is not watched', (t) => {
  const { clock, ends } = watching();
  const shown = ['opaque', 'a.b.c', endingToken('x', Number.NaN), endingToken('x', Number.POSITIVE_INFINITY)];
  for (const data of shown) ends.watch('somebody', { mechanism: 'PASSED', method: 'token', data: new Secret(data) });
  ends.watch('somebody', { mechanism: 'PLAIN', username: 'u', password: new Secret('p') });
  t.equal(clock.timers, 0);
  t.end();
});
